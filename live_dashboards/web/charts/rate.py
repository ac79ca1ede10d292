"""How much load: requests per second over the window."""

from __future__ import annotations

from live_dashboards.model.report import AbReport
from live_dashboards.web.charts.base import Figure
from live_dashboards.web.charts.line_words import Plan
from live_dashboards.web.charts.lines import lines_figure


def figure(report: AbReport) -> Figure | None:
    """A line a variant, from zero."""
    panel = report.rate
    return (
        lines_figure(
            panel.lines,
            report,
            panel.head.origin,
            Plan("requests per second", "requests_per_second", marks=panel.marks),
        )
        if panel.head.is_drawn
        else None
    )
