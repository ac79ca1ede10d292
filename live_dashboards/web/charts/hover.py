"""What a mark says when it is pointed at: value with unit, interval and which, n, source, query, moment, and
the origin where it is not live.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from live_dashboards.model.dashboards import Report
from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.model.number import format_count, format_interval, format_number
from live_dashboards.model.presentation import drawn_interval
from live_dashboards.model.ticks import moment_words
from live_dashboards.web.charts.text import MOST_QUERY_CHARACTERS, escaped, shown, wrapped

TEMPLATE = "%{customdata}<extra></extra>"
"""A mark's words come as data, so that no text of a user is ever a template."""

_ORIGINS = {
    Origin.ESTIMATED: "estimated",
    Origin.CACHED: "cached: of an earlier answer",
    Origin.SIMULATED: "SIMULATED",
    Origin.MISSING: "missing",
}


def measured(
    title: str, measurement: Measurement, report: Report, *, value: str = "", interval: str | None = None
) -> str:
    """The hover of a measurement; `value` and `interval` replace their words where the unit on the axis is
    another.
    """
    words = value or (
        format_number(measurement.value, unit_of(measurement))
        if measurement.value is not None
        else f"none: {shown(measurement.reason or '')}"
    )
    limits = interval_words(measurement, report) if interval is None else interval
    reason = measurement.reason if measurement.value is not None and measurement.reason else ""
    return joined(
        bold(title),
        f"<b>{escaped(words) if measurement.value is not None else words}</b>",
        limits,
        "" if measurement.n is None else f"n = {format_count(measurement.n)}",
        wrapped(reason, MOST_QUERY_CHARACTERS),
        provenance(measurement, report.timezone),
    )


def interval_words(measurement: Measurement, report: Report) -> str:
    """`95 % interval: 77.6 to 78.7 %`."""
    limits = drawn_interval(measurement)
    if measurement.value is None:
        return ""
    if limits is None:
        return "no interval"
    confidence = report.confidence if measurement.drawn_interval is not None else 0.95
    return level_words(confidence, limits, unit_of(measurement))


def level_words(confidence: float, limits: Interval, unit: str) -> str:
    """An interval that says which it is."""
    return escaped(f"{100 * confidence:g} % interval: {format_interval(limits.low, limits.high, unit)}")


def provenance(measurement: Measurement, timezone: str) -> str:
    """Source, query, moment and state of a measurement."""
    return joined(
        f"source: {shown(measurement.source)}" if measurement.source else "",
        query_words(measurement.query),
        moment(measurement.observed_at, timezone),
        origin_words(measurement.origin, is_stale=measurement.stale),
    )


def query_words(query: str) -> str:
    """The query, cut."""
    return f"query: {wrapped(query, MOST_QUERY_CHARACTERS)}" if query else ""


def moment(at: datetime | None, timezone: str) -> str:
    """`20 Nov 2026, 12:00 UTC`."""
    return "" if at is None else f"at {moment_words(at, ZoneInfo(timezone))}"


def origin_words(origin: Origin, *, is_stale: bool = False) -> str:
    """What is not live, and what is stale, in words."""
    return ", ".join(filter(None, (_ORIGINS.get(origin, ""), "stale" if is_stale else "")))


def unit_of(measurement: Measurement) -> str:
    """The unit that stands behind the number; none where the service reports a bare one."""
    return "" if measurement.unit == "as_reported" else measurement.unit


def bold(text: str) -> str:
    """A title that may hold text of a user."""
    return f"<b>{wrapped(text)}</b>"


def joined(*lines: str | Iterable[str]) -> str:
    """The lines that say something."""
    return "<br>".join(line for line in lines if isinstance(line, str) and line)
