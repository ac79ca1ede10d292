"""Is the challenger slower: percentiles with the buckets that hold them, and p95 over time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from live_dashboards.figures.frame import Frame, base_line, tick_height, x_ticks
from live_dashboards.figures.marks import colour_of, draw_bars, finite_ends, style_of
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.rows import Rows, column_inches
from live_dashboards.figures.stretches import Plan
from live_dashboards.figures.text import Look
from live_dashboards.figures.theme import INK, MUTED, PAPER, VariantStyle, line_inches
from live_dashboards.figures.ticks import log_ticks, number_labels
from live_dashboards.figures.timeline import draw_timeline
from live_dashboards.figures.words import state_words
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.number import NOTHING, format_number
from live_dashboards.model.report import AbReport, LatencyRow

_SMALLEST_MS = 1e-9


def draw(frame: Frame, report: AbReport) -> None:
    """Dumbbells p50-p95-p99 on a log axis above the timeline of p95."""
    panel = report.latency
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    lower = body
    if panel.rows:
        height = min(body.height * 0.56, len(panel.rows) * 0.27 * body.sizes.scale + tick_height(body.sizes) + line_inches(body.sizes.tick))
        _draw_rows(body.upper(height), panel.rows, report)
        lower = body.inner(top=height + 0.08)
    words = f"objective {format_number(panel.objective_ms, 'ms')}"
    lower.write(0.0, lower.height - line_inches(body.sizes.note), "p95, ms", Look(body.sizes.note, MUTED))
    timeline = lower.inner(top=line_inches(body.sizes.note))
    draw_timeline(timeline, panel.lines, report, Plan("ms", is_zero_based=True, target=_target(panel.objective_ms, report), target_words=words))


def _target(objective_ms: float, report: AbReport) -> float | None:
    """The objective, unless it is so far above the lines that it would flatten them."""
    values = [value for line in report.latency.lines for _, value in line.timeline.points if value is not None and math.isfinite(value)]
    return objective_ms if values and objective_ms <= 4 * max(values) else None


def _draw_rows(frame: Frame, rows: Sequence[LatencyRow], report: AbReport) -> None:
    sizes = frame.sizes
    body = frame.inner(top=line_inches(sizes.tick))
    plot = body.inner(left=1.0 * sizes.scale + 0.12, right=column_inches(body, [_percentile_words(row) for row in rows], sizes.tick), bottom=tick_height(sizes))
    axes = _log_axes(plot, rows)
    chart = Rows(body, axes, plot, len(rows))
    head = Look(sizes.note, MUTED)
    frame.write(frame.width, frame.height - line_inches(sizes.tick) + 0.04, "p50 / p95 / p99", head, align="right")
    frame.write(plot.left - frame.left, frame.height - line_inches(sizes.tick) + 0.04, "window, ms (log)", head, within=plot.width)
    for y, row in enumerate(rows):
        style = style_of(report.variant_names, row.variant)
        _draw_row(axes, chart, y, row, style)


def _log_axes(plot: Frame, rows: Sequence[LatencyRow]) -> Axes:
    axes = plot.axes()
    everything = [value for row in rows for value in (row.p50, row.p95, row.p99, row.mean)]
    ends = [end for end in finite_ends([value.value for value in everything], [value.interval for value in everything]) if end > 0]
    low, high = (max(_SMALLEST_MS, min(ends)) / 1.15, max(ends) * 1.25) if ends else (1.0, 1000.0)
    axes.set_xscale("log")
    axes.minorticks_off()
    axes.set_xlim(low, high)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    positions = log_ticks(low, high, 6)
    x_ticks(axes, plot.sizes, positions, number_labels(positions))
    base_line(axes)
    return axes


def _draw_row(axes: Axes, chart: Rows, y: int, row: LatencyRow, style: VariantStyle) -> None:
    sizes = chart.body.sizes
    colour = colour_of(style, row.p95.origin)
    percentiles = [value for value in (row.p50, row.p95, row.p99) if value.value is not None]
    points = [max(_SMALLEST_MS, value.value) for value in percentiles if value.value is not None]
    buckets = [(_positive(value.interval), float(y)) for value in percentiles if value.interval]
    draw_bars(axes, buckets, colour, sizes.marker * 1.3, alpha=0.28)
    if points:
        axes.add_collection(LineCollection([[(points[0], y), (points[-1], y)]], colors=colour, linewidths=1.0, zorder=3.5), autolim=False)
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
        axes.plot([row.mean.value], [y], linestyle="none", marker="|", markersize=sizes.marker * 2, markeredgewidth=1.5, color=INK, zorder=5)
    points_size = None if chart.height() > line_inches(sizes.body) else sizes.note
    chart.name(y, row.variant, style.text_colour, points=points_size)
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
    return f"{'>' if open_end else ''}{format_number(value.value, 'ms', show_unit=False)}{state_words(value)}"
