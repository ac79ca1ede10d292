"""All charts by their id on the page; a new panel is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from live_dashboards.model.report import AbReport
from live_dashboards.web.charts import effect, quality, rate, split
from live_dashboards.web.charts.base import Figure

AB_CHARTS: Mapping[str, Callable[[AbReport], Figure | None]] = {
    "effect": effect.figure,
    "quality": quality.figure,
    "split": split.figure,
    "rate": rate.figure,
}
