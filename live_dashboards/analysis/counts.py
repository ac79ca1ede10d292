"""Events among trials and what a comparison of two arms says: the values that every formula for proportions
takes and gives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True, slots=True)
class Counts:
    """Events among n trials; ValueError where that is impossible."""

    events: int
    n: int

    def __post_init__(self) -> None:
        if not 0 < self.n < math.inf:
            raise ValueError(f"n is {self.n}; it must be above 0 and finite")
        if not 0 <= self.events <= self.n:
            raise ValueError(f"events is {self.events}; it must be from 0 to n = {self.n}")

    @property
    def proportion(self) -> float:
        """Events / n."""
        return self.events / self.n


@dataclass(frozen=True, slots=True)
class Comparison:
    """An effect of treatment against control with its interval, p-value and the method's name; fractions, not
    percent.
    """

    estimate: float | None
    low: float
    high: float
    p_value: float
    method: str
    n_treatment: int
    n_control: int


def normal_quantile(confidence: float) -> float:
    """The z of a two-sided interval; ValueError unless 0 < confidence < 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must be above 0 and below 1")
    # from the tail: 0.5 + confidence / 2 rounds to 1 near 1
    return -NormalDist().inv_cdf((1 - confidence) / 2)


def wilson(counts: Counts, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927, JASA 22:209); exactly 0 at no event and 1 at nothing
    but events.
    """
    z, n, p = normal_quantile(confidence), counts.n, counts.proportion
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if counts.events == 0 else max(0.0, centre - half)
    high = 1.0 if counts.events == n else min(1.0, centre + half)
    return min(low, p), max(high, p)
