"""Is the challenger slower: percentiles with the buckets that hold them, and p95 over time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.collections import LineCollection

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.marks import draw_bars
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.rows import Rows, bare_rows, column_inches, label_ticks
from live_dashboards.figures.stretches import Plan
from live_dashboards.figures.theme import INK, PAPER, VariantStyle
from live_dashboards.figures.timeline import draw_below, draw_timeline
from live_dashboards.model.limits import finite_ends
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.number import NOTHING, format_number
from live_dashboards.model.presentation import colour_of, state_words, style_of
from live_dashboards.model.report import AbReport, LatencyRow
from live_dashboards.model.ticks import log_labels, log_ticks

_HEADING = "p50 / p95 / p99"
_SMALLEST_MS = 1e-9


def draw(frame: Frame, report: AbReport) -> None:
    """Dumbbells p50-p95-p99 on a log axis above the timeline of p95."""
    panel = report.latency
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    lower = draw_below(
        body, panel.rows, "p95, ms", lambda place, rows, hidden: _draw_rows(place, rows, hidden, report)
    )
    words = f"objective {format_number(panel.objective_ms, 'ms')}"
    draw_timeline(
        lower, panel.lines, report, Plan("ms", target=_target(panel.objective_ms, report), target_words=words)
    )


def _target(objective_ms: float, report: AbReport) -> float | None:
    """The objective, unless it is so far above the lines that it would flatten them."""
    values = [
        value
        for line in report.latency.lines
        for _, value in line.timeline.points
        if value is not None and math.isfinite(value)
    ]
    return objective_ms if values and objective_ms <= 4 * max(values) else None


def _draw_rows(frame: Frame, rows: Sequence[LatencyRow], hidden: str, report: AbReport) -> None:
    limits = _limits(rows)
    chart = bare_rows(
        frame, len(rows), (1.0, 2.0), numbers=column_inches(frame, [_HEADING, *map(_percentile_words, rows)])
    )
    chart.axes.set_xscale("log")
    chart.axes.minorticks_off()
    chart.axes.set_xlim(*limits)
    label_ticks(
        chart,
        [(ticks, log_labels(ticks)) for ticks in (log_ticks(*limits, most) for most in (7, 5, 4, 3, 2))],
    )
    chart.heading("whole window, ms, log scale", hidden or _HEADING)
    for y, row in enumerate(rows):
        _draw_row(chart, y, row, style_of(report.variant_names, row.variant))


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


def _draw_row(chart: Rows, y: int, row: LatencyRow, style: VariantStyle) -> None:
    axes, sizes = chart.axes, chart.body.sizes
    colour = colour_of(style, row.p95.origin)
    percentiles = [value for value in (row.p50, row.p95, row.p99) if value.value is not None]
    points = [max(_SMALLEST_MS, value.value) for value in percentiles if value.value is not None]
    buckets = [(_positive(value.interval), float(y)) for value in percentiles if value.interval]
    draw_bars(axes, buckets, colour, sizes.marker * 1.3, alpha=0.28)
    if points:
        axes.add_collection(
            LineCollection([[(points[0], y), (points[-1], y)]], colors=colour, linewidths=1.0, zorder=3.5),
            autolim=False,
        )
        axes.plot(
            points,
            [y] * len(points),
            linestyle="none",
            marker=style.marker,
            markersize=sizes.marker * 0.95,
            color=colour,
            markeredgecolor=PAPER,
            markeredgewidth=0.6,
            clip_on=False,
            zorder=4,
        )
    else:
        chart.inside(y, row.p95.reason or "no percentiles")
    if row.mean.value is not None and row.mean.value > 0:
        axes.plot(
            [row.mean.value],
            [y],
            linestyle="none",
            marker="|",
            markersize=sizes.marker * 2,
            markeredgewidth=1.5,
            color=INK,
            zorder=5,
        )
    chart.name(y, row.variant, style.text_colour)
    chart.number(y, _percentile_words(row), style.text_colour)


def _positive(interval: Interval) -> Interval:
    """The bucket on a log axis: one that starts at zero starts at the axis' edge."""
    return Interval(interval.low if interval.low and interval.low > 0 else _SMALLEST_MS, interval.high)


def _percentile_words(row: LatencyRow) -> str:
    return " / ".join(_words(value) for value in (row.p50, row.p95, row.p99))


def _words(value: Measurement) -> str:
    if value.value is None:
        return NOTHING
    open_end = value.interval is not None and value.interval.high is None
    words = format_number(value.value, "ms", show_unit=False)
    return f"{'>' if open_end and not words.startswith('<') else ''}{words}{state_words(value)}"
