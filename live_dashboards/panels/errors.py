"""Is the challenger less reliable: error rates with their intervals, and over time."""

from __future__ import annotations

from live_dashboards.model.chart import Chart, Lines, Mark, Row, Rows, Sayings, Scale, Words, drawn_value
from live_dashboards.model.measurement import Interval
from live_dashboards.model.number import format_number, format_percent
from live_dashboards.model.presentation import (
    colour_of,
    count_words,
    drawn_interval,
    errors_words,
    state_words,
    style_of,
)
from live_dashboards.model.report import AbReport, ErrorRow
from live_dashboards.panels.sayings import measured, spoken


def charts(report: AbReport) -> tuple[Chart, ...]:
    """A row a variant from zero, above the timeline; no error seen shows how many there may still be."""
    panel = report.errors
    rows = Rows(
        tuple(_row(row, report) for row in panel.rows),
        Scale("percent", around=(0.0,), floor=0.0, ceiling=100.0),
        "errors of requests over the window, percent",
        heading="whole window, %",
        over_numbers="errors of requests",
        table=tuple(drawn_value("errors", "error_rate", row.variant, row.rate) for row in panel.rows),
    )
    axis, caption = "error rate, percent", "error rate, %"
    return rows, Lines("errors", panel.lines, "percent", axis, caption, marks=panel.marks)


def _row(row: ErrorRow, report: AbReport) -> Row:
    style = style_of(report.variant_names, row.variant)
    if row.rate.value is None:
        reason = row.rate.reason or "not measured"
        return Row(row.variant, colour=style.text_colour, reason=reason)
    numbers = (Words(_words(row), style.text_colour),)
    return Row(row.variant, _marks(row, report), numbers, style.text_colour)


def _marks(row: ErrorRow, report: AbReport) -> tuple[Mark, ...]:
    style, interval = style_of(report.variant_names, row.variant), drawn_interval(row.rate)
    colour, said, bound = colour_of(style, row.rate.origin), _said(row, report), _bound(row)
    if bound is not None:
        bar = Mark("span", colour, interval=Interval(0.0, bound), look="bound")
        return bar, Mark("tick", colour, bound, look="bound", said=said)
    return (
        Mark("dot", colour, row.rate.value, interval, style=style, is_filled=interval is not None, said=said),
    )


def _bound(row: ErrorRow) -> float | None:
    """Where no error was seen: how many percent there may be at most."""
    interval = drawn_interval(row.rate)
    return interval.high if row.rate.value == 0 and interval is not None else None


def _words(row: ErrorRow) -> str:
    """The rate and the counts; where no error was seen, how many percent there may be at most."""
    bound = _bound(row)
    rate = format_number(row.rate.value, row.rate.unit) + state_words(row.rate)
    return errors_words(row, rate if bound is None else f"≤ {format_percent(bound)}")


def _said(row: ErrorRow, report: AbReport) -> Sayings:
    assumed = " (assumed)" if row.is_assumed else ""
    of = f"of {count_words(row.requests)} requests{state_words(row.requests)}"
    counts = f"{count_words(row.errors)}{assumed} errors {of}"
    return spoken(*measured(f"error rate of {row.variant}", row.rate, report), counts)
