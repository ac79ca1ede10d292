"""Asks MLflow's REST API, where there is no access to its database."""
