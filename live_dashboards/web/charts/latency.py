"""Is the challenger slower: percentiles with the buckets that hold them, and p95 over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from live_dashboards.model.limits import finite_ends
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.number import NOTHING, format_interval, format_number
from live_dashboards.model.presentation import INK, PAPER, colour_of, state_words, style_of
from live_dashboards.model.report import AbReport, LatencyRow
from live_dashboards.model.ticks import log_labels, log_ticks
from live_dashboards.web.charts.base import Figure, axis, seen
from live_dashboards.web.charts.hover import TEMPLATE, measured
from live_dashboards.web.charts.line_words import Plan
from live_dashboards.web.charts.lines import lines_figure
from live_dashboards.web.charts.marks import interval_traces, symbol, ticks_trace
from live_dashboards.web.charts.rows import Row, rows_layout
from live_dashboards.web.charts.text import escaped

_SMALLEST_MS = 1e-9
_TITLES = {
    "p50_latency_ms": "p50",
    "p95_latency_ms": "p95",
    "p99_latency_ms": "p99",
    "mean_latency_ms": "mean",
}


def figure(report: AbReport) -> Figure | None:
    """A row a variant on a log axis: p50, p95 and p99 joined by a line, each over its bucket, and a tick at
    the mean.
    """
    panel = report.latency
    if not panel.head.is_drawn or not panel.rows:
        return None
    limits = _limits(panel.rows)
    ticks = log_ticks(*limits, 5)
    x = axis(
        "response time, ms, log scale<br>p50, p95, p99; bar: their buckets, tick: mean",
        (0, 0),
        ticks=ticks,
        labels=log_labels(ticks),
        type="log",
    )
    x["range"] = [round(math.log10(limit), 4) for limit in limits]
    traces = [trace for y, row in enumerate(panel.rows) for trace in _traces(row, float(y), limits, report)]
    return {
        "data": traces,
        "layout": rows_layout([_row(row, report) for row in panel.rows], x, panel.head.origin),
    }


def timeline_figure(report: AbReport) -> Figure | None:
    """A line a variant, from zero, against the objective where it does not flatten the lines."""
    panel = report.latency
    if not panel.head.is_drawn:
        return None
    values = [
        value
        for line in panel.lines
        for _, value in line.timeline.points
        if value is not None and math.isfinite(value)
    ]
    target = panel.objective_ms if values and panel.objective_ms <= 4 * max(values) else None
    plan = Plan(
        "p95 response time, ms",
        "ms",
        target=target,
        target_words=f"objective {format_number(panel.objective_ms, 'ms')}",
    )
    return lines_figure(panel.lines, report, panel.head.origin, plan)


def _limits(rows: Sequence[LatencyRow]) -> tuple[float, float]:
    everything = [value for row in rows for value in (row.p50, row.p95, row.p99, row.mean)]
    ends = [
        end
        for end in finite_ends(
            [value.value for value in everything], [value.interval for value in everything]
        )
        if end > 0
    ]
    return (max(_SMALLEST_MS, min(ends)) / 1.15, max(ends) * 1.25) if ends else (1.0, 1000.0)


def _percentiles(row: LatencyRow) -> list[Measurement]:
    return [value for value in (row.p50, row.p95, row.p99) if value.value is not None]


def _traces(row: LatencyRow, y: float, limits: tuple[float, float], report: AbReport) -> list[dict[str, Any]]:
    style = style_of(report.variant_names, row.variant)
    colour = colour_of(style, row.p95.origin)
    buckets = [(_positive(value.interval), y) for value in _percentiles(row) if value.interval is not None]
    points = [
        (max(_SMALLEST_MS, value.value), value) for value in _percentiles(row) if value.value is not None
    ]
    mean = (
        [(row.mean.value, y, _hover(row, row.mean, report))]
        if row.mean.value is not None and row.mean.value > 0
        else []
    )
    dots = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [seen(point) for point, _ in points],
        "y": [y] * len(points),
        "customdata": [_hover(row, value, report) for _, value in points],
        "hovertemplate": TEMPLATE,
        "showlegend": False,
        "cliponaxis": False,
        "line": {"color": colour, "width": 1.5},
        "marker": {
            "symbol": symbol(style),
            "size": 10,
            "color": colour,
            "opacity": 1,
            "line": {"color": PAPER, "width": 1},
        },
    }
    return [
        *interval_traces(buckets, colour, limits, width=12, opacity=0.3),
        *([dots] if points else []),
        *ticks_trace(mean, INK, size=16),
    ]


def _positive(interval: Interval) -> Interval:
    """The bucket on a log axis: one that starts at zero starts at the axis' edge, without an arrow."""
    return Interval(interval.low if interval.low and interval.low > 0 else _SMALLEST_MS, interval.high)


def _hover(row: LatencyRow, value: Measurement, report: AbReport) -> str:
    bucket = (
        escaped(f"bucket: {format_interval(value.interval.low, value.interval.high, 'ms')}")
        if value.interval is not None
        else "no interval"
    )
    return measured(f"{_TITLES.get(value.name, value.name)}, {row.variant}", value, report, interval=bucket)


def _row(row: LatencyRow, report: AbReport) -> Row:
    colour = style_of(report.variant_names, row.variant).text_colour
    if not _percentiles(row):
        return Row(row.variant, colour=colour, reason=row.p95.reason or "no percentiles")
    return Row(
        row.variant, ((" / ".join(_words(value) for value in (row.p50, row.p95, row.p99)), colour),), colour
    )


def _words(value: Measurement) -> str:
    if value.value is None:
        return NOTHING
    is_open = value.interval is not None and value.interval.high is None
    words = format_number(value.value, "ms", show_unit=False)
    return f"{'>' if is_open and not words.startswith('<') else ''}{words}{state_words(value)}"
