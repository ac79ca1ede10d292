"""Where one part of a test tells of another difference than the rest: its last third, or its beginning."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from live_dashboards.analysis.statistics.sequential import normal_sequence
from live_dashboards.analysis.statistics.stratified import (
    FEWEST_BLOCKS,
    Strata,
    cut_scores,
    long_run_of,
    strata_of,
)
from live_dashboards.analysis.verdict.levels import Levels
from live_dashboards.model.evidence import Shift

if TYPE_CHECKING:
    import numpy as np

    IntArray: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

_SURE_Z = 5.0  # hundreds of moments are looked at, and again at each look at the page


@dataclass(frozen=True, slots=True, eq=False)
class BlocksInTime:
    """Neighbouring blocks of time: when each begins and ends (unix seconds), and the counts of both arms, as
    those of `strata_of`.
    """

    times: tuple[tuple[float, float], ...]
    counts: IntArray

    def part(self, begin: int, end: int) -> BlocksInTime:
        """The blocks from one on up to another."""
        return replace(self, times=self.times[begin:end], counts=self.counts[:, begin:end])


def shift_of(whole: BlocksInTime, levels: Levels) -> Shift | None:
    """The last third where it differs from the rest beyond limits that hold at every look; or, if it goes on
    as the second did, the beginning that differs from all that came after it. None where neither does, and
    where a third has fewer than 8 blocks.
    """
    third, last, blocks = *_thirds(whole), len(whole.times)
    if min(third, last - third, blocks - last) < FEWEST_BLOCKS:
        return None
    newest = whole.part(last, blocks)
    late = _apart(newest, whole.part(0, last), levels)
    if _apart(newest, whole.part(third, last), levels) is not None:
        return late
    return _early(whole, third) or late


def _thirds(whole: BlocksInTime) -> tuple[int, int]:
    """The first blocks that end after a third and after two thirds of the time."""
    begin, end = whole.times[0][0], whole.times[-1][1]
    first, second = (
        sum(each <= begin + share * (end - begin) for _, each in whole.times) for share in (1 / 3, 2 / 3)
    )
    return first, second


def _apart(part: BlocksInTime, rest: BlocksInTime, levels: Levels) -> Shift | None:
    """The part, where its difference is surely another one than that of the rest."""
    ours, theirs = strata_of(part.counts), strata_of(rest.counts)
    if ours.has_few_events or theirs.has_few_events:
        return None
    clusters = max(_clusters(ours), _clusters(theirs))
    spread = math.sqrt(clusters * (ours.variance + theirs.variance))
    n = int(part.counts[1::2].sum() + rest.counts[1::2].sum())
    apart = ours.estimate - theirs.estimate
    half, _ = normal_sequence(apart, spread, n, levels.planned_n, levels.alpha)
    return _shift(part, ours, theirs, half, is_early=False) if abs(apart) > half else None


def _early(whole: BlocksInTime, third: int) -> Shift | None:
    """The beginning that differs most from what comes after it, within the first third; None where it is not
    sure. How far blocks go together is told by the last two thirds.
    """
    clusters = _clusters(strata_of(whole.counts[:, third:]))
    scores = abs(cut_scores(whole.counts)[:third])
    most = int(scores.argmax()) + 1
    if scores[most - 1] <= _SURE_Z * math.sqrt(clusters):
        return None
    part, rest = whole.part(0, most), whole.part(most, len(whole.times))
    ours, theirs = strata_of(part.counts), strata_of(rest.counts)
    half = _SURE_Z * math.sqrt(clusters * (ours.variance + theirs.variance))
    return _shift(part, ours, theirs, half, is_early=True)


def _clusters(found: Strata) -> float:
    """How many times Sato's variance the long-run one is."""
    return long_run_of(found) / found.variance if found.variance > 0 else 1.0


def _shift(part: BlocksInTime, ours: Strata, theirs: Strata, half: float, *, is_early: bool) -> Shift:
    apart = ours.estimate - theirs.estimate
    begin, end = (datetime.fromtimestamp(each, UTC) for each in (part.times[0][0], part.times[-1][1]))
    within, elsewhere, low, high = (
        100 * each for each in (ours.estimate, theirs.estimate, apart - half, apart + half)
    )
    return Shift(begin, end, within, elsewhere, low, high, is_early)
