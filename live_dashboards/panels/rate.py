"""How much load: requests per second over the window."""

from __future__ import annotations

from live_dashboards.model.chart import Lines
from live_dashboards.model.report import AbReport


def charts(report: AbReport) -> tuple[Lines, ...]:
    """A line a variant, from zero."""
    panel = report.rate
    return (Lines("rate", panel.lines, "requests_per_second", "requests per second", marks=panel.marks),)
