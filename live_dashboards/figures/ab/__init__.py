"""The panels of the A/B dashboard, one a file."""
