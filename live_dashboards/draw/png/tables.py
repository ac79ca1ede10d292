"""How tables and conditions look: cells under headings, and a line a condition with its state."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.lines import Line2D

from live_dashboards.draw.png.frame import Frame
from live_dashboards.draw.png.text import Look, fitted_name, width_inches, wrapped
from live_dashboards.draw.png.theme import ALARM, CALM, FAINT, INK, MUTED, PAPER, RULE, line_inches
from live_dashboards.model.chart import Cell, Column, Conditions, Table
from live_dashboards.model.judgement import Condition
from live_dashboards.model.presentation import variant_style

_GAP_INCHES = 0.08
_STATE_MARKS = {"passed": (CALM, "o", True), "failed": (ALARM, "X", True), "unknown": (MUTED, "o", False)}
"""Colour, marker and whether it is filled, of each state."""
_STATE_INCHES, _MOST_OF_LABELS = 0.84, 0.42
_LEADING = 1.08


def draw_table(body: Frame, table: Table) -> None:
    """Headings, a thin rule, and the rows; second lines only where all of them fit."""
    sizes = body.sizes
    columns = [column for column in table.columns if column.share]
    heading, places = line_inches(sizes.note, 1.35), _places(body, columns)
    for column, place in zip(columns, places, strict=True):
        colour = FAINT if column.variant is None else variant_style(column.variant).text_colour
        _write_cell(
            body, place, body.height - line_inches(sizes.note, 1.0), column.heading, Look(sizes.note, colour)
        )
    body.rule(body.height - heading, RULE, 0.6)
    height = min(
        (body.height - heading) / max(1, len(table.rows)),
        line_inches(sizes.body, 1.5) + line_inches(sizes.note, 1.4),
    )
    has_below = height >= line_inches(sizes.tick, 1.15) + line_inches(sizes.note, 1.15)
    for index, row in enumerate(table.rows):
        middle = body.height - heading - index * height - height / 2
        lift = line_inches(sizes.note, 1.15) / 2 if has_below and row.below else 0.0
        cells = [cell for column, cell in zip(table.columns, row.cells, strict=True) if column.share]
        _draw_cells(body, places, cells, middle + lift)
        if lift:
            body.write(0.0, middle - lift, row.below, Look(sizes.note, FAINT), stand="center_baseline")


def _places(body: Frame, columns: Sequence[Column]) -> list[tuple[float, float, str]]:
    """Left edge and width of each column, in inches from the body's, and how its cells are aligned: the first
    one's to the left.
    """
    places: list[tuple[float, float, str]] = []
    left, whole = 0.0, sum(column.share for column in columns)
    for column in columns:
        width = body.width * column.share
        places.append((left, width - _GAP_INCHES * body.sizes.scale, "right" if places else "left"))
        left += width / whole
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
    """A line a condition."""
    height = min(body.height / max(1, len(chart.conditions)), line_inches(body.sizes.body, 2.1))
    widths = [width_inches(condition.label, Look(body.sizes.tick)) for condition in chart.conditions]
    label = min(_MOST_OF_LABELS * body.width, max(widths, default=0.0))
    for index, condition in enumerate(chart.conditions):
        _draw_condition(body, condition, body.height - (index + 0.5) * height, height, label)


def _draw_condition(body: Frame, condition: Condition, y: float, height: float, label: float) -> None:
    sizes = body.sizes
    colour, marker, is_filled = _STATE_MARKS[condition.state]
    _mark(body, y + sizes.tick * 0.02 / 72, colour, marker, is_filled=is_filled)
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


def _mark(body: Frame, y: float, colour: str, marker: str, *, is_filled: bool) -> None:
    width, height = body.figure.get_size_inches()
    artist = Line2D(
        [(body.left + 0.06) / width],
        [(body.bottom + y) / height],
        linestyle="none",
        marker=marker,
        markersize=body.sizes.marker * 1.05,
        color=colour,
        markerfacecolor=colour if is_filled else PAPER,
        markeredgewidth=1.2,
        transform=body.figure.transFigure,
    )
    artist.set_gid(f"gate-{marker}")
    body.figure.add_artist(artist)
