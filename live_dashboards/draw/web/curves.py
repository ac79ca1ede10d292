"""How a curve of money looks: the line over its band or shade, its points, and words above it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from live_dashboards.draw.web.base import ZERO_LINE, Figure, axis, band, layout, seen, upright, word
from live_dashboards.draw.web.marks import Dot, dot_traces
from live_dashboards.draw.web.words import TEMPLATE, escaped, said, shown, wrapped
from live_dashboards.model.axis import number_labels, round_ticks
from live_dashboards.model.chart import Curve, Spot
from live_dashboards.model.measurement import Origin
from live_dashboards.model.number import USD
from live_dashboards.model.presentation import AXIS, BAND, INK, RESULT, VariantStyle

_STEPS_BETWEEN = 24
_LINE_PIXELS = 16
_USUAL_DOT_PIXELS = 8.5


def curve_figure(chart: Curve, origin: Origin) -> Figure:
    """The line with all that belongs to it."""
    values, labels = [x for x, _ in chart.x_ticks], [shown(label) for _, label in chart.x_ticks]
    ticks = round_ticks(*chart.y_limits, 5)
    made = layout(
        origin,
        x=axis(_title(chart.x_axis), chart.x_limits, ticks=values, labels=labels, showgrid=False),
        y=axis(
            _title(chart.y_axis), chart.y_limits, ticks=ticks, labels=number_labels(ticks, USD), **ZERO_LINE
        ),
        shapes=[
            *([band(*chart.shade, BAND)] if chart.shade is not None else []),
            *(upright(seen(x), dash="4px,3px") for x in chart.guides),
        ],
        annotations=[*_above(chart), *(_beside(spot, chart) for spot in chart.spots if spot.beside)],
        margin={"l": 12, "r": 20, "t": 10 + _LINE_PIXELS * _lines(_texts_above(chart)), "b": 8, "pad": 0},
    )
    spots = [trace for spot in chart.spots for trace in _spot(spot, chart)]
    return {"data": [*_band(chart), _line(chart), *spots], "layout": made}


def _title(words: str) -> str:
    return "<br>".join(map(escaped, words.split("\n")))


def _line(chart: Curve) -> dict[str, Any]:
    """Where few points are given, many between them, so that each place can be pointed at."""
    points = chart.points if len(chart.points) > 2 else _between(chart.points)
    return _scatter(
        "lines",
        points,
        customdata=[said(chart.said(x, y)) for x, y in points],
        hovertemplate=TEMPLATE,
        line={"color": RESULT, "width": 2},
    )


def _between(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points on the straight lines between these."""
    shares = [step / _STEPS_BETWEEN for step in range(_STEPS_BETWEEN + 1)]
    return [
        (x + (to_x - x) * share, y + (to_y - y) * share)
        for (x, y), (to_x, to_y) in pairwise(points)
        for share in shares
    ]


def _scatter(mode: str, points: Sequence[tuple[float, float]], **more: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": mode,
        "x": [seen(x) for x, _ in points],
        "y": [seen(y) for _, y in points],
        "showlegend": False,
        **more,
    }


def _band(chart: Curve) -> list[dict[str, Any]]:
    """The interval as a closed shape behind the line, and zero above it, which it would hide."""
    if not chart.band:
        return []
    edge = [*((x, low) for x, low, _ in chart.band), *((x, high) for x, _, high in chart.band[::-1])]
    plain = {"hoverinfo": "skip"}
    return [
        _scatter("lines", edge, fill="toself", fillcolor=BAND, line={"color": BAND, "width": 0}, **plain),
        _scatter("lines", [(x, 0.0) for x in chart.x_limits], line={"color": AXIS, "width": 1}, **plain),
    ]


def _spot(spot: Spot, chart: Curve) -> list[dict[str, Any]]:
    style = VariantStyle(spot.colour, INK, "o", ())
    dot = Dot(spot.x, spot.y_usd, None, spot.is_filled, said(spot.said))
    return dot_traces([dot], style, spot.colour, chart.x_limits, size=round(_USUAL_DOT_PIXELS * spot.size))


def _share(x: float, chart: Curve) -> float:
    low, high = chart.x_limits
    return (x - low) / (high - low)


def _above(chart: Curve) -> list[dict[str, Any]]:
    """Words above the drawing, each on lines of its own over its place, the first one on top."""
    texts = _texts_above(chart)
    return [
        word(
            text,
            x=seen(x),
            y=1,
            colour=words.colour,
            yref="paper",
            align="left",
            xanchor="left" if _share(x, chart) < 0.3 else "right" if _share(x, chart) > 0.7 else "center",
            yanchor="bottom",
            yshift=2 + _LINE_PIXELS * _lines(texts[number + 1 :]),
        )
        for number, (text, (x, words)) in enumerate(zip(texts, chart.above, strict=True))
    ]


def _texts_above(chart: Curve) -> list[str]:
    """In lines that a phone has room for."""
    return [wrapped(words.text) for _, words in chart.above]


def _lines(texts: Sequence[str]) -> int:
    return sum(text.count("<br>") + 1 for text in texts)


def _beside(spot: Spot, chart: Curve) -> dict[str, Any]:
    """Words at the lower right of a point, at the lower left of a late one."""
    is_late = _share(spot.x, chart) > 0.6
    return word(
        shown(spot.beside),
        x=seen(spot.x),
        y=seen(spot.y_usd),
        xanchor="right" if is_late else "left",
        yanchor="top",
        xshift=0 if is_late else 4,
        yshift=-7,
    )
