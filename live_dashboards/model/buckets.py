"""Cumulative buckets of a histogram: a quantile within them, as Prometheus computes it, with the bucket that
holds it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

NO_FINITE_BUCKET = (
    "the histogram has no bucket but +Inf, as one that is native only has where Prometheus "
    "does not scrape native histograms"
)


@dataclass(frozen=True, slots=True)
class BucketQuantile:
    """A quantile interpolated within its bucket, and the bucket's edges; `high` is inf in the last bucket.
    Same unit as the edges.
    """

    point: float
    low: float
    high: float


def bucket_quantile(
    upper_bounds: Sequence[float], cumulative_counts: Sequence[float], q: float
) -> BucketQuantile | None:
    """The q-quantile of a histogram, None where it holds nothing or has no +Inf bucket.

    Linear within the bucket, and the highest finite edge in the +Inf bucket, as `histogram_quantile` does
    (prometheus.io, querying/functions). The true value lies somewhere in the bucket.
    """
    if not upper_bounds or not math.isinf(upper_bounds[-1]) or len(upper_bounds) < 2:
        return None
    counts = non_decreasing(cumulative_counts)
    rank = q * counts[-1]
    if counts[-1] <= 0:
        return None
    index = next(i for i, count in enumerate(counts) if count >= rank and count > 0)
    low = upper_bounds[index - 1] if index else min(0.0, upper_bounds[0])
    if index == len(counts) - 1:
        return BucketQuantile(upper_bounds[-2], upper_bounds[-2], math.inf)
    below = counts[index - 1] if index else 0.0
    share = (rank - below) / (counts[index] - below) if counts[index] > below else 1.0
    return BucketQuantile(low + (upper_bounds[index] - low) * share, low, upper_bounds[index])


def non_decreasing(counts: Sequence[float]) -> list[float]:
    """Counts forced to grow: what is extrapolated or read at two moments may differ in the last digits."""
    grown: list[float] = []
    for count in counts:
        grown.append(max(count, grown[-1]) if grown else count)
    return grown
