"""Dots, intervals and buckets on the axes of a panel: few artists, open ends as arrows, no number without its
mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.theme import PAPER, VariantStyle
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.presentation import drawn_interval

_THICK = 2.4


@dataclass(frozen=True, slots=True)
class Dot:
    """A value at a height of the axes with its interval; `is_filled` False says that its certainty is
    unknown. A narrower interval within it is drawn thick.
    """

    value: float
    y: float
    interval: Interval | None
    is_filled: bool
    inner: Interval | None = None


def dot(measurement: Measurement, y: float) -> Dot | None:
    """The measurement's dot, None where it has no value."""
    if measurement.value is None:
        return None
    interval = drawn_interval(measurement)
    return Dot(measurement.value, y, interval, is_filled=interval is not None)


def draw_dots(
    axes: Axes,
    frame: Frame,
    dots: Iterable[Dot | None],
    style: VariantStyle,
    colour: str,
    *,
    size: float | None = None,
) -> None:
    """One variant's dots with their intervals; the axes' limits must stand already."""
    present = [mark for mark in dots if mark is not None]
    low, high = axes.get_xlim()
    draw_bars(axes, [(mark.interval, mark.y) for mark in present if mark.interval], colour, frame.sizes.line)
    draw_bars(
        axes, [(mark.inner, mark.y) for mark in present if mark.inner], colour, frame.sizes.line * _THICK
    )
    for is_filled in (True, False):
        chosen = [mark for mark in present if mark.is_filled is is_filled and low <= mark.value <= high]
        if chosen:
            axes.plot(
                [mark.value for mark in chosen],
                [mark.y for mark in chosen],
                linestyle="none",
                marker=style.marker,
                markersize=size or frame.sizes.marker,
                markerfacecolor=colour if is_filled else PAPER,
                markeredgecolor=PAPER if is_filled else colour,
                markeredgewidth=0.6 if is_filled else 1.3,
                clip_on=False,
                zorder=4,
            )


def draw_bars(
    axes: Axes,
    bars: Sequence[tuple[Interval, float]],
    colour: str,
    width_points: float,
    *,
    alpha: float = 1.0,
    gid: str | None = None,
) -> None:
    """Horizontal bars from low to high; an open end runs to the edge of the axes and ends in an arrow."""
    if not bars:
        return
    left, right = axes.get_xlim()
    segments: list[list[tuple[float, float]]] = []
    arrows: dict[str, list[tuple[float, float]]] = {"<": [], ">": []}
    for interval, y in bars:
        low = left if interval.low is None else max(left, interval.low)
        high = right if interval.high is None else min(right, interval.high)
        segments.append([(low, y), (high, y)])
        if interval.low is None or interval.low < left:
            arrows["<"].append((left, y))
        if interval.high is None or interval.high > right:
            arrows[">"].append((right, y))
    axes.add_collection(
        LineCollection(
            segments, colors=colour, linewidths=width_points, alpha=alpha, zorder=3, clip_on=False, gid=gid
        ),
        autolim=False,
    )
    for marker, ends in arrows.items():
        if ends:
            axes.plot(
                *zip(*ends, strict=True),
                linestyle="none",
                marker=marker,
                markersize=max(4.0, width_points * 0.9),
                color=colour,
                clip_on=False,
                zorder=4,
            )
