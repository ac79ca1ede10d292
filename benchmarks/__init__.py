"""Benchmarks: ratios between two ways to the same thing, measured in pairs in one run. Nothing here is a test."""
