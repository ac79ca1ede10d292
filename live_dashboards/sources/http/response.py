"""What is read of a server's response: no more than is allowed, its clock by the Date header, and JSON whose
texts are whole: it can write half a character, which no other text holds and no request can send on.
"""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

_ROUNDING_SECONDS = 0.5  # the header cuts fractions off

_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")  # of a surrogate pair; whole pairs begin alike


class Allowance:
    """The bytes that all answers of one reading may have together, whichever threads read them."""

    def __init__(self, limit_bytes: int) -> None:
        self._lock = threading.Lock()
        self._left_bytes = limit_bytes

    def take(self, count_bytes: int) -> bool:
        """Whether that many more bytes are allowed; once they were not, none are."""
        with self._lock:
            self._left_bytes -= count_bytes
            return self._left_bytes >= 0


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


def parse_json(body: bytes) -> Any:
    """What a body in UTF-8 holds; ValueError where it is no JSON, too deep, or holds half a character."""
    try:
        found = json.loads(body.decode("utf-8-sig"))  # strictly, as `loads` of bytes lets half a pair in
        if _HALF_PAIR.search(body):
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("JSON of endless depth") from error
    except UnicodeEncodeError as error:
        raise ValueError("JSON with what is no text") from error
    return found
