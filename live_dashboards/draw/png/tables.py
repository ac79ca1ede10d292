"""How tables and conditions look: cells under headings, and a line a condition with its state."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

from live_dashboards.draw.png.frame import Frame
from live_dashboards.draw.png.panel import say_nothing
from live_dashboards.draw.png.rows import left_out_words
from live_dashboards.draw.png.text import Look, fitted_name, width_inches, wrapped
from live_dashboards.draw.png.theme import ALARM, CALM, FAINT, INK, MUTED, RULE, Sizes, line_inches
from live_dashboards.model.chart import Cell, Column, Conditions, Table
from live_dashboards.model.judgement import Condition
from live_dashboards.model.presentation import variant_style

_Row = TypeVar("_Row")
_GAP_INCHES = 0.08
_STATE_MARKS = {"passed": (CALM, "o", True), "failed": (ALARM, "X", True), "unknown": (MUTED, "o", False)}
"""Colour, marker and whether it is filled, of each state."""
_STATE_INCHES, _MOST_OF_LABELS, _LEAST_OF_NAMES = 0.84, 0.42, 0.2
_LEADING = 1.08


def draw_table(body: Frame, table: Table) -> None:
    """Headings, a thin rule, and as many rows as can be read; second lines only where all of them fit."""
    sizes, heading_height = body.sizes, line_inches(body.sizes.note, 1.35)
    has_shares = any(column.share for column in table.columns)
    shown = [index for index, column in enumerate(table.columns) if column.share or not has_shares]
    rows, room = _fitting(body.inner(top=heading_height), table.rows)
    cells = [[row.cells[index] for index in shown] for row in rows]
    columns, y = [table.columns[index] for index in shown], body.height - line_inches(sizes.note, 1.0)
    places = _places(body, columns, cells)
    for column, place in zip(columns, places, strict=True):
        colour = FAINT if column.variant is None else variant_style(column.variant).text_colour
        _write_cell(body, place, y, column.heading, Look(sizes.note, colour))
    body.rule(body.height - heading_height, RULE, 0.6)
    height = min(room.height / max(1, len(rows)), line_inches(sizes.body, 1.5) + line_inches(sizes.note, 1.4))
    has_below = height >= line_inches(sizes.tick, 1.15) + line_inches(sizes.note, 1.15)
    for number, (row, of_row) in enumerate(zip(rows, cells, strict=True)):
        middle = body.height - heading_height - number * height - height / 2
        lift = line_inches(sizes.note, 1.15) / 2 if has_below and row.below else 0.0
        for index, (place, cell) in enumerate(zip(places, of_row, strict=True)):
            look = _look(sizes, index, len(of_row), cell)
            _write_cell(body, place, middle + lift, cell.text, look, stand="center_baseline")
        if lift:
            body.write(0.0, middle - lift, row.below, Look(sizes.note, FAINT), stand="center_baseline")


def _look(sizes: Sizes, index: int, count: int, cell: Cell) -> Look:
    return Look(sizes.tick if 0 < index < count - 1 else sizes.note, cell.colour)


def _fitting(body: Frame, rows: Sequence[_Row]) -> tuple[Sequence[_Row], Frame]:
    """As many as can be read, and their place above the words on how many are left out."""
    leading, look = line_inches(body.sizes.note, _LEADING), Look(body.sizes.note, MUTED)
    if not rows:
        say_nothing(body, "nothing to show")
    if len(rows) * leading <= body.height:
        return rows, body
    most = max(1, int(body.height / leading) - 1)
    body.write(0.0, 0.03, left_out_words(len(rows) - most), look)
    return rows[:most], body.inner(bottom=leading)


def _places(
    body: Frame, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]
) -> list[tuple[float, float, str]]:
    """Left edge and width of each column, in inches from the body's, and how its cells are aligned: the first
    one's to the left.

    Where a cell beside the first has no room in its column's share, as a number that is cut is another one,
    these columns are as wide as they need to be and the first one, whose names may be cut, has the rest.
    """
    gap, shares = _GAP_INCHES * body.sizes.scale, [column.share or 1.0 for column in columns]
    widths = [body.width * share / sum(shares) for share in shares]
    needed = [_cell_inches(body.sizes, index, rows) + gap for index in range(1, len(columns))]
    if any(need > width for need, width in zip(needed, widths[1:], strict=True)):
        look = Look(body.sizes.note)
        headings = [width_inches(column.heading, look) + gap for column in columns[1:]]
        # a heading may be a variant's name, of any length
        wanted = [max(need, min(both)) for need, *both in zip(needed, headings, widths[1:], strict=True)]
        rest = body.width - sum(wanted)
        widths = [rest, *wanted] if rest >= _LEAST_OF_NAMES * body.width else widths
    lefts = [0.0, *accumulate(widths)]
    return [
        (left, width - gap, "right" if index else "left")
        for index, (left, width) in enumerate(zip(lefts, widths, strict=False))
    ]


def _cell_inches(sizes: Sizes, index: int, rows: Sequence[Sequence[Cell]]) -> float:
    """Of a column's widest cell."""
    looks = [(row[index].text, _look(sizes, index, len(row), row[index])) for row in rows]
    return max((width_inches(text, look) for text, look in looks), default=0.0)


def _write_cell(
    body: Frame,
    place: tuple[float, float, str],
    y: float,
    text: str,
    look: Look,
    *,
    stand: str = "baseline",
) -> None:
    left, width, align = place
    x = left + (width if align == "right" else 0.0)
    body.write(x, y, fitted_name(text, look, width), look, within=width, align=align, stand=stand)


def draw_conditions(body: Frame, chart: Conditions) -> None:
    """A line a condition, as many as can be read."""
    shown, room = _fitting(body, chart.conditions)
    height = min(room.height / max(1, len(shown)), line_inches(body.sizes.body, 2.1))
    widths = [width_inches(condition.label, Look(body.sizes.tick)) for condition in shown]
    label = min(_MOST_OF_LABELS * body.width, max(widths, default=0.0))
    for index, condition in enumerate(shown):
        _draw_condition(body, condition, body.height - (index + 0.5) * height, height, label)


def _draw_condition(body: Frame, condition: Condition, y: float, height: float, label: float) -> None:
    sizes = body.sizes
    colour, marker, is_filled = _STATE_MARKS[condition.state]
    place, size = (0.06, y + sizes.tick * 0.02 / 72), sizes.marker * 1.05
    body.mark(place, marker, colour, size=size, edge=1.2, is_filled=is_filled, gid=f"gate-{marker}")
    left = sizes.room(_STATE_INCHES)
    body.write(
        0.16,
        y,
        condition.state,
        Look(sizes.tick, colour, is_bold=True),
        within=left - 0.16,
        stand="center_baseline",
    )
    body.write(left, y, condition.label, Look(sizes.tick, INK), within=label, stand="center_baseline")
    x, look = left + label + 0.1, Look(sizes.note, MUTED)
    lines = wrapped(
        condition.words, look, body.width - x, 2 if height >= 2 * line_inches(sizes.note, _LEADING) else 1
    )
    for number, line in enumerate(lines):
        shift = ((len(lines) - 1) / 2 - number) * line_inches(sizes.note, _LEADING)
        body.write(x, y + shift, line, look, within=body.width - x, stand="center_baseline")
