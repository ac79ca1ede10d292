"""Is the challenger less reliable: error rates with their intervals, and over time."""

from __future__ import annotations

from collections.abc import Sequence

from live_dashboards.figures.frame import BARS_FROM_ZERO, Frame
from live_dashboards.figures.marks import dot, draw_bars, draw_dots
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.rows import Rows, column_inches, open_rows
from live_dashboards.figures.stretches import Plan
from live_dashboards.figures.timeline import draw_below, draw_timeline
from live_dashboards.figures.words import value_words
from live_dashboards.model.limits import finite_ends, padded
from live_dashboards.model.measurement import Interval
from live_dashboards.model.number import format_percent
from live_dashboards.model.presentation import colour_of, drawn_interval, errors_words, style_of
from live_dashboards.model.report import AbReport, ErrorRow


def draw(frame: Frame, report: AbReport) -> None:
    """A row a variant from zero, above the timeline; no error seen shows how many there may still be."""
    panel = report.errors
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    lower = draw_below(
        body, panel.rows, "error rate, %", lambda place, rows, hidden: _draw_rows(place, rows, hidden, report)
    )
    draw_timeline(lower, panel.lines, report, Plan("percent"))


def _draw_rows(frame: Frame, rows: Sequence[ErrorRow], hidden: str, report: AbReport) -> None:
    ends = finite_ends([row.rate.value for row in rows], [drawn_interval(row.rate) for row in rows])
    limits = padded([0.0, *ends], floor=0.0, ceiling=100.0) if max(ends, default=0.0) > 0 else (0.0, 1.0)
    chart = open_rows(
        frame, len(rows), limits, numbers=column_inches(frame, map(_words, rows)), unit="percent"
    )
    chart.heading("whole window, %", hidden or "errors of requests")
    for y, row in enumerate(rows):
        _draw_row(chart, y, row, report)


def _draw_row(chart: Rows, y: int, row: ErrorRow, report: AbReport) -> None:
    style, sizes = style_of(report.variant_names, row.variant), chart.body.sizes
    colour, interval = colour_of(style, row.rate.origin), drawn_interval(row.rate)
    chart.name(y, row.variant, style.text_colour)
    if row.rate.value is None:
        chart.inside(y, row.rate.reason or "not measured")
        return
    if row.rate.value == 0 and interval is not None and interval.high is not None:
        draw_bars(
            chart.axes,
            [(Interval(0.0, interval.high), float(y))],
            colour,
            sizes.marker,
            alpha=0.35,
            gid=BARS_FROM_ZERO,
        )
        chart.axes.plot(
            [interval.high],
            [y],
            linestyle="none",
            marker="|",
            markersize=sizes.marker * 1.6,
            markeredgewidth=1.5,
            color=colour,
            zorder=4,
        )
    else:
        draw_dots(chart.axes, chart.plot, [dot(row.rate, y)], style, colour)
    chart.number(y, _words(row), style.text_colour)


def _words(row: ErrorRow) -> str:
    """The rate and the counts; where none was seen, how many percent there may be at most."""
    interval = drawn_interval(row.rate)
    is_bound = row.rate.value == 0 and interval is not None and interval.high is not None
    rate = f"≤ {format_percent(interval.high)}" if is_bound and interval else value_words(row.rate)
    return errors_words(row, rate)
