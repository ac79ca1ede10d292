"""What a mark says when it is pointed at: value with unit, interval and which, n, source, query, moment, and
the
origin where it is not live.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from live_dashboards.model.axis import moment_words
from live_dashboards.model.chart import Said, Sayings
from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.model.number import format_count, format_interval, format_number
from live_dashboards.model.presentation import drawn_interval
from live_dashboards.model.report import Report

_ORIGINS = {
    Origin.ESTIMATED: "estimated",
    Origin.CACHED: "cached: of an earlier answer",
    Origin.SIMULATED: "SIMULATED",
    Origin.MISSING: "missing",
}


def measured(title: str, measurement: Measurement, report: Report, interval: str | None = None) -> Sayings:
    """What a measurement's mark says; `interval` replaces the words of its interval."""
    value = f"none: {measurement.reason}"
    if measurement.value is not None:
        value = format_number(measurement.value, unit_of(measurement))
    return spoken(
        Said(title, "title"),
        Said(value, "value"),
        interval_words(measurement, report) if interval is None else interval,
        "" if measurement.n is None else f"n = {format_count(measurement.n)}",
        Said(measurement.reason or "" if measurement.value is not None else "", "long"),
        *provenance(measurement, report.timezone),
    )


def spoken(*lines: Said | str) -> Sayings:
    """The lines that say something."""
    said = (line if isinstance(line, Said) else Said(line) for line in lines)
    return tuple(line for line in said if line.text)


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
    return f"{100 * confidence:g} % interval: {format_interval(limits.low, limits.high, unit)}"


def provenance(measurement: Measurement, timezone: str) -> Sayings:
    """Source, query, moment and state of a measurement."""
    return spoken(
        Said(f"source: {measurement.source}" if measurement.source else "", "short"),
        Said(measurement.query, "query"),
        moment(measurement.observed_at, timezone),
        origin_words(measurement.origin, is_stale=measurement.stale),
    )


def moment(at: datetime | None, timezone: str) -> str:
    """`20 Nov 2026, 12:00 UTC`."""
    return "" if at is None else f"at {moment_words(at, ZoneInfo(timezone))}"


def origin_words(origin: Origin, *, is_stale: bool = False) -> str:
    """What is not live, and what is stale, in words."""
    return ", ".join(filter(None, (_ORIGINS.get(origin, ""), "stale" if is_stale else "")))


def unit_of(measurement: Measurement) -> str:
    """The unit that stands behind the number; none where the service reports a bare one."""
    return "" if measurement.unit == "as_reported" else measurement.unit
