"""The words of a timeline: names and values at line ends, the time of the last point, the target, dated marks, ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from live_dashboards.figures.frame import base_line, tick_top, x_ticks, y_ticks
from live_dashboards.figures.marks import style_of
from live_dashboards.figures.stretches import TimePlot, last_point
from live_dashboards.figures.text import Look, fitted_name, width_inches
from live_dashboards.figures.theme import FAINT, INK, MUTED, line_inches
from live_dashboards.figures.ticks import clock_words, number_labels, round_ticks, span_words, time_ticks, zone_words
from live_dashboards.figures.words import end_words
from live_dashboards.model.number import MINUS
from live_dashboards.model.report import Line

_MOST_NAMED_LINES = 4
_MARK_WORDS_INCHES = 1.2
_LATE_SHARE = 0.03


def name_lines(place: TimePlot, lines: Sequence[Line]) -> None:
    """Name and last value at the end of at most four lines, moved apart where they would touch; the header names the others."""
    frame, plot, plan, sizes = place.frame, place.plot, place.plan, place.frame.sizes
    gap = line_inches(sizes.tick, 1.15)
    words = [value + _end_time(place, line, lines) for line, value in zip(lines, end_words([line.latest for line in lines]), strict=True)]
    most = min(_MOST_NAMED_LINES if plan.has_names else len(lines), max(1, int(plot.height / gap) + 1))
    points = [last_point(line.timeline) for line in lines[:most]]
    bottom = plot.bottom - frame.bottom + gap * 0.35
    heights = spread([place.y(point[1]) for point in points if point], gap, bottom, frame.height - gap * 0.5)
    x = frame.width - plan.names_width + 0.09
    for line, value, y in zip(lines[:most], words, heights, strict=False):
        look = Look(sizes.tick, style_of(place.report.variant_names, line.variant).text_colour)
        name = fitted_name(line.label, look, frame.width - x - width_inches(f" {value}", look)) if plan.has_names else ""
        frame.write(x, y, f"{name} {value}".strip(), look, stand="center_baseline")


def _end_time(place: TimePlot, line: Line, lines: Sequence[Line]) -> str:
    """` 07:12` for a line that ends well before the others."""
    ends = [point[0] for each in lines if (point := last_point(each.timeline))]
    own = last_point(line.timeline)
    is_late = own is not None and own[0] < max(ends) - _LATE_SHARE * place.report.window_seconds
    return f" at {clock_words(own[0], place.zone)}" if is_late and own else ""


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The positions moved apart to at least that gap, in their order, kept between low and high as far as there is room."""
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    placed = [positions[index] for index in order]
    for _ in range(2):
        for index, position in enumerate(placed):
            placed[index] = max(position, low + index * gap, placed[index - 1] + gap if index else -math.inf)
        for index in range(len(placed) - 1, -1, -1):
            after = placed[index + 1] - gap if index + 1 < len(placed) else math.inf
            placed[index] = min(placed[index], high - (len(placed) - 1 - index) * gap, after)
    moved = [0.0] * len(placed)
    for index, position in zip(order, placed, strict=True):
        moved[index] = position
    return moved


def write_target(place: TimePlot) -> None:
    """The target as a thin dashed line with its words."""
    target, (low, high) = place.plan.target, place.axes.get_ylim()
    if target is not None and low < target < high:
        place.axes.axhline(target, color=MUTED, linewidth=0.8, dashes=(4, 3), zorder=2)
        look = Look(place.frame.sizes.note, MUTED)
        place.frame.write(place.plan.ticks_width + 0.04, place.y(target) + 0.03, place.plan.target_words, look, within=place.plot.width)


def write_marks(place: TimePlot) -> None:
    """Dated changes as thin dashed verticals with a label on top; a label that would touch the one before is left out."""
    start, end = place.axes.get_xlim()
    frame, look, free_from = place.frame, Look(place.frame.sizes.note, MUTED), 0.0
    for moment, label in sorted(place.plan.marks):
        if start <= moment <= end:
            place.axes.axvline(moment, color=MUTED, linewidth=0.7, dashes=(3, 3), zorder=1)
            x = place.x(moment)
            if x >= free_from:
                frame.write(x, frame.height - line_inches(look.points) + 0.02, label, look, within=min(_MARK_WORDS_INCHES, frame.width - x))
                free_from = x + min(_MARK_WORDS_INCHES, width_inches(label, look)) + 0.06


def write_ticks(place: TimePlot, lines: Sequence[Line]) -> None:
    """Round times below, the time of the last point with the zone at the right end, round numbers at the left."""
    plan, sizes = place.plan, place.frame.sizes
    start, end = place.axes.get_xlim()
    ticks = time_ticks(start, end, place.zone, 6)
    last = max((point[0] for line in lines if (point := last_point(line.timeline))), default=math.nan)
    if start <= last <= end:
        ticks = _free_ticks(place, ticks, _write_last_time(place, last))
    x_ticks(place.axes, sizes, [moment for moment, _ in ticks], [words for _, words in ticks], has_grid=False)
    positions = round_ticks(*place.axes.get_ylim(), max(2, min(5, int(place.plot.height / 0.22))))
    y_ticks(place.axes, sizes, positions, number_labels(positions, plan.unit))
    base_line(place.axes)


def _write_last_time(place: TimePlot, last: float) -> tuple[float, float]:
    """Writes the last point's time below it; the inches from left to right that its words take."""
    plan, look, top = place.plan, Look(place.frame.sizes.tick, INK), tick_top(place.frame.sizes)
    clock = clock_words(last, place.zone)
    is_of_the_day = datetime.fromtimestamp(last, UTC).astimezone(place.zone).date() == place.report.at.astimezone(place.zone).date()
    words = clock if is_of_the_day else f"{clock_words(last, place.zone, has_clock=False)} {clock}"
    x = max(0.0, place.x(last) - width_inches(words, look) / 2)
    if plan.has_zone:
        words = f"{words} {zone_words(last, place.zone)}"
    place.frame.write(x, top, words, look, stand="top")
    start_words, start_look = f"{MINUS}{span_words(place.report.window_seconds)}", Look(look.points, FAINT)
    if plan.is_narrow and plan.ticks_width + width_inches(start_words, start_look) + 0.05 < x:
        place.frame.write(plan.ticks_width, top, start_words, start_look, stand="top")
    return x, x + width_inches(words, look)


def _free_ticks(place: TimePlot, ticks: Sequence[tuple[float, str]], taken: tuple[float, float]) -> tuple[tuple[float, str], ...]:
    """The ticks whose words touch neither the last point's time nor the zero of the other axis; none where the axis is narrow."""
    free, look, gap = [], Look(place.frame.sizes.tick), 0.1
    for moment, words in () if place.plan.is_narrow else ticks:
        middle, half = place.x(moment), width_inches(words, look) / 2
        if middle - half * 0.6 >= place.plan.ticks_width and (middle + half + gap <= taken[0] or taken[1] + gap <= middle - half):
            free.append((moment, words))
    return tuple(free)
