"""Is traffic split as planned: each variant's share against its plan."""

from __future__ import annotations

from live_dashboards.model.number import format_interval, format_percent
from live_dashboards.model.presentation import (
    INK,
    colour_of,
    count_words,
    drawn_interval,
    state_words,
    style_of,
)
from live_dashboards.model.report import AbReport, ShareRow
from live_dashboards.web.charts.base import Figure
from live_dashboards.web.charts.hover import bold, joined
from live_dashboards.web.charts.marks import Dot, dot_traces, ticks_trace
from live_dashboards.web.charts.rows import Row, measured_dot, number_axis, number_words, rows_layout

_LIMITS = (0.0, 100.0)


def figure(report: AbReport) -> Figure | None:
    """A row a variant from 0 to 100 percent: observed share as a dot, planned share as a tick."""
    panel = report.split
    if not panel.head.is_drawn or not panel.rows:
        return None
    planned = [
        (row.planned_percent, float(y), _plan_words(row))
        for y, row in enumerate(panel.rows)
        if row.planned_percent is not None
    ]
    traces = ticks_trace(planned, INK, size=16)
    for y, row in enumerate(panel.rows):
        style = style_of(report.variant_names, row.variant)
        dot = _dot(row, y, report)
        traces += dot_traces([dot], style, colour_of(style, row.share.origin), _LIMITS) if dot else []
    title = "share of requests, percent" + ("; tick: plan" if planned else "")
    return {
        "data": traces,
        "layout": rows_layout(
            [_row(row, report) for row in panel.rows],
            number_axis(title, _LIMITS, "percent", 6),
            panel.head.origin,
        ),
    }


def _dot(row: ShareRow, y: float, report: AbReport) -> Dot | None:
    dot = measured_dot(f"share of {row.variant}", row.share, y, report)
    if dot is None:
        return None
    plan = "" if row.planned_percent is None else f"plan: {format_percent(row.planned_percent)}"
    requests = f"requests: {count_words(row.requests)}{state_words(row.requests)}"
    return Dot(dot.value, y, dot.interval, dot.is_filled, joined(dot.hover, plan, requests))


def _plan_words(row: ShareRow) -> str:
    return joined(
        bold(f"planned share of {row.variant}"),
        f"<b>{format_percent(row.planned_percent)}</b>",
        "from the settings",
    )


def _row(row: ShareRow, report: AbReport) -> Row:
    colour = style_of(report.variant_names, row.variant).text_colour
    if row.share.value is None:
        return Row(row.variant, colour=colour, reason=row.share.reason or "not measured")
    interval = drawn_interval(row.share)
    limits = (
        f" ({format_interval(interval.low, interval.high, 'percent').removesuffix(' %')})" if interval else ""
    )
    return Row(row.variant, ((f"{number_words(row.share)}{limits}", colour),), colour)
