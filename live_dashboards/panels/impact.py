"""What the service itself reports of its business impact: a small chart for each quantity."""

from __future__ import annotations

from live_dashboards.model.chart import Lines
from live_dashboards.model.report import AbReport, LinesPanel


def charts(report: AbReport) -> tuple[Lines, ...]:
    """One axis a metric type, since they are different quantities."""
    return tuple(map(_chart, report.impact.types))


def _chart(panel: LinesPanel) -> Lines:
    called = panel.unit_label.replace("_", " ") or "business impact"
    caption = (panel.head.title or panel.unit_label).replace("_", " ")
    return Lines("impact", panel.lines, "", f"{called}, reported", caption, is_zero_based=False)
