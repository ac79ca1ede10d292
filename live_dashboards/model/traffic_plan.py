"""How traffic was to be split, and since when: a ramp has one plan after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """The planned share (0 to 1) of each variant from a moment on; None is from the start of the test on."""

    since: datetime | None
    shares: tuple[tuple[str, float], ...]

    def share(self, variant: str) -> float:
        """The variant's planned share; 0 for one that the plan does not name."""
        return dict(self.shares).get(variant, 0.0)
