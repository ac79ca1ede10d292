"""Axes in USD."""

from __future__ import annotations

from typing import Any

from live_dashboards.model.axis import number_labels, round_ticks
from live_dashboards.model.number import USD
from live_dashboards.web.charts.base import ZERO_LINE, axis


def money_axis(title: str, limits: tuple[float, float], most: int = 5) -> dict[str, Any]:
    """An axis in USD with round numbers and a line at zero."""
    ticks = round_ticks(*limits, most)
    return axis(title, limits, ticks=ticks, labels=number_labels(ticks, USD), **ZERO_LINE)
