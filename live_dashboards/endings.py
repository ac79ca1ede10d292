"""How a run ends before its time: on SIGTERM and at its deadline it unwinds, so that no half-written file and no lock stay, but never while it writes its files."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

from live_dashboards.errors import DeadlineError

_AGAIN_SECONDS = 5.0  # a library may have swallowed the first one


class _Gate:
    """Raises what ends the run: at once, or when what is being written is whole."""

    def __init__(self) -> None:
        self._depth = 0
        self._waiting: BaseException | None = None

    def end(self, error: BaseException) -> None:
        if not self._depth:
            raise error
        self._waiting = self._waiting or error

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            waiting = self._waiting
            if not self._depth:
                self._waiting = None
        if waiting is not None and not self._depth:
            raise waiting


_gate = _Gate()


def undivided() -> contextlib.AbstractContextManager[None]:
    """What belongs together is written in here: what ends the run early waits until it is done."""
    return _gate.closed()


def end_cleanly_on(number: signal.Signals) -> None:
    """Lets the signal unwind the program; elsewhere than in the main thread the caller sees to it."""

    def leave(received: int, _: object) -> None:
        _gate.end(SystemExit(128 + received))

    if _is_main_thread():
        signal.signal(number, leave)


@contextlib.contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Raises DeadlineError in whatever goes on after that time; elsewhere than in the main thread, and for None, there is no deadline."""
    if seconds is None or not _is_main_thread():
        yield
        return

    def ring(_number: int, _frame: object) -> None:
        _gate.end(DeadlineError(f"the run was not over after {seconds:g} s and was ended; raise RUN_TIMEOUT_SECONDS, or see with -v what takes so long"))

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
