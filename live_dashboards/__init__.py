"""A/B test dashboards of machine-learning models from MLflow's PostgreSQL and Prometheus, where every number says where it comes from."""
