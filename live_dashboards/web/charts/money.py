"""What the charts about money share: colours that tell measured from assumed, axes in USD, and words for intervals."""

from __future__ import annotations

from typing import Any

from live_dashboards.model.business_report import BusinessReport
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import format_money
from live_dashboards.model.presentation import CALM, CAUTION, INK
from live_dashboards.model.ticks import number_labels, round_ticks
from live_dashboards.web.charts.base import ZERO_LINE, axis
from live_dashboards.web.charts.hover import joined, provenance

MEASURED, ASSUMED, RESULT = CALM, CAUTION, INK
USD = "usd_per_year"


def money_axis(title: str, limits: tuple[float, float], most: int = 5) -> dict[str, Any]:
    """An axis in USD with round numbers and a line at zero."""
    ticks = round_ticks(*limits, most)
    return axis(title, limits, ticks=ticks, labels=number_labels(ticks, USD), **ZERO_LINE)


def money_words(low: float | None, high: float | None) -> str:
    """`$410k to $960k`; an open end stays open."""
    if low is None or high is None:
        return f"≤ {format_money(high)}" if low is None else f"> {format_money(low)}"
    return f"{format_money(low)} to {format_money(high)}"


def origin_of(measurement: Measurement, report: BusinessReport) -> str:
    """Where a number of the business case comes from."""
    return joined(provenance(measurement, report.timezone))
