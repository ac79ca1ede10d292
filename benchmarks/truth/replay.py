"""One simulated test, looked at as a page would: through the functions of the page, and through those of commit 153d384."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.truth.worlds import BLOCK_SECONDS, BLOCKS_A_DAY, Numbers
from live_dashboards.analysis.statistics.proportions import Comparison, Counts
from live_dashboards.analysis.statistics.sequential import difference_so_far
from live_dashboards.analysis.statistics.stratified import harm_variance, long_run_of, overdispersion, sequence_of, strata
from live_dashboards.analysis.verdict.blocks import shared_blocks

PLANNED = 20_000
_HOUR_BLOCKS = 3600 // BLOCK_SECONDS
_LENGTHS = ((16, 1), (32, 2), (48, 3), (96, 6))  # hours of a test, and of how many blocks a block of the page then is: see docs/numbers.md


@dataclass(frozen=True, slots=True)
class Look:
    """What a page shows so many hours after the start: the limits for what is better or safe, those for harm, Sato's alone, and those of before."""

    hours: float
    safe: Comparison
    harm: Comparison
    sato: Comparison
    before: Comparison


class Replay:
    """The counts of one simulated test, put together to the blocks of a page as they are needed."""

    def __init__(self, n: Numbers, events: Numbers) -> None:
        self._n, self._events = n, events
        self._made: dict[int, list[dict[float, Counts]]] = {}

    def look(self, block: int) -> Look:
        """At the end of a block of five minutes."""
        length = next((each for hours, each in _LENGTHS if block <= hours * _HOUR_BLOCKS), _HOUR_BLOCKS)
        control, treatment = (self._until(arm, block, length) for arm in range(2))
        found = shared_blocks(treatment, control)
        strata_ = strata(found.treatment, found.control)
        at_seconds = float(block * BLOCK_SECONDS)
        variances = (
            long_run_of(strata_),
            harm_variance(strata_, found.last_ends, at_seconds),
            strata_.variance,
        )
        safe, harm, sato = (sequence_of(strata_, PLANNED, 0.05, variance) for variance in variances)
        return Look(at_seconds / 3600, safe, harm, sato, self._before(block))

    def _until(self, arm: int, block: int, length: int) -> dict[float, Counts]:
        if length not in self._made:
            self._made[length] = [self._together(each, length) for each in range(2)]
        end = block * BLOCK_SECONDS
        return {seconds: counts for seconds, counts in self._made[length][arm].items() if seconds <= end}

    def _together(self, arm: int, length: int) -> dict[float, Counts]:
        whole = self._n.shape[1] // length * length
        sums = (each[arm, :whole].reshape(-1, length).sum(axis=1) for each in (self._events, self._n))
        return {float((index + 1) * length * BLOCK_SECONDS): Counts(int(x), int(n)) for index, (x, n) in enumerate(zip(*sums, strict=True))}

    def _before(self, block: int) -> Comparison:
        """As at commit 153d384: pooled rates, and Pearson's overdispersion over 120 blocks."""
        length = max(1, block // 120)
        begins = np.arange(0, block, length)
        sums = [[np.add.reduceat(each[arm, :block], begins) for each in (self._events, self._n)] for arm in range(2)]
        clusters = max(1.0, overdispersion([[(int(x), int(n)) for x, n in zip(*pair, strict=True)] for pair in sums]))
        control, treatment = (Counts(int(x.sum()), int(n.sum())) for x, n in sums)
        return difference_so_far(treatment, control, PLANNED, 0.05, clusters)


def looks(n: Numbers, events: Numbers, *, every_hours: float, from_hours: float = 0.0, until_hours: float) -> Iterator[Look]:
    """One look after the other."""
    replay, step = Replay(n, events), max(1, round(every_hours * _HOUR_BLOCKS))
    begin = max(step, round(from_hours * _HOUR_BLOCKS) + step)
    for block in range(begin, round(until_hours * _HOUR_BLOCKS) + 1, step):
        yield replay.look(block)


def day_of(look: Look) -> float:
    """How old the test is, in days."""
    return look.hours * _HOUR_BLOCKS / BLOCKS_A_DAY
