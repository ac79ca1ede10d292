"""Asks: MLflow's PostgreSQL, Prometheus, or the seeded simulation; the only folder with SQL or HTTP."""
