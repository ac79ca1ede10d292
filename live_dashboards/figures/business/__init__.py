"""The business impact page, one panel a file."""
