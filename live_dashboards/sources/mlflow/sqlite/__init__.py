"""Reads a local SQLite file of MLflow, its own default."""
