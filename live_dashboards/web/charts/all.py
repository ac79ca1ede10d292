"""All charts by their id on the page; a new panel is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from live_dashboards.model.business_report import BusinessReport
from live_dashboards.model.report import AbReport
from live_dashboards.web.charts import (
    break_even,
    effect,
    errors,
    health,
    impact,
    latency,
    net,
    parts,
    payback,
    quality,
    rate,
    runs,
    sensitivity,
    split,
)
from live_dashboards.web.charts.base import Figure

AB_CHARTS: Mapping[str, Callable[[AbReport], Figure | None]] = {
    "effect": effect.figure,
    "quality": quality.figure,
    "split": split.figure,
    "rate": rate.figure,
    "latency": latency.figure,
    "latency-timeline": latency.timeline_figure,
    "errors": errors.figure,
    "errors-timeline": errors.timeline_figure,
    "runs": runs.figure,
    "health": health.figure,
}
"""Each gives None where there is nothing to draw; the panel's head says why. The charts of `impact_charts`
come with the report.
"""

BUSINESS_CHARTS: Mapping[str, Callable[[BusinessReport], Figure | None]] = {
    "net": net.figure,
    "parts": parts.figure,
    "payback": payback.figure,
    "sensitivity": sensitivity.figure,
    "break-even": break_even.figure,
}


def impact_charts(report: AbReport) -> list[tuple[str, Figure]]:
    """(`impact-<type>`, figure) of each quantity that the service reports."""
    return impact.figures(report)
