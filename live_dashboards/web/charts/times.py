"""Moments on an axis: the chart library knows no zones, so they are local times whose zone the axis names."""

from __future__ import annotations

from datetime import UTC, datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from live_dashboards.model.dashboards import Report
from live_dashboards.model.moment import zone_words
from live_dashboards.model.presentation import MUTED
from live_dashboards.web.charts.base import axis

_FORMATS: tuple[dict[str, Any], ...] = (
    {"dtickrange": [None, 59_999], "value": "%H:%M:%S\n%-d %b"},
    {"dtickrange": [60_000, 86_399_999], "value": "%H:%M\n%-d %b"},
    {"dtickrange": [86_400_000, "M1"], "value": "%-d %b\n%Y"},
    {"dtickrange": ["M1", None], "value": "%b %Y"},
)
"""How times are written, by the milliseconds between two ticks; the second line stands only where it
changes.
"""


def time_axis(report: Report, start_seconds: float, end_seconds: float) -> dict[str, Any]:
    """Local time without a zone, which the library does not know; the title names the zone. It can be
    zoomed.
    """
    limits = (moment_text(start_seconds, report), moment_text(end_seconds, report))
    title = f"time, {zone_of(report)}"
    fixed: dict[str, Any] = {
        "type": "date",
        "nticks": 5,
        "tickangle": 0,
        "tickformatstops": [dict(stop) for stop in _FORMATS],
        "showgrid": False,
        "showline": True,
        "linecolor": MUTED,
    }
    return axis(title, limits, fixedrange=False, **fixed)


def moment_text(unix_seconds: float, report: Report) -> str:
    """The moment as local time, with the zone's offset at the page's moment, so that a change of the clocks
    neither repeats nor leaves out an hour.
    """
    offset = report.at.astimezone(ZoneInfo(report.timezone)).utcoffset()
    local = datetime.fromtimestamp(unix_seconds, UTC).astimezone(timezone(offset) if offset else UTC)
    return f"{local:%Y-%m-%d %H:%M}" if local.second == 0 else f"{local:%Y-%m-%d %H:%M:%S}"


def zone_of(report: Report) -> str:
    """The zone's abbreviation at the page's moment."""
    return zone_words(report.at.timestamp(), ZoneInfo(report.timezone))
