"""What Prometheus and MLflow's REST API have in common: endpoint and login, sessions that another thread can
end, why the network failed.
"""
