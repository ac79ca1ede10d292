"""Holds back the questions to a server that asks for fewer, until it may be asked again or the deadline is
over.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from live_dashboards.errors import SourceError
from live_dashboards.sources.asking import Deadline

_FIRST_PAUSE_SECONDS = 0.25  # where the server does not say how long; each further refusal in turn doubles it


class BusyError(SourceError):
    """The server wants to be asked later: in `wait_seconds`, None where it does not say."""

    def __init__(self, reason: str, fix: str, code: str, wait_seconds: float | None) -> None:
        super().__init__(reason, fix, code)
        self.wait_seconds = wait_seconds


class Brake:
    """One for all threads that ask a server: what it refuses to one of them holds all of them back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refusal: BusyError | None = None
        self._refusals_in_turn = 0
        self._released_at = 0.0  # on the monotonic clock
        self._aborted = threading.Event()

    def hold(self, refusal: BusyError) -> None:
        """Ask nothing for as long as the server wants; refusals that come together count as one."""
        now = time.monotonic()
        with self._lock:
            if now >= self._released_at:
                self._refusals_in_turn += 1
            own_seconds = _FIRST_PAUSE_SECONDS * 2 ** (self._refusals_in_turn - 1)
            wanted_seconds = (
                own_seconds
                if refusal.wait_seconds is None
                else max(refusal.wait_seconds, _FIRST_PAUSE_SECONDS)
            )
            self._released_at = max(self._released_at, now + wanted_seconds)
            self._refusal = refusal

    def passed(self) -> None:
        """A question was answered."""
        with self._lock:
            self._refusals_in_turn = 0

    def wait(self, deadline: Deadline) -> None:
        """Until the server may be asked; its refusal is raised, at once, where that is after the deadline."""
        while (left_seconds := self._released_at - time.monotonic()) > 0:
            if self._refusal is not None and (
                left_seconds >= deadline.remaining_seconds or self._aborted.wait(left_seconds)
            ):
                raise self._refusal

    def abort(self) -> None:
        """Let nobody wait any more."""
        self._aborted.set()


def wait_seconds(retry_after: str | None) -> float | None:
    """What a header Retry-After asks for (RFC 9110, 10.2.3): seconds, or until a moment; None where it is not
    there or none of both.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (zoned - datetime.now(UTC)).total_seconds())
