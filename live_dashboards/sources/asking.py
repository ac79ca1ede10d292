"""Asks a source in a thread of its own, within its deadline; a failure becomes a status that says why."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from live_dashboards.errors import SourceError

Result = TypeVar("Result")
# a source notices its own deadline first and says what it was doing; the thread is given up only after this
_GRACE_SECONDS = 0.5


@dataclass(slots=True)
class Deadline:
    """A moment on the monotonic clock by which a source must have answered."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def remaining_seconds(self) -> float:
        """What is left, never below 0."""
        return max(0.0, self.started + self.seconds - time.monotonic())

    @property
    def elapsed_seconds(self) -> float:
        """What has passed."""
        return time.monotonic() - self.started


class Asking(Generic[Result]):
    """One question to a source, under way in a daemon thread, so that a hanging name lookup cannot keep the
    process alive.
    """

    def __init__(self, name: str, ask: Callable[[], Result]) -> None:
        self._ask = ask
        self._done = threading.Event()
        self._result: Result | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        try:
            self._result = self._ask()
        except BaseException as error:  # noqa: BLE001 carried to the asking thread and raised there
            self._error = error
        finally:
            self._done.set()

    def wait(self, seconds: float) -> None:
        """Until it has ended, however it did, or the seconds have passed."""
        self._done.wait(seconds)

    def result(self, deadline: Deadline, *, abort: Callable[[], None], what: str) -> Result:
        """The answer; SourceError after the deadline, whatever the question raised otherwise."""
        if not self._done.wait(deadline.remaining_seconds + _GRACE_SECONDS):
            abort()
            raise SourceError(
                f"{what} gave no answer in {deadline.seconds:g} s",
                "check the network and raise SOURCE_TIMEOUT_SECONDS if it is only slow",
                "timeout",
            )
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]
