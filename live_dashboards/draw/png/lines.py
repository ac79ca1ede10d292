"""Lines over the window: gaps stay gaps, the last points carry their names, values and time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from live_dashboards.draw.png.frame import Frame, base_line, tick_height, tick_top, x_ticks, y_ticks
from live_dashboards.draw.png.rows import fitting, heading_height
from live_dashboards.draw.png.text import Look, end_words, fitted_name, fitting_value, width_inches
from live_dashboards.draw.png.theme import (
    BAND,
    FAINT,
    INK,
    INNER_BAND,
    MUTED,
    PAPER,
    TICK_PAD_POINTS,
    Sizes,
    line_inches,
)
from live_dashboards.model.axis import clock_words, number_labels, round_ticks, span_words, time_ticks
from live_dashboards.model.chart import Lines
from live_dashboards.model.moment import zone_words
from live_dashboards.model.number import MINUS
from live_dashboards.model.presentation import colour_of, style_of
from live_dashboards.model.report import AbReport, Line
from live_dashboards.model.snapshot import Timeline

_MOST_NAMED_LINES = 4
_MARK_WORDS_INCHES = 1.2
_LOWEST_PLOT_LINES = 3.0  # the words at the ends of two lines, and one more
_EARLY_INCHES = 0.3
_TWO_TICKS_LINES = 1.7  # of a low plot: two labels would lie over each other
NAMES_GAP_INCHES = 0.09  # between the plot and the names at its lines' ends
_ROUNDED_SECONDS = 0.001  # Prometheus rounds the moment that it was asked for to milliseconds, also upwards

Row = TypeVar("Row")
_NAMES_INCHES, _MOST_NAMES_INCHES = 1.12, 1.5


@dataclass(frozen=True, slots=True)
class LinesLayout:
    """How a timeline is drawn, beside what its chart says.

    `ticks_width` is in inches of the 16x10 page; `names_width` the inches for what stands at line ends, by
    default for a name and a value. A narrow timeline shows only values there.
    """

    chart: Lines
    ticks_width: float = 0.46
    names_width: float | None = None
    is_narrow: bool = False
    has_zone: bool = True


@dataclass(frozen=True, slots=True)
class TimePlot:
    """A timeline's place: the frame around it for words, the plot's own frame and axes."""

    frame: Frame
    plot: Frame
    axes: Axes
    report: AbReport
    plan: LinesLayout

    @property
    def zone(self) -> ZoneInfo:
        """The page's zone."""
        return ZoneInfo(self.report.timezone)

    @property
    def left(self) -> float:
        """Inches from the frame's left edge to the plot's."""
        return self.plot.left - self.frame.left

    def x(self, unix_seconds: float) -> float:
        """Inches from the frame's left edge to that moment."""
        start, end = self.axes.get_xlim()
        return self.left + self.plot.width * (unix_seconds - start) / (end - start)

    def y(self, value: float) -> float:
        """Inches from the frame's lower edge to that value."""
        low, high = self.axes.get_ylim()
        return self.plot.bottom - self.frame.bottom + self.plot.height * (value - low) / (high - low)


def segments(timeline: Timeline) -> list[list[tuple[float, float]]]:
    """The timeline's stretches without a gap; a None or a number that is not finite ends a stretch."""
    stretches: list[list[tuple[float, float]]] = [[]]
    for moment, value in timeline.points:
        if value is not None and math.isfinite(value):
            stretches[-1].append((moment, value))
        elif stretches[-1]:
            stretches.append([])
    return [stretch for stretch in stretches if stretch]


def last_point(timeline: Timeline) -> tuple[float, float] | None:
    """The newest (unix seconds, value) that has a value."""
    return next(
        (
            (moment, value)
            for moment, value in reversed(timeline.points)
            if value is not None and math.isfinite(value)
        ),
        None,
    )


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
    lowest, highest = plot.bottom - frame.bottom + gap * 0.35, frame.height - gap * 0.5
    shown = labels[: max(1, int((highest - lowest) / gap) + 1)]
    heights = spread([place.y(_last(line)[1]) for line, _ in shown], gap, lowest, highest)
    for (line, words), y in zip(shown, heights, strict=True):
        look = Look(sizes.tick, style_of(place.report.variant_names, line.variant).text_colour)
        value = fitting_value(line.latest, words, look, frame.width - x)
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
    target, (low, high) = place.plan.chart.target, place.axes.get_ylim()
    if target is not None and low < target < high:
        place.axes.axhline(target, color=MUTED, linewidth=0.8, dashes=(4, 3), zorder=2)
        look, sizes = Look(place.frame.sizes.note, MUTED), place.frame.sizes
        end = place.plot.width - sizes.marker / 72  # the last points of the lines may lie on it
        place.frame.write(
            place.left + end,
            place.y(target) + sizes.line / 72 + 0.03,
            place.plan.chart.target_words,
            look,
            within=end,
            align="right",
        )


def write_marks(place: TimePlot) -> None:
    """Dated changes as thin dashed verticals with a label on top; a label that would touch the one before, or
    the target's words, is left out.
    """
    start, end = place.axes.get_xlim()
    frame, look, free_from = place.frame, Look(place.frame.sizes.note, MUTED), 0.0
    free_to = _before_target_words(place, look) if _has_room_for_labels(frame) else -math.inf
    for moment, label in sorted(place.plan.chart.marks):
        if start <= moment <= end:
            place.axes.axvline(moment, color=MUTED, linewidth=0.7, dashes=(3, 3), zorder=1)
            x = place.x(moment)
            width = min(_MARK_WORDS_INCHES, width_inches(label, look))
            if x >= free_from and x + width <= free_to:
                frame.write(
                    x,
                    frame.height - line_inches(look.points) + 0.03,
                    label,
                    look,
                    within=min(_MARK_WORDS_INCHES, frame.width - x),
                )
                free_from = x + width + 0.06


def _has_room_for_labels(frame: Frame) -> bool:
    """Whether a plot with labels on top is still high enough to be read."""
    sizes = frame.sizes
    return frame.height - tick_height(sizes) - line_inches(sizes.note) >= _LOWEST_PLOT_LINES * line_inches(
        sizes.tick
    )


def _before_target_words(place: TimePlot, look: Look) -> float:
    """Up to where labels on top may go: to the target's words, where those stand as high."""
    target, (low, high) = place.plan.chart.target, place.axes.get_ylim()
    if target is None or not low < target < high:
        return math.inf
    if place.y(target) + 2 * line_inches(look.points) < place.frame.height - line_inches(look.points):
        return math.inf
    return place.left + place.plot.width - width_inches(place.plan.chart.target_words, look) - 0.1


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
    start_words, start_look = f"{MINUS}{span_words(_seconds(place))}", Look(look.points, FAINT)
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


def _seconds(place: TimePlot) -> float:
    """How long the axis goes."""
    start, end = place.axes.get_xlim()
    return float(end - start)


def draw_timeline(frame: Frame, report: AbReport, plan: LinesLayout) -> Axes:
    """The lines on axes over all of their time, whether or not all of it has values."""
    sizes, chart, limits = frame.sizes, plan.chart, plan.chart.limits
    has_labels = chart.marks and _has_room_for_labels(frame)
    top = line_inches(sizes.note) if has_labels else line_inches(sizes.tick) * 0.45
    room = frame.inner(bottom=tick_height(sizes), top=top)
    fewest = 2 if room.height > line_inches(sizes.tick, _TWO_TICKS_LINES) else 1
    ticks = round_ticks(*limits, max(fewest, min(5, int(room.height / line_inches(sizes.tick, 2.0)))))
    labels = number_labels(ticks, chart.unit)
    left = max(
        sizes.room(plan.ticks_width),
        *(width_inches(label, Look(sizes.tick)) + (TICK_PAD_POINTS + 1) / 72 for label in labels),
    )
    drawn = [line for line in chart.lines if last_point(line.timeline) is not None]
    inner = room.inner(left=left, right=plan.names_width or _names_inches(sizes, drawn))
    axes = inner.axes()
    axes.set_xlim(*chart.during(report))
    axes.set_ylim(*limits)
    y_ticks(axes, sizes, ticks, labels)
    base_line(axes)
    place = TimePlot(frame, inner, axes, report, plan)
    _draw_bands(axes, chart, report)
    if drawn:
        _draw_lines(axes, drawn, report, sizes.line * (0.7 if plan.is_narrow else 1.0))
        _draw_last_points(axes, drawn, report, sizes.marker)
        name_lines(place, drawn)
    else:
        frame.write(left + 0.05, frame.height / 2, "no value in the window", Look(sizes.tick, MUTED))
    write_target(place)
    write_marks(place)
    write_ticks(place, drawn)
    return axes


def _names_inches(sizes: Sizes, lines: Sequence[Line]) -> float:
    """Room for names and values at the lines' ends; more than usual where a value is marked, such as
    `enhanced 0.53 stale`.
    """
    texts = (
        f"{line.label} {value}"
        for line, value in zip(lines, end_words([line.latest for line in lines]), strict=True)
    )
    widest = (
        max((width_inches(text, Look(sizes.tick)) for text in texts), default=0.0)
        + sizes.room(NAMES_GAP_INCHES)
        + 0.02
    )
    return min(max(sizes.room(_NAMES_INCHES), widest), sizes.room(_MOST_NAMES_INCHES))


def draw_below(
    body: Frame, rows: Sequence[Row], caption: str, draw_rows: Callable[[Frame, Sequence[Row], str], None]
) -> Frame:
    """Draws rows into the upper part of the body and the caption below them; the place left for a
    timeline.
    """
    sizes, lower = body.sizes, body
    if rows:
        wanted = len(rows) * 0.27 * sizes.scale + tick_height(sizes) + heading_height(sizes)
        upper = body.upper(min(body.height * 0.56, wanted))
        draw_rows(upper, *fitting(upper, rows))
        lower = body.inner(top=upper.height + 0.06 * sizes.scale)
    lower.write(0.0, lower.height - line_inches(sizes.note) + 0.02, caption, Look(sizes.note, MUTED))
    return lower.inner(top=line_inches(sizes.note))


def _draw_bands(axes: Axes, chart: Lines, report: AbReport) -> None:
    """Shades of one grey, as those of several lines lie over each other; thin edges and whiskers in each
    line's colour.
    """
    if chart.has_zero:
        axes.axhline(0.0, color=INK, linewidth=0.9, zorder=2)
    for band in chart.bands:
        xs, lows, highs = zip(*band.points, strict=True)
        shade = INNER_BAND if band.is_inner else BAND
        axes.fill_between(xs, lows, highs, color=shade, linewidth=0, zorder=0.4 if band.is_inner else 0.2)
        colour = style_of(report.variant_names, band.variant).colour
        for edge in () if band.is_inner else (lows, highs):
            axes.plot(xs, edge, color=colour, linewidth=0.6, zorder=1.5)
    for variant, at_seconds, low, high in chart.whiskers:
        colour = style_of(report.variant_names, variant).colour
        axes.vlines(at_seconds, low, high, colors=colour, linewidth=1.2, zorder=3.5)


def _draw_lines(axes: Axes, lines: Sequence[Line], report: AbReport, width_points: float) -> None:
    """All lines in one call; each stretch is a unit of its own, so that nothing is drawn across a gap."""
    rows = [
        (moment, value, str(number), stretch_number)
        for number, line in enumerate(lines)
        for stretch_number, stretch in enumerate(segments(line.timeline))
        for moment, value in stretch
    ]
    styles = {str(number): style_of(report.variant_names, line.variant) for number, line in enumerate(lines)}
    colours = {
        str(number): colour_of(styles[str(number)], line.latest.origin) for number, line in enumerate(lines)
    }
    frame = pd.DataFrame(rows, columns=["moment", "value", "line", "stretch"])
    sns.lineplot(
        frame,
        x="moment",
        y="value",
        hue="line",
        style="line",
        units="stretch",
        estimator=None,
        palette=colours,
        dashes={key: style.dashes or "" for key, style in styles.items()},
        linewidth=width_points,
        sort=False,
        legend=False,
        ax=axes,
        zorder=3,
        solid_capstyle="round",
    )
    axes.set(xlabel="", ylabel="")
    for key, style in styles.items():
        alone = [stretch[0] for stretch in segments(lines[int(key)].timeline) if len(stretch) == 1]
        if alone:
            axes.plot(
                *zip(*alone, strict=True),
                linestyle="none",
                marker=style.marker,
                markersize=2.5,
                color=colours[key],
                zorder=3,
            )


def _draw_last_points(axes: Axes, lines: Sequence[Line], report: AbReport, size: float) -> None:
    for line in lines:
        point, style = last_point(line.timeline), style_of(report.variant_names, line.variant)
        if point:
            colour = colour_of(style, line.latest.origin)
            axes.plot(
                [point[0]],
                [point[1]],
                linestyle="none",
                marker=style.marker,
                markersize=size * 0.85,
                color=colour,
                markeredgecolor=PAPER,
                markeredgewidth=0.5,
                clip_on=False,
                zorder=5,
            )
