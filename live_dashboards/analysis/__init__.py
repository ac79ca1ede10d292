"""Snapshot to report, pure."""
