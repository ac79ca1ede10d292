"""Latency quantiles from cumulative buckets, with the interval of what the counts leave open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from live_dashboards.analysis.bucket_tests import QuantileInterval, compare_buckets, order_ranks
from live_dashboards.model.buckets import BucketQuantile, bucket_quantile, non_decreasing

__all__ = [
    "BucketQuantile",
    "QuantileInterval",
    "bucket_quantile",
    "compare_buckets",
    "non_decreasing",
    "quantile_interval",
]


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
