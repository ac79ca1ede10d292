"""A native histogram as Prometheus answers it: count, sum and its filled buckets, of whatever schema, and the
classic buckets that say the same.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """One sample: how many observations, their sum, and by lower and upper edge how many lie in each filled
    bucket, in their order.
    """

    count: float
    sum: float
    buckets: tuple[tuple[float, float, float], ...] = ()

    def straddled(self, edges: Sequence[float]) -> set[float]:
        """The edges, given in order, within filled buckets: how many observations lie below them is not
        known.
        """
        return {
            edge
            for low, high, count in self.buckets
            if count
            for edge in edges[bisect_right(edges, low) : bisect_left(edges, high)]
        }

    def cumulative(self, edges: Sequence[float]) -> tuple[float, ...]:
        """How many observations are not above each edge, none of which is straddled; all of them below +Inf,
        also those that are no number.
        """
        counts = (0.0, *accumulate(count for _, _, count in self.buckets))
        ends = [high for _, high, _ in self.buckets]
        return tuple(self.count if math.isinf(edge) else counts[bisect_right(ends, edge)] for edge in edges)


@dataclass(frozen=True, slots=True)
class HistogramSeries:
    """The histograms of one set of labels, with their moments in unix seconds."""

    labels: Labels
    points: tuple[tuple[float, Histogram], ...]


def parse_histogram(document: Mapping[str, Any]) -> Histogram:
    """The histogram in a sample's JSON; ValueError, KeyError or TypeError where it is none."""
    buckets = tuple(
        sorted((float(low), float(high), float(count)) for _, low, high, count in document.get("buckets", ()))
    )
    found = Histogram(float(document["count"]), float(document["sum"]), buckets)
    if any(math.isnan(edge) for low, high, _ in buckets for edge in (low, high)) or not all(
        map(math.isfinite, (found.count, *(count for *_, count in buckets)))
    ):
        raise ValueError("a histogram of what is no number")
    return found
