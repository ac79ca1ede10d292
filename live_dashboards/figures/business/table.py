"""A table of words: columns with headings, rows of equal height, each cell fitted into its column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.text import Look, fitted_name
from live_dashboards.figures.theme import FAINT, INK, RULE, line_inches

_GAP_INCHES = 0.08


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, the share of the width it takes, how its cells are aligned and its heading's colour."""

    heading: str
    share: float
    align: str = "right"
    colour: str = FAINT


@dataclass(frozen=True, slots=True)
class Row:
    """A row's cells, and a smaller second line below them (empty: none)."""

    cells: tuple[str, ...]
    below: str = ""
    colours: tuple[str, ...] = ()


def draw_table(body: Frame, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    """Headings, a thin rule, and the rows; second lines only where all of them fit."""
    sizes = body.sizes
    heading = line_inches(sizes.note, 1.35)
    lefts = _lefts(body, columns)
    for column, left in zip(columns, lefts, strict=True):
        _cell(
            body,
            column,
            (left, body.height - line_inches(sizes.note, 1.0)),
            column.heading,
            Look(sizes.note, column.colour),
        )
    body.rule(body.height - heading, RULE, 0.6)
    height = min(
        (body.height - heading) / max(1, len(rows)),
        line_inches(sizes.body, 1.5) + line_inches(sizes.note, 1.4),
    )
    has_below = height >= line_inches(sizes.tick, 1.15) + line_inches(sizes.note, 1.15)
    for index, row in enumerate(rows):
        top = body.height - heading - index * height
        lift = line_inches(sizes.note, 1.15) / 2 if has_below and row.below else 0.0
        _draw_row(body, columns, lefts, row, top - height / 2 + lift)
        if lift:
            body.write(
                0.0, top - height / 2 - lift, row.below, Look(sizes.note, FAINT), stand="center_baseline"
            )


def _lefts(body: Frame, columns: Sequence[Column]) -> list[float]:
    """The left edge of each column in inches of the page."""
    lefts, left, whole = [], body.left, sum(column.share for column in columns)
    for column in columns:
        lefts.append(left)
        left += body.width * column.share / whole
    return lefts


def _draw_row(body: Frame, columns: Sequence[Column], lefts: Sequence[float], row: Row, y: float) -> None:
    for index, (column, left, text) in enumerate(zip(columns, lefts, row.cells, strict=True)):
        colour = row.colours[index] if row.colours else INK
        _cell(
            body,
            column,
            (left, y),
            text,
            Look(body.sizes.tick if 0 < index < len(columns) - 1 else body.sizes.note, colour),
            stand="center_baseline",
        )


def _cell(
    body: Frame, column: Column, at: tuple[float, float], text: str, look: Look, *, stand: str = "baseline"
) -> None:
    left, y = at
    width = body.width * column.share - _GAP_INCHES * body.sizes.scale
    x = left - body.left + (width if column.align == "right" else 0.0)
    body.write(x, y, fitted_name(text, look, width), look, within=width, align=column.align, stand=stand)
