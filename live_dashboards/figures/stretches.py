"""What a timeline is made of: how it is planned, where it stands, and its stretches without a gap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from matplotlib.axes import Axes

from live_dashboards.figures.frame import Frame
from live_dashboards.model.report import AbReport
from live_dashboards.model.snapshot import Timeline


@dataclass(frozen=True, slots=True)
class Plan:
    """How a timeline is drawn: unit of its numbers, whether it starts at zero, its target line and dated
    marks.

    `ticks_width` is in inches of the 16x10 page; `names_width` the inches for what stands at line ends, by
    default for a name and a value. A narrow timeline shows only values there.
    """

    unit: str
    is_zero_based: bool = True
    target: float | None = None
    target_words: str = ""
    marks: tuple[tuple[float, str], ...] = ()
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
    plan: Plan

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
