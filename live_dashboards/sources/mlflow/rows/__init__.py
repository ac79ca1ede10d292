"""The questions about the A/B test answered from plain rows of MLflow, wherever they were read, by the rules
that the SQL texts of `sql` hold.
"""
