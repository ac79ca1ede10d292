"""How much may be read of a server that answers without end."""

from __future__ import annotations

import threading


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
