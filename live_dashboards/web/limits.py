"""How many files this process may have open, how many connections that leaves room for, and how often it is
told that there is none left.
"""

from __future__ import annotations

import errno
import logging
import resource
import sys
import time
from collections.abc import Callable

_RESERVED_FILES = 128  # for the sources, the pictures, the log and what libraries open
_LEAST_CONNECTIONS = 8
_MOST_CONNECTIONS = 1000
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_OVERFLOW_WORDS = "connection limit"
_QUIET_SECONDS = 60.0


def allow_many_files() -> int:
    """Lets the process open as many files as its user may, and tells how many these are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # some systems have a lower limit of their own beside it
        hard = soft
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


def most_connections(files_count: int, *, files_each: int) -> int:
    """How many connections there may be at once, where each needs so many files."""
    return min(max((files_count - _RESERVED_FILES) // files_each, _LEAST_CONNECTIONS), _MOST_CONNECTIONS)


def is_no_room(error: BaseException | None) -> bool:
    """Whether the machine or this process has no more files or memory for a connection."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


class Seldom(logging.Filter):
    """Lets a warning that there is no room for another connection pass once a minute, in one line; everything
    else passes as it is.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock, self._quiet_until = clock, float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written, without its traceback where it is of that kind."""
        error = record.exc_info[1] if record.exc_info else None
        if not is_no_room(error) and _OVERFLOW_WORDS not in record.getMessage():
            return True
        record.exc_info = record.exc_text = None
        now = self._clock()
        if now < self._quiet_until:
            return False
        self._quiet_until = now + _QUIET_SECONDS
        return True
