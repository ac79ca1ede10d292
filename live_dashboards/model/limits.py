"""From where to where an axis goes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from live_dashboards.model.measurement import Interval

_ROUNDING = 1e-9


def finite_ends(values: Iterable[float | None], intervals: Iterable[Interval | None]) -> list[float]:
    """All values and closed interval ends."""
    ends = [value for value in values if value is not None]
    for interval in intervals:
        ends.extend(end for end in ((interval.low, interval.high) if interval else ()) if end is not None)
    return [end for end in ends if math.isfinite(end)]


def padded(
    values: Sequence[float], share: float = 0.08, *, floor: float | None = None, ceiling: float | None = None
) -> tuple[float, float]:
    """Limits around the values with some room, not beyond floor and ceiling; around nothing 0 to 1. Values
    that rounding alone tells apart are one.
    """
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    spread = high - low if high - low > _ROUNDING * max(abs(low), abs(high)) else 0.0
    room = spread * share or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room
    if floor is not None and low < floor <= min(values):
        low = floor
    if ceiling is not None and high > ceiling >= max(values):
        high = ceiling
    return low, high
