"""Lines over the window: gaps stay gaps, the last values stand at the line ends, names in the legend below,
with target and dated marks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from live_dashboards.draw.web.base import (
    USUAL_HEIGHT,
    ZERO_LINE,
    Figure,
    axis,
    layout,
    level,
    moment_text,
    seen,
    time_axis,
    upright,
    word,
    zone_of,
)
from live_dashboards.draw.web.marks import dash, symbol
from live_dashboards.draw.web.words import escaped, said, shown, shown_name
from live_dashboards.model.axis import number_labels, round_ticks
from live_dashboards.model.chart import Band, Lines, Said, Whisker
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.number import axis_decimals, format_number
from live_dashboards.model.presentation import (
    BAND,
    INNER_BAND,
    MUTED,
    PAPER,
    VariantStyle,
    colour_of,
    style_of,
)
from live_dashboards.model.report import AbReport, Line
from live_dashboards.panels.sayings import provenance, spoken, unit_of

_MOST_NAMED = 4
_PLOT_PIXELS, _NUMBER_PIXELS = 200, 14
_LATE_SHARE = 0.04
_LABEL_SHARE = 0.22

LEGEND_PIXELS = 19
_AXIS_CHARACTERS = 30
_LEGEND_COLUMNS = 36
_MARKS_ALONG = 7
_TEMPLATE = (
    "%{meta[0]}<br><b>%{customdata}</b><br>%{x|%-d %b %Y, %H:%M:%S} %{meta[1]}%{meta[2]}<extra></extra>"
)


def last_point(line: Line) -> tuple[float, float] | None:
    """The newest (unix seconds, value) that has a value."""
    return next(
        (
            (moment, value)
            for moment, value in reversed(line.timeline.points)
            if value is not None and math.isfinite(value)
        ),
        None,
    )


def end_words(lines: Sequence[Line], plan: Lines, report: AbReport) -> list[dict[str, Any]]:
    """The last value of each line right of the plot, moved apart; beside a line that ends early, when that
    was. None where the lines are many.
    """
    if len(lines) > _MOST_NAMED:
        return []
    ends = [(line, point) for line in lines if (point := last_point(line)) is not None]
    newest = max(moment for _, (moment, _) in ends)
    start, end = plan.during(report)
    late = [(line, point) for line, point in ends if newest - point[0] <= _LATE_SHARE * (end - start)]
    heights = _apart([value for _, (_, value) in late], plan.limits)
    texts = _texts([line.latest for line, _ in late])
    right = {"xref": "paper", "xanchor": "left", "yanchor": "middle", "xshift": 9}
    words = [
        word(
            text,
            x=1,
            y=seen(height),
            colour=style_of(report.variant_names, line.variant).text_colour,
            **right,
        )
        for (line, _), height, text in zip(late, heights, texts, strict=True)
    ]
    return [*words, *(_early(each, plan, report) for each in ends if each not in late)]


def _early(end: tuple[Line, tuple[float, float]], plan: Lines, report: AbReport) -> dict[str, Any]:
    line, point = end
    text = (
        f"{escaped(format_number(point[1], unit_of(line.latest), show_unit=False))}, ends "
        f"{moment_text(point[0], report)[11:16]}"
    )
    is_left = point[0] < sum(plan.during(report)) / 2
    colour = style_of(report.variant_names, line.variant).text_colour
    return word(
        text,
        x=moment_text(point[0], report),
        y=seen(point[1]),
        colour=colour,
        xanchor="left" if is_left else "right",
        yanchor="bottom",
        yshift=6,
    )


def _texts(latest: Sequence[Measurement]) -> list[str]:
    decimals = axis_decimals([one.value for one in latest], unit_of(latest[0]))
    return [
        escaped(format_number(one.value, unit_of(one), show_unit=False, decimals=each))
        for one, each in zip(latest, decimals, strict=True)
    ]


def _apart(values: Sequence[float], limits: tuple[float, float]) -> list[float]:
    """The values as far apart as their words are high, within the axis, in their order."""
    low, high = limits
    gap = (high - low) * _NUMBER_PIXELS / _PLOT_PIXELS
    order = sorted(range(len(values)), key=lambda index: values[index])
    placed: list[float] = []
    for index in order:
        placed.append(max(values[index], placed[-1] + gap) if placed else values[index])
    for step in range(len(placed) - 1, -1, -1):
        ceiling = high - (len(placed) - 1 - step) * gap
        placed[step] = min(placed[step], ceiling)
    return [placed[order.index(index)] for index in range(len(values))]


def target_shapes(plan: Lines, limits: tuple[float, float]) -> list[dict[str, Any]]:
    """The target as a thin dashed line, where the axis reaches it."""
    return (
        [level(seen(plan.target), colour=MUTED, dash="6px,4px")]
        if plan.target is not None and limits[0] < plan.target < limits[1]
        else []
    )


def target_words(plan: Lines, limits: tuple[float, float]) -> list[dict[str, Any]]:
    """The target's words, above it at the right."""
    if plan.target is None or not target_shapes(plan, limits):
        return []
    return [
        word(
            escaped(plan.target_words),
            x=1,
            y=seen(plan.target),
            colour=MUTED,
            size=11,
            xref="paper",
            xanchor="right",
            yanchor="bottom",
        )
    ]


def shown_marks(plan: Lines, report: AbReport) -> list[tuple[float, str]]:
    """The dated changes within the time of the lines."""
    start, end = plan.during(report)
    return [(moment, label) for moment, label in sorted(plan.marks) if start <= moment <= end]


def mark_words(plan: Lines, report: AbReport) -> list[dict[str, Any]]:
    """What changed, above the plot; words that would touch the ones before are left out."""
    start, end = plan.during(report)
    words, free_from, room = [], -math.inf, _LABEL_SHARE * (end - start)
    for moment, label in shown_marks(plan, report):
        if moment >= free_from:
            is_late = end - moment < room
            place = {"yref": "paper", "xanchor": "right" if is_late else "left", "yanchor": "bottom"}
            words.append(
                word(shown(label, 16), x=moment_text(moment, report), y=1, colour=MUTED, size=11, **place)
            )
            free_from = moment + room
    return words


def lines_figure(plan: Lines, report: AbReport, origin: Origin) -> Figure | None:
    """The lines over all of their time, whether or not all of it has values; None where none has any."""
    drawn = [line for line in plan.lines if last_point(line) is not None]
    if not drawn:
        return None
    limits = plan.limits
    ticks = round_ticks(*limits, 5)
    words = end_words(drawn, plan, report)
    room = max((len(each["text"]) for each in words if each.get("xref") == "paper"), default=0)
    y = axis(shown(plan.axis, _AXIS_CHARACTERS), limits, ticks=ticks, labels=number_labels(ticks, plan.unit))
    made = layout(
        origin,
        x=time_axis(report, *plan.during(report)),
        y=y | (ZERO_LINE if plan.has_zero else {}),
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
    bands = [trace for band in plan.bands for trace in _band(band, report)]
    lines = [trace for line in drawn for trace in _traces(line, report)]
    return {"data": [*bands, *lines, *(_whisker(each, report) for each in plan.whiskers)], "layout": made}


def _whisker(whisker: Whisker, report: AbReport) -> dict[str, Any]:
    moment = moment_text(whisker.at_seconds, report)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [moment, moment],
        "y": [seen(whisker.low), seen(whisker.high)],
        "hoverinfo": "skip",
        "showlegend": False,
        "line": {"color": style_of(report.variant_names, whisker.variant).colour, "width": 2},
    }


def _band(band: Band, report: AbReport) -> list[dict[str, Any]]:
    """A shade of one grey, as those of several lines lie over each other, with thin edges in the line's
    colour.
    """
    xs = [moment_text(moment, report) for moment, _, _ in band.points]
    colour = style_of(report.variant_names, band.variant).colour
    edge = {
        "type": "scatter",
        "mode": "lines",
        "x": xs,
        "hoverinfo": "skip",
        "showlegend": False,
        "line": {"color": colour, "width": 0 if band.is_inner else 0.8},
    }
    lows, highs = ([seen(each[side]) for each in band.points] for side in (1, 2))
    fill = {"fill": "tonexty", "fillcolor": INNER_BAND if band.is_inner else BAND}
    return [{**edge, "y": lows}, {**edge, "y": highs, **fill}]


def _known(value: float | None) -> float | None:
    return seen(value) if value is not None and math.isfinite(value) else None


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
