"""A business parameter: a point, or a range of what is thought possible."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amount:
    """Low and high of an assumed amount, in the setting's own unit; both equal for a point."""

    low: float
    high: float

    @property
    def point(self) -> float:
        """The midpoint."""
        return (self.low + self.high) / 2

    @property
    def is_range(self) -> bool:
        """Whether low and high differ."""
        return self.low != self.high
