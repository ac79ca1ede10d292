"""How tables and conditions look: cells under headings, and a line a condition with its state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from live_dashboards.draw.png.frame import Frame
from live_dashboards.draw.png.panel import say_nothing
from live_dashboards.draw.png.rows import left_out_words
from live_dashboards.draw.png.text import Look, fitted_name, width_inches, wrapped
from live_dashboards.draw.png.theme import ALARM, CALM, FAINT, INK, MUTED, RULE, line_inches
from live_dashboards.model.chart import Cell, Conditions, Table
from live_dashboards.model.judgement import Condition
from live_dashboards.model.presentation import variant_style

_Row = TypeVar("_Row")
_GAP_INCHES = 0.08
_STATE_MARKS = {"passed": (CALM, "o", True), "failed": (ALARM, "X", True), "unknown": (MUTED, "o", False)}
"""Colour, marker and whether it is filled, of each state."""
_STATE_INCHES, _MOST_OF_LABELS = 0.84, 0.42
_LEADING = 1.08


def draw_table(body: Frame, table: Table) -> None:
    """Headings, a thin rule, and as many rows as can be read; second lines only where all of them fit."""
    sizes, heading = body.sizes, line_inches(body.sizes.note, 1.35)
    has_places = any(column.share for column in table.columns)
    shown = [index for index, column in enumerate(table.columns) if column.share or not has_places]
    places = _places(body, [table.columns[index].share or 1.0 for index in shown])
    for index, place in zip(shown, places, strict=True):
        heading_text, _, variant = table.columns[index]
        look = Look(sizes.note, FAINT if variant is None else variant_style(variant).text_colour)
        _write_cell(body, place, body.height - line_inches(sizes.note, 1.0), heading_text, look)
    body.rule(body.height - heading, RULE, 0.6)
    rows, room = _fitting(body.inner(top=heading), table.rows)
    height = min(room.height / max(1, len(rows)), line_inches(sizes.body, 1.5) + line_inches(sizes.note, 1.4))
    has_below = height >= line_inches(sizes.tick, 1.15) + line_inches(sizes.note, 1.15)
    for number, row in enumerate(rows):
        middle = body.height - heading - number * height - height / 2
        lift = line_inches(sizes.note, 1.15) / 2 if has_below and row.below else 0.0
        _draw_cells(body, places, [row.cells[index] for index in shown], middle + lift)
        if lift:
            body.write(0.0, middle - lift, row.below, Look(sizes.note, FAINT), stand="center_baseline")


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


def _places(body: Frame, shares: Sequence[float]) -> list[tuple[float, float, str]]:
    """Left edge and width of each column, in inches from the body's, and how its cells are aligned: the first
    one's to the left.
    """
    places: list[tuple[float, float, str]] = []
    left = 0.0
    for share in shares:
        width = body.width * share / sum(shares)
        places.append((left, width - _GAP_INCHES * body.sizes.scale, "right" if places else "left"))
        left += width
    return places


def _draw_cells(
    body: Frame, places: Sequence[tuple[float, float, str]], cells: Sequence[Cell], y: float
) -> None:
    for index, (place, cell) in enumerate(zip(places, cells, strict=True)):
        points = body.sizes.tick if 0 < index < len(cells) - 1 else body.sizes.note
        _write_cell(body, place, y, cell.text, Look(points, cell.colour), stand="center_baseline")


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
