"""Lines over the window: gaps stay gaps, the last points carry their names, values and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from live_dashboards.figures.frame import Frame, base_line, tick_height, y_ticks
from live_dashboards.figures.line_words import (
    NAMES_GAP_INCHES,
    name_lines,
    write_marks,
    write_target,
    write_ticks,
)
from live_dashboards.figures.rows import fitting, heading_height
from live_dashboards.figures.stretches import Plan, TimePlot, last_point, segments
from live_dashboards.figures.text import Look, width_inches
from live_dashboards.figures.theme import MUTED, PAPER, TICK_PAD_POINTS, Sizes, line_inches
from live_dashboards.figures.words import end_words
from live_dashboards.model.axis import number_labels, round_ticks
from live_dashboards.model.presentation import colour_of, style_of
from live_dashboards.model.report import AbReport, Line

Row = TypeVar("Row")
_NAMES_INCHES, _MOST_NAMES_INCHES = 1.12, 1.5


def draw_timeline(frame: Frame, lines: Sequence[Line], report: AbReport, plan: Plan) -> Axes:
    """The lines on axes over the whole window, whether or not all of it has values."""
    sizes, limits = frame.sizes, _limits(lines, plan)
    top = line_inches(sizes.note) if plan.marks else line_inches(sizes.tick) * 0.45
    room = frame.inner(bottom=tick_height(sizes), top=top)
    ticks = round_ticks(*limits, max(2, min(5, int(room.height / line_inches(sizes.tick, 2.0)))))
    labels = number_labels(ticks, plan.unit)
    left = max(
        sizes.room(plan.ticks_width),
        *(width_inches(label, Look(sizes.tick)) + (TICK_PAD_POINTS + 1) / 72 for label in labels),
    )
    drawn = [line for line in lines if last_point(line.timeline) is not None]
    inner = room.inner(left=left, right=plan.names_width or _names_inches(sizes, drawn))
    axes = inner.axes()
    end = report.at.timestamp()
    axes.set_xlim(end - report.window_seconds, end)
    axes.set_ylim(*limits)
    y_ticks(axes, sizes, ticks, labels)
    base_line(axes)
    place = TimePlot(frame, inner, axes, report, plan)
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


def _limits(lines: Sequence[Line], plan: Plan) -> tuple[float, float]:
    values = [value for line in lines for stretch in segments(line.timeline) for _, value in stretch]
    if plan.target is not None and values:
        values.append(plan.target)
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    if plan.is_zero_based and low >= 0:
        return 0.0, high * 1.1 or 1.0
    room = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    return low - room, high + room


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
