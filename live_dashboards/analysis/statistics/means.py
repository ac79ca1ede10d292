"""Differences of means within blocks of time, of which only sums and counts are known: how sure they are
follows from how much the blocks scatter.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sums:
    """What was added up in a block, and over how many."""

    total: float
    n: int

    @property
    def mean(self) -> float:
        """The mean of one; n must not be 0."""
        return self.total / self.n
