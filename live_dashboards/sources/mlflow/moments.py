"""MLflow's times, milliseconds since 1970 in UTC, which a caller of MLflow may set to anything."""

from __future__ import annotations

import math
from datetime import UTC, datetime

# the year 9000: to what a calendar's last day holds nothing can be added, not even a zone's hours
_END_OF_TIME_MS = 221_845_392_000_000


def moment_or_none(milliseconds: int | None) -> datetime | None:
    """The moment, None where there is none or it is no time from which a calendar goes on."""
    if milliseconds is None or not 0 < milliseconds < _END_OF_TIME_MS:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def milliseconds(moment: datetime) -> int:
    """The moment in MLflow's unit."""
    return math.floor(moment.timestamp() * 1000)
