"""How much load: requests per second over the window."""

from __future__ import annotations

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.stretches import Plan
from live_dashboards.figures.timeline import draw_timeline
from live_dashboards.model.report import AbReport


def draw(frame: Frame, report: AbReport) -> None:
    """A line a variant, from zero."""
    panel = report.rate
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is not None:
        draw_timeline(body, panel.lines, report, Plan("requests_per_second", marks=panel.marks))
