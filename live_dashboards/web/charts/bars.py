"""Bars between two amounts as one trace: filled, hatched (simulated) or empty (missing)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from live_dashboards.model.presentation import INK, PAPER
from live_dashboards.web.charts.base import CLEAR, seen
from live_dashboards.web.charts.hover import TEMPLATE


@dataclass(frozen=True, slots=True)
class Bar:
    """From `start` to `end` in a row; `look` is filled, hatched or empty."""

    start: float
    end: float
    y: float
    colour: str
    hover: str
    look: str = "filled"


def bars_trace(bars: Sequence[Bar], *, width_rows: float = 0.3) -> list[dict[str, Any]]:
    """All bars of a chart, side by side with their rows."""
    if not bars:
        return []
    pattern = {
        "shape": ["/" if bar.look == "hatched" else "" for bar in bars],
        "fillmode": "replace",
        "fgcolor": [bar.colour for bar in bars],
        "bgcolor": [PAPER if bar.look == "hatched" else bar.colour for bar in bars],
        "size": 7,
        "solidity": 0.35,
    }
    return [
        {
            "type": "bar",
            "orientation": "h",
            "base": [seen(bar.start) for bar in bars],
            "x": [seen(bar.end - bar.start) for bar in bars],
            "y": [seen(bar.y) for bar in bars],
            "width": width_rows,
            "customdata": [bar.hover for bar in bars],
            "hovertemplate": TEMPLATE,
            "showlegend": False,
            "textposition": "none",
            "marker": {
                "color": [CLEAR if bar.look == "empty" else bar.colour for bar in bars],
                "opacity": 1,
                "line": {"color": [bar.colour for bar in bars], "width": 1},
                **({"pattern": pattern} if any(bar.look == "hatched" for bar in bars) else {}),
            },
        }
    ]


def bar_ticks(value: float, rows: Sequence[int], width_rows: float) -> dict[str, Any]:
    """A tick at one value in these rows, from the bar's upper edge down, so that no line crosses the words
    above.
    """
    line = {
        "type": "scatter",
        "mode": "lines",
        "connectgaps": False,
        "hoverinfo": "skip",
        "showlegend": False,
        "line": {"color": INK, "width": 2},
    }
    ys = [
        end
        for row in rows
        for end in (round(row - width_rows / 2, 3), round(row + width_rows / 2 + 0.1, 3), None)
    ]
    return {**line, "x": [seen(value), seen(value), None] * len(rows), "y": ys}
