"""Settings that are more than a text or a number: a business parameter, which may be a range of what is
thought possible, and how traffic was to be split, and since when: a ramp has one plan after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """The planned share (0 to 1) of each variant from a moment on; None is from the start of the test on."""

    since: datetime | None
    shares: tuple[tuple[str, float], ...]

    def share(self, variant: str) -> float:
        """The variant's planned share; 0 for one that the plan does not name."""
        return dict(self.shares).get(variant, 0.0)
