"""Copies of one scrape as one series: what several Prometheus have seen of one process, in the order of
time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median_low

# by which a sample may tell of an earlier moment than its own: slow scrapes, and clocks of two servers
_OLD_NEWS_SECONDS = 10.0
# longer than clocks can differ where copies go on; where pauses are not known, seconds
_SILENT_PAUSES, _SILENT_SECONDS = 2.5, 120.0
_SAME = 1e-9  # relative; a float that went through another store's text

Point = tuple[float, float]


def one_series(copies: Sequence[Sequence[Point]]) -> list[Point]:
    """The samples of all copies of a counter, each in the order of time, as those of one series, which falls
    only where the counter did.

    What lies below the newest value is older news, unless it tells of a restart: one that its own copy has
    fallen at and no other one has told yet, one that a copy has said twice while no other says more, or one
    after a silence of all. Just after a restart another copy may not have seen it, and says nothing here.
    """
    if len(copies) == 1:
        return list(copies[0])
    pauses = [later - sooner for points in copies for (sooner, _), (later, _) in pairwise(points)]
    found = _OneSeries(_SILENT_PAUSES * median_low(pauses) if pauses else _SILENT_SECONDS)
    for seconds, value, copy in sorted(
        (seconds, value, copy) for copy, points in enumerate(copies) for seconds, value in points
    ):
        found.take(seconds, value, copy)
    return found.points


class _OneSeries:
    """What has been said so far: the accepted samples, who said the last one, and the newest restart with who
    told of it.
    """

    def __init__(self, silent_seconds: float) -> None:
        self.points: list[Point] = []
        self._silent_seconds = silent_seconds
        self._speaker = -1
        self._fallen: tuple[float, int] | None = None
        self._last: dict[int, Point] = {}

    def take(self, seconds: float, value: float, copy: int) -> None:
        """Take in the next sample in time."""
        before = self._last.get(copy)
        self._last[copy] = (seconds, value)
        newest = self.points[-1][1] if self.points else value
        is_fall = value < newest - _SAME * abs(newest)
        if self._may_be_old(seconds, value, copy, before) or (
            is_fall and not self._is_restart(seconds, value, copy, before)
        ):
            return
        if is_fall:
            self._fallen = seconds, copy
        elif value < newest:
            value = newest
        if self.points and self.points[-1][0] == seconds:
            self.points.pop()
        self.points.append((seconds, value))
        self._speaker = copy

    def _may_be_old(self, seconds: float, value: float, copy: int, before: Point | None) -> bool:
        """Whether another copy has just told of a restart that this one has not fallen at."""
        if self._fallen is None or self._fallen[1] == copy or seconds - self._fallen[0] > _OLD_NEWS_SECONDS:
            return False
        return before is None or value >= before[1]

    def _is_restart(self, seconds: float, value: float, copy: int, before: Point | None) -> bool:
        """Whether a value below the newest one is that of a process that began anew."""
        if copy == self._speaker or seconds - self.points[-1][0] > self._silent_seconds:
            return True
        if before is None:
            return False
        is_first_to_tell = value < before[1] and (self._fallen is None or before[0] >= self._fallen[0])
        return is_first_to_tell or before[0] > self.points[-1][0]
