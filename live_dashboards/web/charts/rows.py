"""Charts of rows: each row's name and number stand above its mark, so that a phone shows them whole and a
wide screen has no empty column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from live_dashboards.model.measurement import Origin
from live_dashboards.model.presentation import FAINT, INK
from live_dashboards.web.charts.base import layout, word
from live_dashboards.web.charts.text import shown, shown_name, width

_LABEL_SHIFT, _BAR_SHIFT = 9, 2
_LABEL_PIXELS = 27
_ROW_PIXELS = 40
_AROUND_PIXELS = 66
_FEWEST_ROWS = 3
_PHONE_COLUMNS = 48
_MOST_NUMBERS = 38


@dataclass(frozen=True, slots=True)
class Label:
    """What stands above a row's mark: its name on the left, its numbers on the right (each with a colour),
    and why it has no mark.
    """

    name: str
    numbers: tuple[tuple[str, str], ...] = ()
    colour: str = INK
    reason: str = ""


def rows_layout(
    rows: Sequence[Label],
    x: dict[str, Any],
    origin: Origin,
    *,
    lanes: int = 1,
    column: int = 0,
    bar_rows: float = 0.0,
    **more: Any,
) -> dict[str, Any]:
    """The layout of rows from the top down, row i at y = i; `lanes` is how many marks stand under each other
    in a row, `bar_rows` the bars' width.
    """
    pixels = _ROW_PIXELS + lane_pixels() * (lanes - 1)
    height = pixels * max(len(rows), _FEWEST_ROWS) + _AROUND_PIXELS + more.pop("around", 0)
    empty = max(0, _FEWEST_ROWS - len(rows)) / 2
    top, bottom = -_LABEL_PIXELS / pixels - empty, len(rows) - _LABEL_PIXELS / pixels + empty
    y = {"visible": False, "range": [round(bottom, 3), round(top, 3)], "fixedrange": True}
    words = [each for index, row in enumerate(rows) for each in _words(row, index, column, bar_rows / 2)]
    return layout(origin, x=x, y=y, height=height, annotations=[*words, *more.pop("annotations", [])], **more)


def lane_pixels() -> int:
    """How far the lanes of a row are apart."""
    return 10


def lane(index: int, lanes: int) -> float:
    """How far below its row's first mark a lane stands, in rows."""
    return round(index * lane_pixels() / (_ROW_PIXELS + lane_pixels() * (lanes - 1)), 4)


def _words(row: Label, index: int, column: int, half_bar_rows: float) -> list[dict[str, Any]]:
    """Name, numbers and reason of a row; several numbers stand in columns of so many pixels."""
    at: dict[str, Any] = {
        "y": round(index - half_bar_rows, 3),
        "xref": "paper",
        "yanchor": "bottom",
        "yshift": _BAR_SHIFT if half_bar_rows else _LABEL_SHIFT,
    }
    taken = (
        max((width(text) for text, _ in row.numbers), default=0)
        if len(row.numbers) < 2
        else len(row.numbers) * column // 6
    )
    name = shown_name(row.name, max(10, _PHONE_COLUMNS - taken))
    words = [word(name, x=0, colour=row.colour, xanchor="left", align="left", **at)]
    for place, (text, colour) in enumerate(reversed(row.numbers)):
        words.append(
            word(
                shown(text, _MOST_NUMBERS),
                x=1,
                colour=colour,
                xanchor="right",
                align="right",
                xshift=-place * column,
                **at,
            )
        )
    if row.reason:
        words.append(
            word(
                shown(row.reason, _PHONE_COLUMNS),
                x=0,
                y=index,
                colour=FAINT,
                xref="paper",
                xanchor="left",
                yanchor="middle",
                size=11,
            )
        )
    return words
