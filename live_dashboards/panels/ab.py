"""The A/B page's panels in their order, three in a row of a picture.

A new panel is one file and one line here.
"""

from __future__ import annotations

from live_dashboards.model.chart import Panel, drawn_by_hand
from live_dashboards.model.report import AbReport
from live_dashboards.panels import effect, errors, evidence, health, impact, latency, quality, slices, split

AB_PANELS: tuple[Panel[AbReport], ...] = (
    Panel("effect", effect.charts),
    Panel("evidence", evidence.charts),
    Panel("quality", quality.charts),
    Panel("split", split.charts, most_charts=2),
    Panel("latency", latency.charts, most_charts=2),
    Panel("errors", errors.charts, most_charts=2),
    Panel("impact", impact.charts, most_charts=6, is_wide=True, empty="no metric type is reported"),
    Panel("runs", drawn_by_hand),
    Panel("health", health.charts),
    Panel("slices", slices.charts, words=slices.head, is_shown=slices.is_shown),
)
