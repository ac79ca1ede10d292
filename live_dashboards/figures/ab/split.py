"""Is traffic split as planned: each variant's share against its plan."""

from __future__ import annotations

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.marks import colour_of, dot, draw_dots, drawn_interval, style_of
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.rows import Rows, column_inches, open_rows
from live_dashboards.figures.theme import FAINT, INK, MUTED, line_inches
from live_dashboards.figures.words import state_words, value_words
from live_dashboards.model.number import format_count, format_interval, format_percent
from live_dashboards.model.report import AbReport, ShareRow


def draw(frame: Frame, report: AbReport) -> None:
    """A row a variant from 0 to 100 percent: observed share as a dot, planned share as a tick."""
    panel = report.split
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None or not panel.rows:
        return
    sizes = body.sizes
    rows = open_rows(
        body,
        len(panel.rows),
        (0.0, 100.0),
        names=1.0 * sizes.scale + 0.12,
        numbers=column_inches(body, [*map(_share_words, panel.rows), *map(_request_words, panel.rows)], sizes.tick),
        unit="percent",
    )
    planned = [(y, row.planned_percent) for y, row in enumerate(panel.rows) if row.planned_percent is not None]
    if planned:
        rows.axes.plot(
            [share for _, share in planned],
            [y for y, _ in planned],
            linestyle="none",
            marker="|",
            markersize=sizes.marker * 3,
            markeredgewidth=1.6,
            color=INK,
            clip_on=False,
            zorder=2,
        )
    for y, row in enumerate(panel.rows):
        style = style_of(report.variant_names, row.variant)
        draw_dots(rows.axes, rows.plot, [dot(row.share, y)], style, colour_of(style, row.share.origin), size=sizes.marker * 1.15)
        _write_row(rows, y, row, style.text_colour)


def _write_row(rows: Rows, y: int, row: ShareRow, colour: str) -> None:
    """Name and share; below them, where there is room, the plan and the count."""
    sizes = rows.body.sizes
    has_two_lines = rows.height() >= line_inches(sizes.body) + line_inches(sizes.note)
    lift = line_inches(sizes.tick, 1.2) / 2 / rows.height() if has_two_lines else 0.0
    points = None if rows.height() > line_inches(sizes.body) else sizes.note
    rows.name(y - lift, row.variant, colour, points=points)
    if has_two_lines:
        if row.planned_percent is not None:
            rows.name(y + lift, f"| plan {format_percent(row.planned_percent)}", MUTED, points=sizes.note)
        rows.number(y - lift, _share_words(row), colour)
        rows.number(y + lift, _request_words(row), FAINT, points=sizes.note)
    else:
        rows.number(y, value_words(row.share), colour)
    if row.share.value is None:
        rows.inside(y, row.share.reason or "not measured")


def _share_words(row: ShareRow) -> str:
    interval = drawn_interval(row.share)
    limits = f" ({format_interval(interval.low, interval.high, 'percent').removesuffix(' %')})" if interval else ""
    return f"{value_words(row.share)}{limits}"


def _request_words(row: ShareRow) -> str:
    return f"{format_count(row.requests.value)} requests{state_words(row.requests)}"
