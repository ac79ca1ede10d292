"""Dots with their intervals, bars and ticks as traces: the same colour, symbol and dashes for a variant as in
the pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from live_dashboards.draw.web.base import CLEAR, seen
from live_dashboards.draw.web.words import TEMPLATE
from live_dashboards.model.measurement import Interval
from live_dashboards.model.presentation import INK, PAPER, VariantStyle

_SYMBOLS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
    "X": "x",
}
_ARROWS = {-1: "triangle-left", 1: "triangle-right"}
_LINE_PIXELS = 2.0
_THICK = 5.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A value in a row with its interval and its words; not filled: its certainty is unknown. A narrower
    interval within it is drawn thick.
    """

    value: float
    y: float
    interval: Interval | None
    is_filled: bool
    hover: str
    inner: Interval | None = None


def symbol(style: VariantStyle) -> str:
    """The marker, by the browser's name."""
    return _SYMBOLS[style.marker]


def dash(style: VariantStyle) -> str:
    """The dashes in pixels."""
    return ",".join(f"{each * _LINE_PIXELS:g}px" for each in style.dashes) or "solid"


def dot_traces(
    dots: Sequence[Dot],
    style: VariantStyle,
    colour: str,
    limits: tuple[float, float],
    *,
    size: int = 10,
    name: str = "",
) -> list[dict[str, Any]]:
    """One variant's dots over their intervals, arrows where they are beyond the axis; with a name they have a
    place in the legend.
    """
    if not dots:
        return []
    intervals = [(dot.interval, dot.y) for dot in dots if dot.interval is not None]
    inner = [(dot.inner, dot.y) for dot in dots if dot.inner is not None]
    left, right = limits
    beyond = [(dot.value > right) - (dot.value < left) for dot in dots]
    symbols = [_ARROWS.get(side, symbol(style)) for side in beyond]
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": [seen(min(max(dot.value, left), right)) for dot in dots],
        "y": [seen(dot.y) for dot in dots],
        "customdata": [dot.hover for dot in dots],
        "hovertemplate": TEMPLATE,
        "name": name,
        "showlegend": bool(name),
        "cliponaxis": False,
        "marker": {
            "symbol": symbols if any(beyond) else symbol(style),
            "size": size,
            "opacity": 1,
            "color": [colour if dot.is_filled else PAPER for dot in dots],
            "line": {
                "color": [PAPER if dot.is_filled else colour for dot in dots],
                "width": [1 if dot.is_filled else 2 for dot in dots],
            },
        },
    }
    return [
        *interval_traces(intervals, colour, limits),
        *interval_traces(inner, colour, limits, width=_THICK),
        marks,
    ]


def interval_traces(
    intervals: Sequence[tuple[Interval, float]],
    colour: str,
    limits: tuple[float, float],
    *,
    width: float = 2,
    opacity: float = 1,
) -> list[dict[str, Any]]:
    """Lines from low to high; an open end reaches the edge of the axis and ends in an arrow."""
    if not intervals:
        return []
    left, right = limits
    xs: list[float | None] = []
    ys: list[float | None] = []
    arrows: list[tuple[float, float, str]] = []
    for interval, y in intervals:
        low = left if interval.low is None else max(left, interval.low)
        high = right if interval.high is None else min(right, interval.high)
        xs += [seen(low), seen(high), None]
        ys += [seen(y), seen(y), None]
        arrows += [(left, y, "triangle-left")] if interval.low is None or interval.low < left else []
        arrows += [(right, y, "triangle-right")] if interval.high is None or interval.high > right else []
    return [_line(xs, ys, colour, width, opacity), *([_arrows(arrows, colour)] if arrows else [])]


def _line(
    xs: list[float | None], ys: list[float | None], colour: str, width: float, opacity: float
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": xs,
        "y": ys,
        "connectgaps": False,
        "hoverinfo": "skip",
        "showlegend": False,
        "opacity": opacity,
        "line": {"color": colour, "width": width},
    }


def _arrows(arrows: Sequence[tuple[float, float, str]], colour: str) -> dict[str, Any]:
    xs, ys, symbols = zip(*arrows, strict=True)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [seen(x) for x in xs],
        "y": [seen(y) for y in ys],
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
        "marker": {"symbol": list(symbols), "size": 9, "color": colour, "opacity": 1},
    }


def ticks_trace(
    points: Sequence[tuple[float, float, str]], colour: str, *, size: int = 16, width: float = 2
) -> list[dict[str, Any]]:
    """Upright ticks at (value, y) with their words."""
    if not points:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [seen(x) for x, _, _ in points],
            "y": [seen(y) for _, y, _ in points],
            "customdata": [hover for _, _, hover in points],
            "hovertemplate": TEMPLATE,
            "showlegend": False,
            "cliponaxis": False,
            "marker": {
                "symbol": "line-ns",
                "size": size,
                "color": colour,
                "opacity": 1,
                "line": {"color": colour, "width": width},
            },
        }
    ]


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
