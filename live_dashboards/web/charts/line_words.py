"""The words of a timeline: last values at line ends, the target, dated marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from live_dashboards.model.chart import Lines
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import axis_decimals, format_number
from live_dashboards.model.presentation import MUTED, style_of
from live_dashboards.model.report import AbReport, Line
from live_dashboards.panels.sayings import unit_of
from live_dashboards.web.charts.base import level, seen, word
from live_dashboards.web.charts.text import escaped, shown
from live_dashboards.web.charts.times import moment_text

_MOST_NAMED = 4
_PLOT_PIXELS, _NUMBER_PIXELS = 200, 14
_LATE_SHARE = 0.04
_LABEL_SHARE = 0.22


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


def end_words(lines: Sequence[Line], report: AbReport, limits: tuple[float, float]) -> list[dict[str, Any]]:
    """The last value of each line right of the plot, moved apart; beside a line that ends early, when that
    was. None where the lines are many.
    """
    if len(lines) > _MOST_NAMED:
        return []
    ends = [(line, point) for line in lines if (point := last_point(line)) is not None]
    newest = max(moment for _, (moment, _) in ends)
    late = [(line, point) for line, point in ends if newest - point[0] <= _LATE_SHARE * report.window_seconds]
    heights = _apart([value for _, (_, value) in late], limits)
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
    return [*words, *(_early(line, point, report) for line, point in ends if (line, point) not in late)]


def _early(line: Line, point: tuple[float, float], report: AbReport) -> dict[str, Any]:
    text = (
        f"{escaped(format_number(point[1], unit_of(line.latest), show_unit=False))}, ends "
        f"{moment_text(point[0], report)[11:16]}"
    )
    is_left = point[0] < report.at.timestamp() - report.window_seconds / 2
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
            plan.target_words,
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
    """The dated changes within the window."""
    return [
        (moment, label)
        for moment, label in sorted(plan.marks)
        if report.at.timestamp() - report.window_seconds <= moment <= report.at.timestamp()
    ]


def mark_words(plan: Lines, report: AbReport) -> list[dict[str, Any]]:
    """What changed, above the plot; words that would touch the ones before are left out."""
    words, free_from = [], -math.inf
    for moment, label in shown_marks(plan, report):
        if moment >= free_from:
            is_late = report.at.timestamp() - moment < _LABEL_SHARE * report.window_seconds
            place = {"yref": "paper", "xanchor": "right" if is_late else "left", "yanchor": "bottom"}
            words.append(
                word(shown(label, 16), x=moment_text(moment, report), y=1, colour=MUTED, size=11, **place)
            )
            free_from = moment + _LABEL_SHARE * report.window_seconds
    return words
