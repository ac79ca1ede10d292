"""Is the challenger less reliable: error rates with their intervals, and over time."""

from __future__ import annotations

from collections.abc import Sequence

from live_dashboards.figures.frame import Frame, tick_height
from live_dashboards.figures.marks import colour_of, dot, draw_bars, draw_dots, drawn_interval, finite_ends, padded, style_of
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.rows import Rows, column_inches, open_rows
from live_dashboards.figures.stretches import Plan
from live_dashboards.figures.text import Look
from live_dashboards.figures.theme import MUTED, line_inches
from live_dashboards.figures.timeline import draw_timeline
from live_dashboards.figures.words import value_words
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.number import format_count, format_percent
from live_dashboards.model.report import AbReport, ErrorRow


def draw(frame: Frame, report: AbReport) -> None:
    """A row a variant from zero, above the timeline; no error seen shows how many there may still be."""
    panel = report.errors
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    lower = body
    if panel.rows:
        height = min(body.height * 0.56, len(panel.rows) * 0.27 * body.sizes.scale + tick_height(body.sizes) + line_inches(body.sizes.tick))
        _draw_rows(body.upper(height), panel.rows, report)
        lower = body.inner(top=height + 0.08)
    lower.write(0.0, lower.height - line_inches(body.sizes.note), "error rate, %", Look(body.sizes.note, MUTED))
    draw_timeline(lower.inner(top=line_inches(body.sizes.note)), panel.lines, report, Plan("percent"))


def _draw_rows(frame: Frame, rows: Sequence[ErrorRow], report: AbReport) -> None:
    sizes = frame.sizes
    ends = finite_ends([row.rate.value for row in rows], [drawn_interval(row.rate) for row in rows])
    limits = padded([0.0, *ends], floor=0.0, ceiling=100.0) if max(ends, default=0.0) > 0 else (0.0, 1.0)
    chart = open_rows(
        frame,
        len(rows),
        limits,
        names=1.0 * sizes.scale + 0.12,
        numbers=column_inches(frame, [_words(row) for row in rows], sizes.tick),
        unit="percent",
        top=line_inches(sizes.tick),
        most_ticks=4,
    )
    look = Look(sizes.note, MUTED)
    frame.write(frame.width, frame.height - line_inches(sizes.tick) + 0.04, "errors of requests", look, align="right")
    frame.write(chart.plot.left - frame.left, frame.height - line_inches(sizes.tick) + 0.04, "window, %", look, within=chart.plot.width)
    for y, row in enumerate(rows):
        _draw_row(chart, y, row, report)


def _draw_row(chart: Rows, y: int, row: ErrorRow, report: AbReport) -> None:
    style, sizes = style_of(report.variant_names, row.variant), chart.body.sizes
    colour, interval = colour_of(style, row.rate.origin), drawn_interval(row.rate)
    chart.name(y, row.variant, style.text_colour, points=None if chart.height() > line_inches(sizes.body) else sizes.note)
    if row.rate.value is None:
        chart.inside(y, row.rate.reason or "not measured")
        return
    if row.rate.value == 0 and interval is not None and interval.high is not None:
        draw_bars(chart.axes, [(Interval(0.0, interval.high), float(y))], colour, sizes.marker, alpha=0.35)
        chart.axes.plot([interval.high], [y], linestyle="none", marker="|", markersize=sizes.marker * 1.6, markeredgewidth=1.5, color=colour, zorder=4)
    else:
        draw_dots(chart.axes, chart.plot, [dot(row.rate, y)], style, colour)
    chart.number(y, _words(row), style.text_colour)


def _words(row: ErrorRow) -> str:
    interval = drawn_interval(row.rate)
    bound = f"≤ {format_percent(interval.high)}" if row.rate.value == 0 and interval and interval.high is not None else value_words(row.rate)
    return f"{bound}  {_count(row.errors)} of {_count(row.requests)}"


def _count(measurement: Measurement) -> str:
    return format_count(measurement.value)
