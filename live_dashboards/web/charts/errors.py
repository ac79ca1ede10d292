"""Is the challenger less reliable: error rates with their intervals, and over time."""

from __future__ import annotations

from typing import Any

from live_dashboards.model.limits import finite_ends, padded
from live_dashboards.model.measurement import Interval
from live_dashboards.model.number import format_percent
from live_dashboards.model.presentation import (
    colour_of,
    count_words,
    drawn_interval,
    errors_words,
    state_words,
    style_of,
)
from live_dashboards.model.report import AbReport, ErrorRow
from live_dashboards.web.charts.base import Figure
from live_dashboards.web.charts.hover import joined, measured
from live_dashboards.web.charts.line_words import Plan
from live_dashboards.web.charts.lines import lines_figure
from live_dashboards.web.charts.marks import Dot, dot_traces, interval_traces, ticks_trace
from live_dashboards.web.charts.rows import Row, number_axis, number_words, rows_layout


def figure(report: AbReport) -> Figure | None:
    """A row a variant from zero; no error seen shows how many there may still be."""
    panel = report.errors
    if not panel.head.is_drawn or not panel.rows:
        return None
    ends = finite_ends(
        [row.rate.value for row in panel.rows], [drawn_interval(row.rate) for row in panel.rows]
    )
    limits = padded([0.0, *ends], floor=0.0, ceiling=100.0) if max(ends, default=0.0) > 0 else (0.0, 1.0)
    traces = [trace for y, row in enumerate(panel.rows) for trace in _traces(row, float(y), limits, report)]
    x = number_axis("errors of requests over the window, percent", limits, "percent")
    return {
        "data": traces,
        "layout": rows_layout([_row(row, report) for row in panel.rows], x, panel.head.origin),
    }


def timeline_figure(report: AbReport) -> Figure | None:
    """A line a variant, from zero."""
    panel = report.errors
    return (
        lines_figure(panel.lines, report, panel.head.origin, Plan("error rate, percent", "percent"))
        if panel.head.is_drawn
        else None
    )


def _traces(row: ErrorRow, y: float, limits: tuple[float, float], report: AbReport) -> list[dict[str, Any]]:
    if row.rate.value is None:
        return []
    style = style_of(report.variant_names, row.variant)
    colour, interval = colour_of(style, row.rate.origin), drawn_interval(row.rate)
    assumed = " (assumed)" if row.is_assumed else ""
    counts = (
        f"{count_words(row.errors)}{assumed} errors of {count_words(row.requests)} "
        f"requests{state_words(row.requests)}"
    )
    hover = joined(measured(f"error rate of {row.variant}", row.rate, report), counts)
    bound = _bound(row)
    if bound is not None:
        bar = interval_traces([(Interval(0.0, bound), y)], colour, limits, width=8, opacity=0.4)
        return [*bar, *ticks_trace([(bound, y, hover)], colour, size=16)]
    return dot_traces([Dot(row.rate.value, y, interval, interval is not None, hover)], style, colour, limits)


def _bound(row: ErrorRow) -> float | None:
    """Where no error was seen: how many percent there may be at most."""
    interval = drawn_interval(row.rate)
    return interval.high if row.rate.value == 0 and interval is not None else None


def _row(row: ErrorRow, report: AbReport) -> Row:
    colour = style_of(report.variant_names, row.variant).text_colour
    if row.rate.value is None:
        return Row(row.variant, colour=colour, reason=row.rate.reason or "not measured")
    bound = _bound(row)
    rate = f"≤ {format_percent(bound)}" if bound is not None else number_words(row.rate)
    return Row(row.variant, ((errors_words(row, rate), colour),), colour)
