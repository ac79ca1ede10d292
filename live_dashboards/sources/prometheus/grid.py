"""Time as Prometheus is asked about it: the moments of a timeline, where a gap stays a gap, and blocks on one
absolute grid: what lies behind never changes its block, and whatever is added up from blocks adds up.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from live_dashboards.model.moment import nice_step_seconds
from live_dashboards.model.snapshot import Timeline

MOST_POINTS = 300

SAME_MOMENT_SECONDS = 0.0005  # moments are told to the millisecond


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


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of a range's blocks in unix seconds: its two ends and, in between, each whole multiple of
    `step_seconds` since 1970.

    So all blocks are `step_seconds` long but the first and the last one, which may be shorter. A block holds
    its end, and not its beginning.
    """

    moments: tuple[float, ...]
    step_seconds: float

    @property
    def start_seconds(self) -> float:
        """Where the first block begins."""
        return self.moments[0]

    @property
    def end_seconds(self) -> float:
        """Where the last block ends."""
        return self.moments[-1]

    @property
    def ends(self) -> tuple[float, ...]:
        """The end of each block."""
        return self.moments[1:]

    @property
    def whole(self) -> tuple[int, int] | None:
        """The first and the last of the blocks that are whole; None where there is none."""
        lengths = [end - begin for begin, end in pairwise(self.moments)]
        whole = [
            index
            for index, length in enumerate(lengths)
            if abs(length - self.step_seconds) < SAME_MOMENT_SECONDS
        ]
        return (whole[0], whole[-1]) if whole else None

    @property
    def shorter(self) -> tuple[int, ...]:
        """The blocks that are not whole: at most the first and the last one."""
        whole = self.whole
        return tuple(
            index for index in range(len(self.ends)) if whole is None or not whole[0] <= index <= whole[1]
        )

    def length_seconds(self, block: int) -> float:
        """How long a block is."""
        return self.moments[block + 1] - self.moments[block]

    def block_of(self, seconds: float) -> int | None:
        """The block that holds a moment; None for one outside the range."""
        index = bisect_left(self.moments, seconds - SAME_MOMENT_SECONDS) - 1
        return index if 0 <= index < len(self.ends) else None


def edges_of(start_seconds: float, end_seconds: float, step_seconds: float) -> Edges:
    """The blocks of a range, which must not be empty."""
    first = math.floor(start_seconds / step_seconds + SAME_MOMENT_SECONDS / step_seconds) + 1
    last = math.ceil(end_seconds / step_seconds - SAME_MOMENT_SECONDS / step_seconds) - 1
    return Edges(
        (start_seconds, *(index * step_seconds for index in range(first, last + 1)), end_seconds),
        step_seconds,
    )
