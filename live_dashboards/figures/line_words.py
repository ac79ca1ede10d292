"""The words of a timeline: names and values at line ends, the time of the last point, the target, dated
marks, ticks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from live_dashboards.figures.frame import tick_top, x_ticks
from live_dashboards.figures.stretches import TimePlot, last_point
from live_dashboards.figures.text import Look, fitted_name, width_inches
from live_dashboards.figures.theme import FAINT, INK, MUTED, line_inches
from live_dashboards.figures.words import end_words
from live_dashboards.model.axis import clock_words, span_words, time_ticks
from live_dashboards.model.moment import zone_words
from live_dashboards.model.number import MINUS
from live_dashboards.model.presentation import style_of
from live_dashboards.model.report import Line

_MOST_NAMED_LINES = 4
_MARK_WORDS_INCHES = 1.2
_EARLY_INCHES = 0.3
NAMES_GAP_INCHES = 0.09  # between the plot and the names at its lines' ends
_ROUNDED_SECONDS = 0.001  # Prometheus rounds the moment that it was asked for to milliseconds, also upwards


def name_lines(place: TimePlot, lines: Sequence[Line]) -> None:
    """Value and name at each line's end, moved apart where they would touch; above four lines the header
    alone says the names.
    """
    labels = list(zip(lines, end_words([line.latest for line in lines]), strict=True))
    newest = max(_last(line)[0] for line in lines)
    early = [
        label
        for label in labels
        if place.x(newest) - place.x(_last(label[0])[0]) >= place.frame.sizes.room(_EARLY_INCHES)
    ]
    is_named = not place.plan.is_narrow and len(lines) <= _MOST_NAMED_LINES
    _name_at_end(place, [label for label in labels if label not in early], is_named=is_named)
    if not place.plan.is_narrow:
        _name_early(place, early)


def _name_at_end(place: TimePlot, labels: Sequence[tuple[Line, str]], *, is_named: bool) -> None:
    """Right of the plot, as many as there is height for."""
    frame, plot, sizes = place.frame, place.plot, place.frame.sizes
    gap, x = line_inches(sizes.tick, 1.15), place.left + plot.width + sizes.room(NAMES_GAP_INCHES)
    shown = labels[: max(1, int(plot.height / gap) + 1)]
    heights = spread(
        [place.y(_last(line)[1]) for line, _ in shown],
        gap,
        plot.bottom - frame.bottom + gap * 0.35,
        frame.height - gap * 0.5,
    )
    for (line, value), y in zip(shown, heights, strict=True):
        look = Look(sizes.tick, style_of(place.report.variant_names, line.variant).text_colour)
        name = (
            fitted_name(line.label, look, frame.width - x - width_inches(f" {value}", look))
            if is_named
            else ""
        )
        frame.write(x, y, f"{name} {value}".strip(), look, stand="center_baseline")


def _name_early(place: TimePlot, labels: Sequence[tuple[Line, str]]) -> None:
    """Lines that end before the others say so above their last point."""
    gap, plot = line_inches(place.frame.sizes.tick, 1.15), place.plot
    heights = spread(
        [place.y(_last(line)[1]) + gap for line, _ in labels],
        gap,
        plot.bottom - place.frame.bottom + gap * 0.35,
        place.frame.height - gap * 0.5,
    )
    for (line, value), y in zip(labels, heights, strict=True):
        look = Look(place.frame.sizes.tick, style_of(place.report.variant_names, line.variant).text_colour)
        x, words = place.x(_last(line)[0]), f"{value}, ends {clock_words(_last(line)[0], place.zone)}"
        is_left = x < place.left + plot.width / 2
        room = place.left + plot.width - x if is_left else x - place.left
        name = fitted_name(line.label, look, room - width_inches(f" {words}", look))
        place.frame.write(
            x,
            y,
            f"{name} {words}".strip(),
            look,
            within=room,
            align="left" if is_left else "right",
            stand="center_baseline",
        )


def _last(line: Line) -> tuple[float, float]:
    return last_point(line.timeline) or (math.nan, 0.0)


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The positions moved apart to at least that gap, in their order, kept between low and high as far as
    there is room.
    """
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
        look, sizes = Look(place.frame.sizes.note, MUTED), place.frame.sizes
        end = place.plot.width - sizes.marker / 72  # the last points of the lines may lie on it
        place.frame.write(
            place.left + end,
            place.y(target) + sizes.line / 72 + 0.03,
            place.plan.target_words,
            look,
            within=end,
            align="right",
        )


def write_marks(place: TimePlot) -> None:
    """Dated changes as thin dashed verticals with a label on top; a label that would touch the one before is
    left out.
    """
    start, end = place.axes.get_xlim()
    frame, look, free_from = place.frame, Look(place.frame.sizes.note, MUTED), 0.0
    for moment, label in sorted(place.plan.marks):
        if start <= moment <= end:
            place.axes.axvline(moment, color=MUTED, linewidth=0.7, dashes=(3, 3), zorder=1)
            x = place.x(moment)
            if x >= free_from:
                frame.write(
                    x,
                    frame.height - line_inches(look.points) + 0.03,
                    label,
                    look,
                    within=min(_MARK_WORDS_INCHES, frame.width - x),
                )
                free_from = x + min(_MARK_WORDS_INCHES, width_inches(label, look)) + 0.06


def write_ticks(place: TimePlot, lines: Sequence[Line]) -> None:
    """Round times below, and the time of the last point with the zone at the right end."""
    start, end = place.axes.get_xlim()
    sizes = place.frame.sizes
    last = max((point[0] for line in lines if (point := last_point(line.timeline))), default=math.nan)
    taken = (
        _write_last_time(place, last) if start <= last <= end + _ROUNDED_SECONDS else (math.inf, -math.inf)
    )
    most = max(2, min(6, int(place.plot.width / sizes.room(0.52))))
    ticks = _free_ticks(place, time_ticks(start, end, place.zone, most), taken)
    x_ticks(place.axes, sizes, [moment for moment, _ in ticks], [words for _, words in ticks], has_grid=False)


def _write_last_time(place: TimePlot, last: float) -> tuple[float, float]:
    """Writes the last point's time below it; the inches from left to right that its words take."""
    plan, look, top = place.plan, Look(place.frame.sizes.tick, INK), tick_top(place.frame.sizes)
    clock = clock_words(last, place.zone)
    is_of_the_day = (
        datetime.fromtimestamp(last, UTC).astimezone(place.zone).date()
        == place.report.at.astimezone(place.zone).date()
    )
    words = clock if is_of_the_day else f"{clock_words(last, place.zone, has_clock=False)} {clock}"
    x = max(0.0, place.x(last) - width_inches(words, look) / 2)
    if plan.has_zone:
        words = f"{words} {zone_words(last, place.zone)}"
    place.frame.write(x, top, words, look, stand="top")
    start_words, start_look = f"{MINUS}{span_words(place.report.window_seconds)}", Look(look.points, FAINT)
    if plan.is_narrow and place.left + width_inches(start_words, start_look) + 0.05 < x:
        place.frame.write(place.left, top, start_words, start_look, stand="top")
    return x, x + width_inches(words, look)


def _free_ticks(
    place: TimePlot, ticks: Sequence[tuple[float, str]], taken: tuple[float, float]
) -> tuple[tuple[float, str], ...]:
    """The ticks whose words touch neither the last point's time nor the zero of the other axis; none where
    the axis is narrow.
    """
    free, look, gap = [], Look(place.frame.sizes.tick), 0.1
    for moment, words in () if place.plan.is_narrow else ticks:
        middle, half = place.x(moment), width_inches(words, look) / 2
        if middle - half * 0.6 >= place.left and (
            middle + half + gap <= taken[0] or taken[1] + gap <= middle - half
        ):
            free.append((moment, words))
    return tuple(free)
