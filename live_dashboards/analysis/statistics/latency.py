"""Response times from buckets: quantiles with the buckets that hold them, and tests of two histograms."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from live_dashboards.analysis.statistics.special import binomial_at_most, student_t_below, student_t_quantile
from live_dashboards.model.buckets import BucketQuantile, bucket_quantile, non_decreasing

__all__ = [
    "BucketQuantile",
    "QuantileInterval",
    "bucket_quantile",
    "compare_buckets",
    "non_decreasing",
    "quantile_interval",
]


@dataclass(frozen=True, slots=True)
class QuantileInterval:
    """Bucket edges between which the quantile surely lies; `point` as histogram_quantile gives it; `high` is
    infinite in the last bucket.
    """

    low: float
    high: float
    point: float


@dataclass(frozen=True, slots=True)
class BucketComparison:
    """The chance that a treatment's request is slower than a control's (ties count half), with its 95 %
    interval and two-sided p.
    """

    probability_treatment_slower: float
    low: float
    high: float
    p_value: float


def order_ranks(n: int, q: float, confidence: float) -> tuple[int, int]:
    """Ranks l and r between which the q-quantile lies at least so surely (Conover 1999, Practical
    Nonparametric Statistics, 3.2).

    l = Bin⁻¹(α/2; n, q) and r = Bin⁻¹(1 - α/2; n, q) + 1; l may be 0 and r n + 1, which are ranks of no
    observation.
    """
    tail = (1 - confidence) / 2
    return _binomial_quantile(tail, n, q), _binomial_quantile(1 - tail, n, q) + 1


def _binomial_quantile(share: float, n: int, p: float) -> int:
    """The least k with at least that probability of at most k events, by bisection."""
    return bisect_left(range(n), share, key=lambda k: binomial_at_most(k, n, p))


def compare_buckets(treatment_counts: Sequence[float], control_counts: Sequence[float]) -> BucketComparison:
    """Brunner & Munzel's test on counts per bucket (not cumulative), with Satterthwaite's t (Brunner & Munzel
    2000, Biom. J. 42:17).

    Where the arms do not overlap at all, or all requests are in one bucket, there is no variance to estimate:
    then the limits and the p-value are those of as many independent pairs as the smaller arm has requests
    (Clopper & Pearson 1934, Biometrika 26:404; the sign test). A single request in an arm tells nothing: 0 to
    1, p 1. ValueError for negative counts, buckets of different number, or an arm without a request.
    """
    _check(treatment_counts, control_counts)
    n2, n1 = math.fsum(treatment_counts), math.fsum(control_counts)
    slower2, slower1 = _placements(control_counts), _placements(treatment_counts)
    chance = math.fsum(count * share for count, share in zip(treatment_counts, slower2, strict=True)) / n2
    if min(n2, n1) < 2:
        return BucketComparison(chance, 0.0, 1.0, 1.0)
    spread2, spread1 = (
        _variance(treatment_counts, slower2, chance) / n2,
        _variance(control_counts, slower1, 1 - chance) / n1,
    )
    variance = spread2 + spread1
    if variance == 0:
        return _without_variance(chance, math.floor(min(n2, n1)))
    freedom = variance**2 / (spread2**2 / (n2 - 1) + spread1**2 / (n1 - 1))
    error = math.sqrt(variance)
    half = student_t_quantile(0.975, freedom) * error
    p_value = min(1.0, 2 * student_t_below(-abs(chance - 0.5) / error, freedom))
    return BucketComparison(chance, max(0.0, chance - half), min(1.0, chance + half), p_value)


def _without_variance(chance: float, pairs: int) -> BucketComparison:
    """All pairs alike: all slower, all quicker, or all in one bucket; so often at least is each in truth."""
    surely = 0.025 ** (1 / pairs)
    if chance == 0.5:
        return BucketComparison(chance, surely / 2, 1 - surely / 2, 1.0)
    p_value = min(1.0, 2.0 ** (1 - pairs))
    return (
        BucketComparison(chance, surely, 1.0, p_value)
        if chance > 0.5
        else BucketComparison(chance, 0.0, 1 - surely, p_value)
    )


def _placements(other: Sequence[float]) -> list[float]:
    """For each bucket the share of the other arm's requests that are quicker, those in the same bucket by
    half.
    """
    n, below = math.fsum(other), accumulate(other, initial=0.0)
    return [(quicker + count / 2) / n for quicker, count in zip(below, other, strict=False)]


def _variance(counts: Sequence[float], shares: Sequence[float], mean: float) -> float:
    """Sample variance of the placements."""
    n = math.fsum(counts)
    return math.fsum(count * (share - mean) ** 2 for count, share in zip(counts, shares, strict=True)) / (
        n - 1
    )


def _check(treatment_counts: Sequence[float], control_counts: Sequence[float]) -> None:
    if len(treatment_counts) != len(control_counts):
        raise ValueError(
            f"control_counts has {len(control_counts)} buckets and treatment_counts "
            f"{len(treatment_counts)}; both arms must share them"
        )
    for name, counts in (("treatment_counts", treatment_counts), ("control_counts", control_counts)):
        if any(not 0 <= count < math.inf for count in counts) or math.fsum(counts) <= 0:
            raise ValueError(
                f"{name} is {list(counts)}; counts must be finite, not negative, and hold a request"
            )


def quantile_interval(
    upper_bounds: Sequence[float], cumulative_counts: Sequence[float], q: float, confidence: float = 0.95
) -> QuantileInterval:
    """Edges of the buckets that hold the order statistics between which the q-quantile lies, so that it is in
    them at least so surely.

    Nothing is interpolated but `point`. ValueError for bounds that do not grow to +Inf, counts that are
    negative, fall or are all 0, or q or confidence out of range.
    """
    _check_histogram(upper_bounds, cumulative_counts, q, confidence)
    counts = [round(count) for count in cumulative_counts]
    first, last = order_ranks(counts[-1], q, confidence)
    index = next(i for i, count in enumerate(counts) if count >= max(1, first))
    low = (
        (upper_bounds[index - 1] if index else min(0.0, upper_bounds[0]))
        if first
        else min(0.0, upper_bounds[0])
    )
    high = next((bound for bound, count in zip(upper_bounds, counts, strict=True) if count >= last), math.inf)
    found = bucket_quantile(upper_bounds, cumulative_counts, q)
    assert found is not None  # noqa: S101 checked above
    return QuantileInterval(low, high, found.point)


def _check_histogram(
    upper_bounds: Sequence[float], cumulative_counts: Sequence[float], q: float, confidence: float
) -> None:
    bounds, counts = list(upper_bounds), list(cumulative_counts)
    if len(bounds) < 2 or any(not low < high for low, high in pairwise(bounds)) or not math.isinf(bounds[-1]):
        raise ValueError(f"upper_bounds is {bounds}; at least two bounds must grow, the last being +Inf")
    is_whole = len(counts) == len(bounds) and all(0 <= count < math.inf for count in counts)
    if not is_whole or counts != sorted(counts) or round(counts[-1]) < 1:
        raise ValueError(
            f"cumulative_counts is {counts}; one finite count for each bound, never falling, "
            "with at least one request"
        )
    for name, value in (("q", q), ("confidence", confidence)):
        if not 0 < value < 1:
            raise ValueError(f"{name} is {value}; it must be above 0 and below 1")
