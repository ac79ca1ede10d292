"""Differences of means within blocks of time, of which only sums and counts are known: how sure they are
follows from how much the blocks scatter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from live_dashboards.analysis.statistics.proportions import Comparison
from live_dashboards.analysis.statistics.sequential import normal_sequence
from live_dashboards.analysis.statistics.stratified import long_run_variance, variance_for_harm

if TYPE_CHECKING:
    from live_dashboards.analysis.statistics.stratified import FloatArray

FEWEST_MEAN_BLOCKS = 24
FEWEST_MEAN_SECONDS = 6 * 3600.0
"""What a mean needs before it has limits: nothing but the scatter between blocks tells how sure it is, and
over a shorter time an arm that is slower or faster by itself for half an hour would pass for an effect in
more than one test of twenty."""


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
class MeanStrata:
    """The difference of means within blocks, in the unit of the sums, with what each block adds to its error
    and each block's weight, in the order of time; and how many there were in all, treatment first.

    `information` is n1 n2 / (n1 + n2) added up over the blocks.
    """

    estimate: float
    residuals: tuple[float, ...]
    weights: tuple[float, ...]
    n: tuple[int, int]
    information: float


def mean_strata(treatment: Sequence[Sums], control: Sequence[Sums]) -> MeanStrata:
    """The blocks' differences weighted by n1 n2 / (n1 + n2), as those of `strata` are.

    ValueError for no blocks, not as many of both, or one in which an arm has none.
    """
    if not treatment or len(treatment) != len(control):
        raise ValueError(
            f"there are {len(treatment)} blocks of the treatment and {len(control)} of the control; give as "
            "many of both, one at least"
        )
    if any(each.n <= 0 for each in (*treatment, *control)):
        raise ValueError("a block in which an arm has none compares nothing; leave it out")
    pairs = tuple(zip(treatment, control, strict=True))
    raw = [ours.n * theirs.n / (ours.n + theirs.n) for ours, theirs in pairs]
    whole = math.fsum(raw)
    weights = tuple(weight / whole for weight in raw)
    differences = [ours.mean - theirs.mean for ours, theirs in pairs]
    estimate = math.fsum(weight * each for weight, each in zip(weights, differences, strict=True))
    return MeanStrata(
        estimate,
        tuple(weight * (each - estimate) for weight, each in zip(weights, differences, strict=True)),
        weights,
        (sum(each.n for each in treatment), sum(each.n for each in control)),
        whole,
    )


def has_enough(found: MeanStrata, span_seconds: float) -> bool:
    """Whether blocks tell how sure the difference is: 24 of them, over six hours at least."""
    return len(found.residuals) >= FEWEST_MEAN_BLOCKS and span_seconds >= FEWEST_MEAN_SECONDS


def safe_mean_variance(found: MeanStrata) -> float:
    """The variance by which a mean is shown to be no worse: the long-run variance of the blocks (see
    `long_run_variance`), with nothing below it.
    """
    return long_run_variance(found.residuals, 0.0)


def harm_mean_variance(found: MeanStrata, ends: Sequence[float] | FloatArray, at_seconds: float) -> float:
    """The variance by which harm is judged (see `variance_for_harm`); `ends` are when the blocks end (unix
    seconds).
    """
    return variance_for_harm(found.residuals, found.weights, 0.0, ends, at_seconds)


def mean_sequence(found: MeanStrata, planned_n: int, alpha: float, variance: float) -> Comparison:
    """The always-valid interval of the difference with that variance: the asymptotic confidence sequence of
    `normal_sequence`, n being that of both arms. ValueError for planned_n or alpha out of range.
    """
    half, p_value = normal_sequence(found.estimate, math.sqrt(variance), sum(found.n), planned_n, alpha)
    return Comparison(
        found.estimate,
        found.estimate - half,
        found.estimate + half,
        p_value,
        "asymptotic confidence sequence of means, stratified by time, their scatter between blocks",
        *found.n,
    )
