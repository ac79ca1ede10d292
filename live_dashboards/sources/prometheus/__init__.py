"""Asks Prometheus over HTTP: endpoint, exchange, questions, what the series say, and why an answer is
missing.
"""
