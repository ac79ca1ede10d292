"""How often a part of a test is said to differ from the rest: where none does, and where the last third does."""

from __future__ import annotations

import numpy as np

from benchmarks.truth.worlds import BLOCKS, BLOCKS_A_DAY, DAYS, Numbers, Random, World, drift, incidents, of_rates, steady
from live_dashboards.analysis.verdict.effect import Levels
from live_dashboards.analysis.verdict.shifts import BlocksInTime, shift_of

_HOUR_BLOCKS = BLOCKS_A_DAY // 24
_LEVELS = Levels(0.05, 0.05, 20_000)


def _ending(after: float) -> World:
    """Both arms at 0.8 %; the challenger at another rate in the last third."""

    def rates(_: Random) -> np.ndarray:
        found = steady()
        found[1, 2 * BLOCKS // 3 :] = after
        return found

    return of_rates(f"0.8 to {100 * after:g} % in the last third", rates)


SHIFTS = (
    of_rates("independent requests", lambda _: steady()),
    of_rates("6-hour incidents in one arm", lambda random: incidents(random, a_day=0.5, blocks=6 * _HOUR_BLOCKS, rate=0.03)),
    of_rates("each arm's level drifts", lambda random: drift(random, rate=0.008)),
    _ending(0.012),
)


def said(index: int, seed: int) -> tuple[float, ...]:
    """Whether a beginning, and whether a last third is told at one of the daily looks of 30 days."""
    n, events = SHIFTS[index].counts(np.random.default_rng(seed))
    hours = [_by_hour(each) for each in (events[1], n[1], events[0], n[0])]
    early = late = False
    for day in range(2, DAYS + 1):
        times = tuple((3600.0 * hour, 3600.0 * (hour + 1)) for hour in range(24 * day))
        found = shift_of(BlocksInTime(times, np.array([each[: 24 * day] for each in hours])), _LEVELS)
        early |= found is not None and found.is_early
        late |= found is not None and not found.is_early
    return early, late


def _by_hour(blocks: Numbers) -> Numbers:
    return blocks.reshape(-1, _HOUR_BLOCKS).sum(axis=1)
