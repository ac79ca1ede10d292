"""What the charts about money share: colours that tell measured from assumed, axes in USD."""

from __future__ import annotations

from typing import Any

from live_dashboards.model.business_report import BusinessReport
from live_dashboards.model.measurement import Measurement
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


def origin_of(measurement: Measurement, report: BusinessReport) -> str:
    """Where a number of the business case comes from."""
    return joined(provenance(measurement, report.timezone))
