"""Differences of means within blocks of time that are worth money: errors and response times of the same
blocks, so that what goes together is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from live_dashboards.analysis.statistics.proportions import Counts, normal_quantile
from live_dashboards.analysis.statistics.sequential import normal_sequence
from live_dashboards.analysis.statistics.stratified import (
    FEWEST_BLOCKS,
    fixed_of,
    long_run_of,
    long_run_variance,
    sequence_of,
    strata,
)

_ALPHA = 0.05
_EQUAL = 1e-9  # of the larger: a difference of two sums in another order


@dataclass(frozen=True, slots=True)
class Sums:
    """What was added up in a block, and over how many."""

    total: float
    n: int

    @property
    def mean(self) -> float:
        """The mean of one; n must not be 0."""
        return self.total / self.n


@dataclass(frozen=True, slots=True)
class TimedDifference:
    """Treatment minus control, with its 95 % limits that hold at every look and those for one look, None
    where the blocks are too few to tell.

    `residuals` are what each block adds to the error, in the order of time, 0 where an arm has nothing.
    `is_by_traffic`: blocks count by their requests, not by how much they tell.
    """

    estimate: float
    always: tuple[float, float] | None
    one_look: tuple[float, float] | None
    residuals: tuple[float, ...]
    is_by_traffic: bool = False


def error_difference(
    treatment: Sequence[Counts], control: Sequence[Counts], planned_n: int
) -> TimedDifference:
    """Of two error ratios, as `stratified_sequence` gives it; weighted by traffic where that differs by more
    than the interval (see `mean_difference`).

    ValueError for no blocks, or not as many of both.
    """
    found = strata(treatment, control)
    variance = long_run_of(found, treatment, control)
    always, fixed = sequence_of(found, planned_n, _ALPHA, variance), fixed_of(found, 1 - _ALPHA, variance)
    informed = TimedDifference(
        found.estimate, (always.low, always.high), (fixed.low, fixed.high), found.residuals
    )
    if found.has_few_events:  # no normal limits hold there
        return informed
    return _of_ratios(_unless_traffic_says_otherwise(informed, _sums(treatment), _sums(control), planned_n))


def mean_difference(
    treatment: Sequence[Sums], control: Sequence[Sums], planned_n: int
) -> TimedDifference | None:
    """Of two means, weighted by what each block tells, n1 n2 / (n1 + n2), with the long-run variance of batch
    means; None where no block has both arms.

    Where the mean of the blocks' differences weighted by their requests leaves the interval, that one is it:
    money comes with the traffic.
    """
    if not any(ours.n and theirs.n for ours, theirs in zip(treatment, control, strict=True)):
        return None
    informed = _weighted(treatment, control, lambda n2, n1: n1 * n2 / (n1 + n2), planned_n)
    return _unless_traffic_says_otherwise(informed, treatment, control, planned_n)


def _unless_traffic_says_otherwise(
    informed: TimedDifference, treatment: Sequence[Sums], control: Sequence[Sums], planned_n: int
) -> TimedDifference:
    by_traffic = _weighted(treatment, control, lambda n2, n1: n1 + n2, planned_n, is_by_traffic=True)
    if informed.always is None or by_traffic.always is None:
        return informed
    low, high = informed.always
    slack = _EQUAL * max(abs(low), abs(high))
    return informed if low - slack <= by_traffic.estimate <= high + slack else by_traffic


def _weighted(
    treatment: Sequence[Sums],
    control: Sequence[Sums],
    weigh: Callable[[int, int], float],
    planned_n: int,
    *,
    is_by_traffic: bool = False,
) -> TimedDifference:
    pairs = tuple(zip(treatment, control, strict=True))
    raw = [weigh(ours.n, theirs.n) if ours.n and theirs.n else 0.0 for ours, theirs in pairs]
    whole = math.fsum(raw)
    told = [
        (weight / whole, ours.mean - theirs.mean) if weight else (0.0, 0.0)
        for weight, (ours, theirs) in zip(raw, pairs, strict=True)
    ]
    estimate = math.fsum(weight * each for weight, each in told)
    residuals = tuple(weight * (each - estimate) for weight, each in told)
    if sum(weight > 0 for weight in raw) < FEWEST_BLOCKS:
        return TimedDifference(estimate, None, None, residuals, is_by_traffic)
    spread = math.sqrt(long_run_variance(residuals, 0.0))
    half, _ = normal_sequence(
        estimate, spread, sum(each.n for each in (*treatment, *control)), planned_n, _ALPHA
    )
    fixed = normal_quantile(1 - _ALPHA) * spread
    return TimedDifference(
        estimate,
        (estimate - half, estimate + half),
        (estimate - fixed, estimate + fixed),
        residuals,
        is_by_traffic,
    )


def _of_ratios(found: TimedDifference) -> TimedDifference:
    """With limits that a difference of two ratios can have."""
    always, one_look = (
        None if limits is None else (max(-1.0, limits[0]), min(1.0, limits[1]))
        for limits in (found.always, found.one_look)
    )
    return replace(found, always=always, one_look=one_look)


def _sums(arm: Sequence[Counts]) -> list[Sums]:
    return [Sums(each.events, each.n) for each in arm]
