"""A real PostgreSQL and a real Prometheus of one's own, filled with an A/B test."""
