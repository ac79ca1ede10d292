"""Reads MLflow's own tables in PostgreSQL: address, connection, statements, what the rows say, and why an answer is missing."""
