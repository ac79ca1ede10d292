"""A clock that a test moves by hand: deadlines that pass by it alone, and timers that end what hangs, however long the machine stands still."""

from __future__ import annotations

from collections.abc import Callable

from live_dashboards.sources.asking import Deadline

_A_MOMENT_SECONDS = 0.001


class HandClock:
    """Stands still, unless `run_on` is called."""

    def __init__(self) -> None:
        self.now_seconds = 0.0
        self.timers: list[HandTimer] = []

    def deadline(self, seconds: float) -> Deadline:
        return HandDeadline(self, seconds)

    def timer(self, seconds: float, end: Callable[[], None]) -> HandTimer:
        """In place of threading.Timer."""
        return HandTimer(self, seconds, end)

    def run_on(self) -> None:
        """To the moment at which the next timer ends something."""
        timer = min(self.timers, key=lambda each: each.due_seconds)
        timer.cancel()
        self.now_seconds = max(self.now_seconds, timer.due_seconds) + _A_MOMENT_SECONDS
        timer.end()


class HandDeadline(Deadline):
    def __init__(self, clock: HandClock, seconds: float) -> None:
        super().__init__(seconds, clock.now_seconds)
        self._clock = clock

    @property
    def remaining_seconds(self) -> float:
        return max(0.0, self.seconds - self.elapsed_seconds)

    @property
    def elapsed_seconds(self) -> float:
        return self._clock.now_seconds - self.started


class HandTimer:
    daemon = False

    def __init__(self, clock: HandClock, seconds: float, end: Callable[[], None]) -> None:
        self.end = end
        self.due_seconds = clock.now_seconds + seconds
        self._clock = clock

    def start(self) -> None:
        self._clock.timers.append(self)

    def cancel(self) -> None:
        if self in self._clock.timers:
            self._clock.timers.remove(self)

    def join(self) -> None:
        pass
