"""Waiting for what another thread or process does, as long as a busy machine needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

LONGEST_SECONDS = 600.0  # the end of waiting for what should be there at once: it costs time only where a test fails

_POLL_SECONDS = 0.01
Found = TypeVar("Found")


def wait_until(holds: Callable[[], Found], what: str = "it") -> Found:
    """What `holds` gives once it is true; a failure where it never is."""
    give_up = time.monotonic() + LONGEST_SECONDS
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < give_up, f"{what} did not happen in {LONGEST_SECONDS:.0f} s; last seen: {found!r}"
        time.sleep(_POLL_SECONDS)
