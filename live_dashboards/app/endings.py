"""How a run ends before its time: on SIGTERM and at its deadline it unwinds, so that no half-written file and
no lock stay, but never while it writes its files.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from live_dashboards.errors import DeadlineError

# Python drops what is raised while it collects garbage or imports, so it is raised again
_AGAIN_SECONDS = 3.0
_SOON_SECONDS = 0.05


class _Gate:
    """Raises what ends the run: at once, or when what is being written is whole. The first reason to end
    stays the one.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._error: BaseException | None = None
        self._is_waiting = False

    def is_dropped(self, found: sys.UnraisableHookArgs) -> bool:
        """Whether Python has ignored what was to end the run."""
        return self._error is not None and found.exc_value is self._error

    def forget(self, kind: type[BaseException]) -> None:
        """Nothing of that kind is to end what comes next."""
        if isinstance(self._error, kind):
            self._error, self._is_waiting = None, False

    def end(self, error: BaseException) -> None:
        self._error = self._error or error
        self._is_waiting = self._depth > 0
        if not self._is_waiting:
            raise self._error

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
        if self._is_waiting and not self._depth and self._error is not None:
            self._is_waiting = False
            raise self._error


_gate = _Gate()


def undivided() -> contextlib.AbstractContextManager[None]:
    """What belongs together is written in here: what ends the run early waits until it is done."""
    return _gate.closed()


@contextlib.contextmanager
def ending_cleanly_on(number: signal.Signals) -> Iterator[None]:
    """Lets the signal unwind the program; elsewhere than in the main thread the caller sees to it."""
    if not _is_main_thread():
        yield
        return

    def leave(_number: int, _frame: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS, _AGAIN_SECONDS)
        _gate.end(SystemExit(128 + number))

    with _handling(number, leave), _handling(signal.SIGALRM, leave), _dropped_quietly():
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            _gate.forget(BaseException)


def heard() -> None:
    """What the signal asked for is being done in its own time, so the signal is not raised again."""
    if _is_main_thread():
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Raises DeadlineError in whatever goes on after that time; elsewhere than in the main thread, and for
    None, there is no deadline.
    """
    if seconds is None or not _is_main_thread():
        yield
        return

    def ring(_number: int, _frame: object) -> None:
        _gate.end(
            DeadlineError(
                f"the run was not over after {seconds:g} s and was ended; raise "
                "RUN_TIMEOUT_SECONDS, or see with -v what takes so long"
            )
        )

    with _handling(signal.SIGALRM, ring), _dropped_quietly():
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            _gate.forget(DeadlineError)


@contextlib.contextmanager
def _dropped_quietly() -> Iterator[None]:
    """What Python ignores of this is raised again at once, and no traceback tells of it."""
    before = sys.unraisablehook

    def hook(found: sys.UnraisableHookArgs) -> None:
        if _gate.is_dropped(found):
            signal.setitimer(signal.ITIMER_REAL, _SOON_SECONDS, _AGAIN_SECONDS)
        else:
            before(found)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


@contextlib.contextmanager
def _handling(number: signal.Signals, handler: Callable[[int, object], None]) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
