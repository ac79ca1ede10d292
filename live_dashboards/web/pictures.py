"""Pictures of the page on request: each drawn once a report, a few at a time, the newest kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from live_dashboards.errors import DashboardError
from live_dashboards.model.dashboards import Report

_MOST_KEPT = 4
_MOST_WAITING = 3


class Pictures:
    """Draws one picture at a time, so that many who ask at once do not slow the page down for all."""

    def __init__(self, draw: Callable[[Report], bytes]) -> None:
        self._draw = draw
        self._kept: OrderedDict[int, tuple[Report, bytes]] = OrderedDict()
        self._drawing = threading.Lock()
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    def of(self, report: Report) -> bytes:
        """The report's PNG; DashboardError where too many are asked for at once or it could not be drawn."""
        if (found := self._kept.get(id(report))) is not None:
            return found[1]
        if not self._waiting.acquire(blocking=False):
            raise DashboardError("several pictures are being drawn; try again in a few seconds")
        try:
            with self._drawing:
                return self._of_locked(report)
        finally:
            self._waiting.release()

    def _of_locked(self, report: Report) -> bytes:
        found = self._kept.get(id(report))
        if found is None:
            # the report is kept too, so that its id stays its own
            found = self._kept[id(report)] = report, self._draw(report)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found[1]
