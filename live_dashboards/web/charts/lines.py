"""Lines over the window: gaps stay gaps, the last values stand at the line ends, names in the legend
below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from live_dashboards.model.axis import number_labels, round_ticks
from live_dashboards.model.chart import Lines, Said
from live_dashboards.model.measurement import Origin
from live_dashboards.model.number import format_number
from live_dashboards.model.presentation import MUTED, PAPER, VariantStyle, colour_of, style_of
from live_dashboards.model.report import AbReport, Line
from live_dashboards.panels.sayings import provenance, spoken, unit_of
from live_dashboards.web.charts.base import USUAL_HEIGHT, Figure, axis, layout, seen, upright
from live_dashboards.web.charts.hover import said
from live_dashboards.web.charts.line_words import (
    end_words,
    last_point,
    mark_words,
    shown_marks,
    target_shapes,
    target_words,
)
from live_dashboards.web.charts.marks import dash, symbol
from live_dashboards.web.charts.text import escaped, shown, shown_name
from live_dashboards.web.charts.times import moment_text, time_axis, zone_of

LEGEND_PIXELS = 19
_AXIS_CHARACTERS = 30
_LEGEND_COLUMNS = 36
_MARKS_ALONG = 7
_TEMPLATE = (
    "%{meta[0]}<br><b>%{customdata}</b><br>%{x|%-d %b %Y, %H:%M:%S} %{meta[1]}%{meta[2]}<extra></extra>"
)


def lines_figure(plan: Lines, report: AbReport, origin: Origin) -> Figure | None:
    """The lines over the whole window, whether or not all of it has values; None where none has any."""
    drawn = [line for line in plan.lines if last_point(line) is not None]
    if not drawn:
        return None
    limits = _limits(drawn, plan)
    ticks = round_ticks(*limits, 5)
    words = end_words(drawn, report, limits)
    room = max((len(each["text"]) for each in words if each.get("xref") == "paper"), default=0)
    start = report.at.timestamp() - report.window_seconds
    made = layout(
        origin,
        x=time_axis(report, start, report.at.timestamp()),
        y=axis(
            shown(plan.axis, _AXIS_CHARACTERS), limits, ticks=ticks, labels=number_labels(ticks, plan.unit)
        ),
        height=USUAL_HEIGHT + LEGEND_PIXELS * max(0, len(drawn) - 3),
        shapes=[
            *target_shapes(plan, limits),
            *(
                upright(moment_text(moment, report), colour=MUTED, dash="4px,3px")
                for moment, _ in shown_marks(plan, report)
            ),
        ],
        annotations=[*words, *target_words(plan, limits), *mark_words(plan, report)],
        margin={"l": 12, "r": 18 + 7 * room, "t": 24 if shown_marks(plan, report) else 10, "b": 8, "pad": 0},
        showlegend=True,
        dragmode="zoom",
    )
    return {"data": [trace for line in drawn for trace in _traces(line, report)], "layout": made}


def _known(value: float | None) -> float | None:
    return seen(value) if value is not None and math.isfinite(value) else None


def _limits(lines: Sequence[Line], plan: Lines) -> tuple[float, float]:
    values = [
        value
        for line in lines
        for _, value in line.timeline.points
        if value is not None and math.isfinite(value)
    ]
    values += [] if plan.target is None else [plan.target]
    low, high = min(values), max(values)
    if plan.is_zero_based and low >= 0:
        return 0.0, high * 1.1 or 1.0
    room = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    return low - room, high + room


def _traces(line: Line, report: AbReport) -> list[dict[str, Any]]:
    """The line with a few symbols along it, points that stand alone, and the last point."""
    style = style_of(report.variant_names, line.variant)
    colour = colour_of(style, line.latest.origin)
    xs = [moment_text(moment, report) for moment, _ in line.timeline.points]
    ys = [_known(value) for _, value in line.timeline.points]
    names = report.variant_names
    group = f"line-{names.index(line.variant) if line.variant in names else 'other'}"
    whole = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": xs,
        "y": ys,
        "customdata": ["" if y is None else escaped(format_number(y, unit_of(line.latest))) for y in ys],
        "meta": _meta(line, report),
        "hovertemplate": _TEMPLATE,
        "connectgaps": False,
        "name": shown_name(line.label, _LEGEND_COLUMNS),
        "legendgroup": group,
        "line": {"color": colour, "width": 2, "dash": dash(style)},
        "marker": {
            "symbol": symbol(style),
            "size": 7,
            "color": colour,
            "opacity": 1,
            "maxdisplayed": _MARKS_ALONG,
        },
    }
    return [whole, *_points(whole, style, colour)]


def _points(whole: dict[str, Any], style: VariantStyle, colour: str) -> list[dict[str, Any]]:
    """Points between two gaps, which a line would not show, and the last one."""
    xs, ys = whole["x"], whole["y"]
    last = max(index for index, y in enumerate(ys) if y is not None)
    alone = [
        index
        for index, y in enumerate(ys)
        if y is not None
        and index != last
        and not any(_at(ys, near) is not None for near in (index - 1, index + 1))
    ]
    chosen = [*alone, last]
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [xs[index] for index in chosen],
            "y": [ys[index] for index in chosen],
            "customdata": [whole["customdata"][index] for index in chosen],
            "meta": whole["meta"],
            "hovertemplate": _TEMPLATE,
            "legendgroup": whole["legendgroup"],
            "showlegend": False,
            "cliponaxis": False,
            "marker": {
                "symbol": symbol(style),
                "size": [5] * len(alone) + [9],
                "color": colour,
                "opacity": 1,
                "line": {"color": PAPER, "width": 1},
            },
        }
    ]


def _at(ys: Sequence[float | None], index: int) -> float | None:
    return ys[index] if 0 <= index < len(ys) else None


def _meta(line: Line, report: AbReport) -> list[str]:
    """What all points of a line share: name, zone, and source, query and state."""
    latest = replace(line.latest, observed_at=None)
    shared = "as reported" if line.latest.unit == "as_reported" else "", *provenance(latest, report.timezone)
    rest = said(spoken(*shared))
    return [said((Said(line.label, "title"),)), zone_of(report), f"<br>{rest}" if rest else ""]
