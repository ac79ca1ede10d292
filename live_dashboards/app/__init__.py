"""Joins the stages: what the command line, notebooks and the web page start."""
