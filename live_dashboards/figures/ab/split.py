"""Is traffic split as planned: each variant's share against its plan."""

from __future__ import annotations

from collections.abc import Sequence

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.marks import dot, draw_dots
from live_dashboards.figures.panel import open_panel, say_nothing
from live_dashboards.figures.rows import Rows, column_inches, fitting, open_rows
from live_dashboards.figures.theme import FAINT, INK, MUTED
from live_dashboards.figures.words import value_words
from live_dashboards.model.number import format_interval, format_percent
from live_dashboards.model.presentation import colour_of, count_words, drawn_interval, state_words, style_of
from live_dashboards.model.report import AbReport, ShareRow


def draw(frame: Frame, report: AbReport) -> None:
    """A row a variant from 0 to 100 percent: observed share as a dot, planned share as a tick."""
    panel = report.split
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    shown, hidden = fitting(body, panel.rows)
    if not shown:
        say_nothing(body, "no variant has requests")
        return
    numbers = column_inches(body, [*map(_share_words, shown), *map(_request_words, shown)])
    rows = open_rows(body, len(shown), (0.0, 100.0), numbers=numbers, unit="percent")
    rows.heading(
        "" if rows.has_two_lines or all(row.planned_percent is None for row in shown) else "tick: plan",
        hidden,
    )
    _draw_plan(rows, shown)
    for y, row in enumerate(shown):
        style = style_of(report.variant_names, row.variant)
        draw_dots(
            rows.axes,
            rows.plot,
            [dot(row.share, y)],
            style,
            colour_of(style, row.share.origin),
            size=body.sizes.marker * 1.15,
        )
        _write_row(rows, y, row, style.text_colour)


def _draw_plan(rows: Rows, shown: Sequence[ShareRow]) -> None:
    planned = [(row.planned_percent, y) for y, row in enumerate(shown) if row.planned_percent is not None]
    if planned:
        size = min(rows.body.sizes.marker * 3, rows.height * 72 * 0.9)
        rows.axes.plot(
            *zip(*planned, strict=True),
            linestyle="none",
            marker="|",
            markersize=size,
            markeredgewidth=1.6,
            color=INK,
            clip_on=False,
            zorder=2,
        )


def _write_row(rows: Rows, y: int, row: ShareRow, colour: str) -> None:
    """Name and share; below them, where there is room, the plan and the count."""
    note, lift = rows.body.sizes.note, rows.lift() if rows.has_two_lines else 0.0
    rows.name(y - lift, row.variant, colour)
    rows.number(y - lift, _share_words(row), colour)
    if rows.has_two_lines:
        rows.name(
            y + lift,
            f"| plan {format_percent(row.planned_percent)}" if row.planned_percent is not None else "",
            MUTED,
            points=note,
        )
        rows.number(y + lift, _request_words(row), FAINT, points=note)
    if row.share.value is None:
        rows.inside(y, row.share.reason or "not measured")


def _share_words(row: ShareRow) -> str:
    interval = drawn_interval(row.share)
    limits = (
        f" ({format_interval(interval.low, interval.high, 'percent').removesuffix(' %')})" if interval else ""
    )
    return f"{value_words(row.share)}{limits}"


def _request_words(row: ShareRow) -> str:
    return f"{count_words(row.requests)} requests{state_words(row.requests)}"
