"""Asks: MLflow (PostgreSQL, REST API, SQLite file), Prometheus, or the seeded simulation; the only folder
with SQL or HTTP.
"""
