"""Panels that each renderer draws by hand."""

from __future__ import annotations

from live_dashboards.model.chart import Chart
from live_dashboards.model.dashboards import Report


def drawn_by_hand(report: Report) -> tuple[Chart, ...]:  # noqa: ARG001 as all panels
    """No charts: the renderers know this panel by its name."""
    return ()
