"""Is the challenger slower: percentiles with the buckets that hold them, and p95 over time."""

from __future__ import annotations

import math

from live_dashboards.model.chart import Chart, Lines, Mark, Row, Rows, Sayings, Scale, Words, drawn_value
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import NOTHING, format_interval, format_number
from live_dashboards.model.presentation import INK, colour_of, state_words, style_of
from live_dashboards.model.report import AbReport, LatencyRow
from live_dashboards.panels.sayings import measured

_TITLES = {
    "p50_latency_ms": "p50",
    "p95_latency_ms": "p95",
    "p99_latency_ms": "p99",
    "mean_latency_ms": "mean",
}
_HEADING = "p50 / p95 / p99"
_FLATTENED = 4.0


def charts(report: AbReport) -> tuple[Chart, ...]:
    """A row a variant on a log axis, p50, p95 and p99 joined by a line, each over its bucket, and a tick at
    the
    mean; below it p95 over time, against the objective.
    """
    panel = report.latency
    has_percentiles = any(_percentiles(row) for row in panel.rows)
    rows = Rows(
        tuple(_row(row, report) for row in panel.rows),
        Scale("ms", is_log=True),
        "response time, ms, log scale",
        "p50, p95, p99; bar: their buckets, tick: mean",
        heading="whole window, ms, log scale",
        over_numbers=_HEADING if has_percentiles else "mean",
        is_joined=True,
        table=tuple(
            drawn_value("latency", one.name, row.variant, one)
            for row in panel.rows
            for one in (row.p50, row.p95, row.p99, row.mean)
        ),
    )
    words = f"objective {format_number(panel.objective_ms, 'ms')}"
    timeline = Lines(
        "latency",
        panel.lines,
        "ms",
        "p95 response time, ms",
        "p95, ms",
        target=_target(report),
        target_words=words,
        marks=panel.marks,
    )
    return rows, timeline


def _target(report: AbReport) -> float | None:
    """The objective, unless it is so far above the lines that it would flatten them."""
    objective_ms = report.latency.objective_ms
    values = [value for line in report.latency.lines for _, value in line.timeline.points]
    known = [value for value in values if value is not None and math.isfinite(value)]
    return objective_ms if known and objective_ms <= _FLATTENED * max(known) else None


def _row(row: LatencyRow, report: AbReport) -> Row:
    style, mean = style_of(report.variant_names, row.variant), row.mean
    percentiles = _percentiles(row)
    colour = colour_of(style, row.p95.origin)
    buckets = [
        Mark("span", colour, interval=one.interval, look="bucket") for one in percentiles if one.interval
    ]
    dots = [
        Mark("dot", colour, one.value, style=style, size=0.95, said=_said(row, one, report))
        for one in percentiles
    ]
    ticks = []
    if mean.value is not None and mean.value > 0:
        ticks.append(Mark("tick", INK, mean.value, look="mean", said=_said(row, mean, report)))
    return Row(
        row.variant,
        (*buckets, *dots, *ticks),
        (Words(_numbers(row), style.text_colour),),
        style.text_colour,
        "" if percentiles or ticks else row.p95.reason or "no percentiles",
    )


def _percentiles(row: LatencyRow) -> list[Measurement]:
    """Those that there are: none without buckets."""
    return [value for value in (row.p50, row.p95, row.p99) if value.value is not None]


def _numbers(row: LatencyRow) -> str:
    """The percentiles, or the mean where nothing else is known."""
    if not _percentiles(row) and row.mean.value is not None:
        return f"mean {format_number(row.mean.value, 'ms')}{state_words(row.mean)}"
    return " / ".join(_words(value) for value in (row.p50, row.p95, row.p99))


def _said(row: LatencyRow, value: Measurement, report: AbReport) -> Sayings:
    limits = value.interval
    bucket = "no interval" if limits is None else f"bucket: {format_interval(limits.low, limits.high, 'ms')}"
    return measured(f"{_TITLES.get(value.name, value.name)}, {row.variant}", value, report, bucket)


def _words(value: Measurement) -> str:
    if value.value is None:
        return NOTHING
    is_open = value.interval is not None and value.interval.high is None
    words = format_number(value.value, "ms", show_unit=False)
    return f"{'>' if is_open and not words.startswith('<') else ''}{words}{state_words(value)}"
