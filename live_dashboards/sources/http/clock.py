"""The server's clock, as the Date header of an answer tells it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

_ROUNDING_SECONDS = 0.5  # the header cuts fractions off


def clock_difference_seconds(response: requests.Response) -> float | None:
    """The server's clock minus ours, known to about half a second; None where the answer has no Date, or none
    that a calendar holds.
    """
    try:
        sent_at = parsedate_to_datetime(response.headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None
    half_way = datetime.now(UTC) - response.elapsed / 2
    zoned = sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC)
    return (zoned - half_way).total_seconds() + _ROUNDING_SECONDS
