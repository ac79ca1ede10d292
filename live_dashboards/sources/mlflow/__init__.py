"""Asks MLflow: its tables in PostgreSQL by SQL, or its REST API or SQLite file by rows; `ways` puts them in
order, `questions` is what they have in common.
"""
