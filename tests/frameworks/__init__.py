"""Real serving frameworks, scraped by a real Prometheus, and what the product reads of them: ./tests/frameworks/run.sh, apart from the suite."""
