"""Is traffic split as planned, and how much is it: each variant's share against its plan, and requests per
second over the window.
"""

from __future__ import annotations

from live_dashboards.model.chart import (
    Chart,
    DrawnValue,
    Lines,
    Mark,
    Row,
    Rows,
    Said,
    Scale,
    Words,
    drawn_value,
)
from live_dashboards.model.number import format_interval, format_percent
from live_dashboards.model.presentation import (
    FAINT,
    INK,
    MUTED,
    colour_of,
    count_words,
    drawn_interval,
    state_words,
    style_of,
)
from live_dashboards.model.report import AbReport, LinesPanel, ShareRow
from live_dashboards.panels.sayings import measured, spoken


def charts(report: AbReport) -> tuple[Chart, ...]:
    """A row a variant from 0 to 100 percent, observed share as a dot, planned share as a tick, above a line a
    variant of its requests per second, from zero.
    """
    rows = tuple(_row(row, report) for row in report.split.rows)
    has_plan = any(row.planned_percent is not None for row in report.split.rows)
    shares = Rows(
        rows,
        Scale("percent", fixed=(0.0, 100.0)),
        "share of requests, percent",
        "tick: plan" if has_plan else "",
        over_numbers="share · requests",
        empty="no variant has requests",
        table=tuple(value for row in report.split.rows for value in _table(row)),
    )
    return shares, _rate(report.rate)


def _rate(panel: LinesPanel) -> Lines:
    words = panel.head.title if panel.lines else panel.head.reason
    caption = " · ".join(filter(None, ("requests/s", words)))
    return Lines(
        "rate", panel.lines, "requests_per_second", "requests per second", caption, marks=panel.marks
    )


def _row(row: ShareRow, report: AbReport) -> Row:
    colour = style_of(report.variant_names, row.variant).text_colour
    plan = f"| plan {format_percent(row.planned_percent)}" if row.planned_percent is not None else ""
    requests, state = count_words(row.requests), state_words(row.requests)
    return Row(
        row.variant,
        (*_plan(row), *_dot(row, report)),
        (_share_words(row, colour),),
        colour,
        "" if row.share.value is not None else row.share.reason or "not measured",
        below=Words(plan, MUTED),
        number_below=Words(f"{requests} requests{state}", FAINT),
        suffix=f" · {requests}{state}",
    )


def _share_words(row: ShareRow, colour: str) -> Words:
    interval = drawn_interval(row.share)
    share, limits = f"{format_percent(row.share.value)}{state_words(row.share)}", ""
    if interval is not None:
        limits = f" ({format_interval(interval.low, interval.high, 'percent').removesuffix(' %')})"
    return Words(f"{share}{limits}", colour)


def _plan(row: ShareRow) -> tuple[Mark, ...]:
    if row.planned_percent is None:
        return ()
    said = spoken(
        Said(f"planned share of {row.variant}", "title"),
        Said(format_percent(row.planned_percent), "value"),
        "from the settings",
    )
    return (Mark("tick", INK, row.planned_percent, look="plan", said=said),)


def _dot(row: ShareRow, report: AbReport) -> tuple[Mark, ...]:
    if row.share.value is None:
        return ()
    style, interval = style_of(report.variant_names, row.variant), drawn_interval(row.share)
    plan = "" if row.planned_percent is None else f"plan: {format_percent(row.planned_percent)}"
    said = spoken(
        *measured(f"share of {row.variant}", row.share, report),
        plan,
        f"requests: {count_words(row.requests)}{state_words(row.requests)}",
    )
    colour = colour_of(style, row.share.origin)
    return (
        Mark(
            "dot",
            colour,
            row.share.value,
            interval,
            style=style,
            is_filled=interval is not None,
            size=1.15,
            said=said,
        ),
    )


def _table(row: ShareRow) -> tuple[DrawnValue, ...]:
    drawn = (
        drawn_value("split", "observed", row.variant, row.share),
        drawn_value("split", "requests", row.variant, row.requests),
    )
    if row.planned_percent is None:
        return drawn
    planned = DrawnValue(
        "split",
        "planned",
        row.variant,
        row.variant,
        row.planned_percent,
        None,
        None,
        "percent",
        "setting",
        None,
    )
    return (*drawn, planned)
