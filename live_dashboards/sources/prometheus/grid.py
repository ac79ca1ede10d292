"""The moments at which a timeline is asked, and what its series look like on them: a gap stays a gap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from live_dashboards.model.snapshot import Timeline

MOST_POINTS = 300
_DAY_SECONDS = 86_400
_NICE_STEPS_SECONDS = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, _DAY_SECONDS)


@dataclass(frozen=True, slots=True)
class Grid:
    """Moments `step_seconds` apart that end at `end_seconds` (unix time), within the window."""

    start_seconds: float
    end_seconds: float
    step_seconds: float

    def spread(self, series: Timeline) -> Timeline:
        """The series on the grid: its finite points, and a None at each moment in between that has none; what
        lies beside the grid was not asked for.
        """
        last = round((self.end_seconds - self.start_seconds) / self.step_seconds)
        placed = (
            (round((seconds - self.start_seconds) / self.step_seconds), seconds, value)
            for seconds, value in series.points
            if value is not None
        )
        points = [point for point in placed if 0 <= point[0] <= last]
        spread: list[tuple[float, float | None]] = []
        for (index, seconds, value), (following, *_) in pairwise(
            [*points, (points[-1][0] + 1, 0.0, None)] if points else []
        ):
            spread.append((seconds, value))
            spread.extend(
                (self.start_seconds + gap * self.step_seconds, None) for gap in range(index + 1, following)
            )
        return Timeline(series.labels, tuple(spread))


def timeline_grid(at_seconds: float, window_seconds: float, shortest_step_seconds: float = 0.0) -> Grid:
    """At most 300 points a series, in steps that people use, of 15 s at least: an API refuses more than
    11,000.
    """
    step_seconds = nice_step_seconds(max(window_seconds / MOST_POINTS, shortest_step_seconds))
    steps = math.floor(window_seconds / step_seconds + 1e-9)
    return Grid(at_seconds - steps * step_seconds, at_seconds, step_seconds)


def nice_step_seconds(wanted_seconds: float) -> float:
    """The next longer step that people use: from 15 s, beyond a day whole days."""
    nice = next((step for step in _NICE_STEPS_SECONDS if step >= wanted_seconds), None)
    return float(nice if nice is not None else math.ceil(wanted_seconds / _DAY_SECONDS) * _DAY_SECONDS)


def multiple_step_seconds(wanted_seconds: float, of_seconds: float) -> float:
    """The next longer step that people use and that is a multiple of another one."""
    step_seconds = nice_step_seconds(max(wanted_seconds, of_seconds))
    while step_seconds % of_seconds:
        step_seconds = nice_step_seconds(step_seconds + 1)
    return step_seconds
