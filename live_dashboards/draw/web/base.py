"""The dark theme: for every colour that a figure may hold, the one that stands in its place on a dark
page.

What all charts share: the layout, axes, moments on them, words on the drawing, and the look of simulated
values.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from live_dashboards.model.measurement import Origin
from live_dashboards.model.moment import zone_words
from live_dashboards.model.presentation import (
    AXIS,
    FAINT,
    GRID,
    HATCH,
    INK,
    MUTED,
    PAPER,
    RULE,
    WATERMARK_EDGE,
)
from live_dashboards.model.report import Report

DARK_PAPER, DARK_CARD = "#14181D", "#1B2026"

DARK = {
    "#FFFFFF": DARK_PAPER,  # paper
    "#F4F6F8": DARK_CARD,  # tint
    "#1B2127": "#E9EDF1",  # ink
    "#4F5A65": "#B7C0C9",  # muted
    "#626D78": "#A3ADB7",  # faint
    "#767F88": "#8C96A0",  # axis
    "#E4E7EA": "#2B323A",  # grid
    "#BFC6CC": "#434C56",  # rule
    "#E3E6E9": "#262D34",  # hatch
    "#E6EBEF": "#2A333D",  # band
    "#CFD8DF": "#3B4854",  # inner band
    "#8A6100": "#D9A53A",  # border hatch
    "#F5F1EC": "#1E1D1B",  # watermark fill
    "#E0D6C9": "#3A342B",  # watermark edge
    "#8A5A00": "#E0A94A",  # caution
    "#B42318": "#FF8A7E",  # alarm
    "#5B6F80": "#8FA6B9",  # calm
    "#66717C": "#9AA5B0",  # cached
    "#0072B2": "#4BA9E8",  # control
    "#00629B": "#6BB8EE",
    "#D55E00": "#F0803A",  # treatment
    "#A84300": "#F5995E",
    "#009E73": "#2FBF93",  # third
    "#00714F": "#4CCBA3",
    "#CC79A7": "#DE93BC",  # fourth
    "#9C3F75": "#E3A3C6",
    "#3F4750": "#C3CBD3",  # greys of the further ones
    "#767676": "#9A9A9A",
    "#595959": "#B4B4B4",
    "#59616A": "#A9B2BB",
}
"""Light hex → dark hex. Words and marks keep their contrast; grid, bands and hatching stay faint."""

Figure = dict[str, Any]
"""A whole figure as the browser takes it: `data` and `layout`, plain lists and numbers."""

ZERO_LINE = {"zeroline": True, "zerolinecolor": AXIS, "zerolinewidth": 1}
"""For an axis on which 0 means that nothing changes; a shape would be washed out by the grid."""

FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', 'DejaVu Sans', sans-serif"
)
CLEAR = "rgba(0,0,0,0)"
USUAL_HEIGHT = 320
_BODY, _SMALL = 12, 11
_DIGITS = 6
_HATCH_STEPS = 12

_FORMATS: tuple[dict[str, Any], ...] = (
    {"dtickrange": [None, 59_999], "value": "%H:%M:%S\n%-d %b"},
    {"dtickrange": [60_000, 86_399_999], "value": "%H:%M\n%-d %b"},
    {"dtickrange": [86_400_000, "M1"], "value": "%-d %b\n%Y"},
    {"dtickrange": ["M1", None], "value": "%b %Y"},
)
"""How times are written, by the milliseconds between two ticks; the second line stands only where it
changes.
"""


def layout(
    origin: Origin, *, x: dict[str, Any], y: dict[str, Any], height: int = USUAL_HEIGHT, **more: Any
) -> dict[str, Any]:
    """The layout around a drawing; a height is set only where the usual one is too low for what is drawn."""
    shapes = [*more.pop("shapes", []), *(simulated_shapes() if origin is Origin.SIMULATED else [])]
    return {
        "autosize": True,
        **({"height": height} if height > USUAL_HEIGHT else {}),
        "font": {"family": FONT, "size": _BODY, "color": INK},
        "margin": {"l": 12, "r": 14, "t": 10, "b": 8, "pad": 0},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "hovermode": "closest",
        "hoverdistance": 24,
        "hoverlabel": {
            "bgcolor": PAPER,
            "bordercolor": AXIS,
            "font": {"family": FONT, "size": _BODY, "color": INK},
            "align": "left",
            "namelength": -1,
        },
        "dragmode": False,
        "showlegend": False,
        "legend": legend(),
        "uirevision": "kept",
        "xaxis": x,
        "yaxis": y,
        "shapes": shapes,
        **more,
    }


def legend() -> dict[str, Any]:
    """Below everything, never over data."""
    return {
        "orientation": "h",
        "x": 0,
        "xref": "container",
        "xanchor": "left",
        "y": 0,
        "yref": "container",
        "yanchor": "bottom",
        "font": {"size": _BODY, "color": INK},
        "bgcolor": CLEAR,
        "itemsizing": "trace",
        "tracegroupgap": 0,
    }


def axis(
    title: str,
    limits: Sequence[float | str],
    *,
    ticks: Sequence[float] = (),
    labels: Sequence[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """An axis with its quantity and unit, light grid lines, no frame; it cannot be zoomed unless that is
    said.
    """
    named = (
        {"tickmode": "array", "tickvals": [seen(tick) for tick in ticks], "ticktext": list(labels)}
        if ticks
        else {}
    )
    return {
        "title": {"text": title, "font": {"size": _BODY, "color": MUTED}, "standoff": 6},
        "range": [seen(limit) if isinstance(limit, float | int) else limit for limit in limits],
        "tickfont": {"size": _SMALL, "color": FAINT},
        "gridcolor": GRID,
        "gridwidth": 1,
        "zeroline": False,
        "showline": False,
        "automargin": True,
        "fixedrange": True,
        **named,
        **more,
    }


def word(text: str, *, x: float | str, y: float, colour: str = INK, **more: Any) -> dict[str, Any]:
    """Words on the drawing, at the data unless `xref` or `yref` say otherwise."""
    return {
        "text": text,
        "x": x,
        "y": y,
        "showarrow": False,
        "font": {"size": more.pop("size", _BODY), "color": colour},
        **more,
    }


def upright(x: float | str, *, colour: str = INK, dash: str = "solid", width: float = 1.0) -> dict[str, Any]:
    """A vertical over the whole height, below the data and the grid, which washes it out where both meet."""
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"color": colour, "width": width, "dash": dash},
    }


def level(y: float, *, colour: str = INK, dash: str = "solid", width: float = 1.0) -> dict[str, Any]:
    """A horizontal over the whole width, below the data."""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "layer": "below",
        "line": {"color": colour, "width": width, "dash": dash},
    }


def band(low: float, high: float, colour: str) -> dict[str, Any]:
    """A shade from one place of the x axis to another, below everything."""
    return {
        "type": "rect",
        "x0": seen(low),
        "x1": seen(high),
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "fillcolor": colour,
        "line": {"width": 0},
    }


def simulated_shapes() -> list[dict[str, Any]]:
    """Faint diagonals and the word, behind the data."""
    steps = [step / _HATCH_STEPS for step in range(1, 2 * _HATCH_STEPS)]
    lines = " ".join(
        f"M{max(0.0, each - 1):.3f},{min(1.0, each):.3f}L{min(1.0, each):.3f},{max(0.0, each - 1):.3f}"
        for each in steps
    )
    whole = {"xref": "paper", "yref": "paper", "layer": "below"}
    label = {
        "text": "SIMULATED",
        "font": {"size": 34, "color": WATERMARK_EDGE},
        "textposition": "middle center",
        "textangle": -18,
    }
    return [
        {**whole, "type": "path", "path": lines, "line": {"color": HATCH, "width": 1}},
        {
            **whole,
            "type": "rect",
            "x0": 0,
            "x1": 1,
            "y0": 0,
            "y1": 1,
            "line": {"width": 1, "color": RULE},
            "label": label,
        },
    ]


def seen(value: float) -> float:
    """Rounded to what can be seen."""
    return float(f"{value:.{_DIGITS}g}")


def time_axis(report: Report, start_seconds: float, end_seconds: float) -> dict[str, Any]:
    """Local time without a zone, which the library does not know; the title names the zone. It can be
    zoomed.
    """
    limits = (moment_text(start_seconds, report), moment_text(end_seconds, report))
    title = f"time, {zone_of(report)}"
    fixed: dict[str, Any] = {
        "type": "date",
        "nticks": 5,
        "tickangle": 0,
        "tickformatstops": [dict(stop) for stop in _FORMATS],
        "showgrid": False,
        "showline": True,
        "linecolor": MUTED,
    }
    return axis(title, limits, fixedrange=False, **fixed)


def moment_text(unix_seconds: float, report: Report) -> str:
    """The moment as local time, with the zone's offset at the page's moment, so that a change of the clocks
    neither repeats nor leaves out an hour.
    """
    offset = report.at.astimezone(ZoneInfo(report.timezone)).utcoffset()
    local = datetime.fromtimestamp(unix_seconds, UTC).astimezone(timezone(offset) if offset else UTC)
    return f"{local:%Y-%m-%d %H:%M}" if local.second == 0 else f"{local:%Y-%m-%d %H:%M:%S}"


def zone_of(report: Report) -> str:
    """The zone's abbreviation at the page's moment."""
    return zone_words(report.at.timestamp(), ZoneInfo(report.timezone))
