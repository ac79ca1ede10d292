"""What a browser is given at once: the newest page of its view, or why there is none yet. Views are shared,
forgotten when unused, and bounded.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from live_dashboards.errors import UsageError
from live_dashboards.model.codec import LastGood
from live_dashboards.model.snapshot import (
    MLFLOW,
    PROMETHEUS,
    ChosenTest,
    MlflowAnswer,
    PrometheusAnswer,
    Snapshot,
    SourceState,
    SourceStatus,
)
from live_dashboards.settings import Settings
from live_dashboards.web.metrics import Metrics
from live_dashboards.web.pages import Document, Page, PageMaker, Services
from live_dashboards.web.refresher import BusyError, Listener, Refresher, Watch, pace_of
from live_dashboards.web.view import View, settings_of

MOST_VIEWS = 64

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewestPage:
    """`page` None: nothing is there yet, or `refused` says why there never will be. `next_seconds` is when
    something new may be there.
    """

    page: Page | None
    refused: str
    next_seconds: float


@dataclass(frozen=True, slots=True)
class _OpenView:
    """A view that somebody looks at; `is_making`: its page is being made. `version` is that of what the page
    shows, `made` when it was.
    """

    looked: float
    page: Page | None = None
    is_making: bool = False
    version: int = 0
    made: float = 0.0


class Board:
    """Every view's newest page, made in the background whenever the sources have answered."""

    def __init__(self, services: Services, settings: Settings, document: Document, metrics: Metrics) -> None:
        self.settings, self.pace = settings, pace_of(settings)
        self._services, self._metrics = services, metrics
        self._maker = PageMaker(services, settings, document)
        self._places: dict[View, _OpenView] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="page")
        self._refresher = Refresher(
            self._ask, self.pace, Listener(self._on_news, metrics.fetched, self._keep), recall=self._recall
        )

    def start(self) -> None:
        """Begin to ask the sources; the first page is there as soon as they have answered."""
        self.look(View())
        self._refresher.start()

    def stop(self) -> None:
        """Ask and make nothing more."""
        self._refresher.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def look(self, view: View) -> NewestPage:
        """The view's newest page, without waiting for anything; BusyError where too many views are open."""
        watch = self._refresher.look(view.question)
        if watch.refused:
            return NewestPage(None, watch.refused, self.pace.interval_seconds)
        place = self._place(view)
        if watch.shown is None:
            # also where a page is left of the time before the question was forgotten
            return NewestPage(None, "", 1.0)
        if place.page is None and not place.is_making:
            self._make_later(view, watch)
        if place.page is None:
            return NewestPage(None, "", 1.0)
        return NewestPage(
            place.page if not place.page.refused else None,
            place.page.refused,
            self._refresher.next_seconds(view.question),
        )

    def age_seconds(self) -> float | None:
        """Since the settings' own page was made; None where there is none yet."""
        with self._lock:
            place = self._places.get(View())
        return None if place is None or place.page is None else time.monotonic() - place.made

    def last_answer_age_seconds(self, source: str) -> float | None:
        """Since that source last answered; None where it never did."""
        return self._refresher.last_answer_age_seconds(source)

    def _place(self, view: View) -> _OpenView:
        with self._lock:
            place = self._places.get(view)
            if place is None:
                self._make_room()
                place = _OpenView(time.monotonic())
            self._places[view] = place = replace(place, looked=time.monotonic())
            return place

    def _make_room(self) -> None:
        if len(self._places) < MOST_VIEWS:
            return
        others = {
            view: (place.page is None or not place.page.refused, place.looked)
            for view, place in self._places.items()
            if view != View()
        }
        oldest = min(others, key=lambda view: others[view])
        is_used, looked = others[oldest]
        if is_used and time.monotonic() - looked < 2 * self.pace.interval_seconds:
            raise BusyError(
                f"{MOST_VIEWS} different views are open already; close some pages or try again in a minute"
            )
        self._forget(oldest)

    def _forget(self, view: View) -> None:
        del self._places[view]
        self._maker.forget(view)

    def _ask(self, question: View, test: ChosenTest | None) -> Snapshot:
        """The sources' answers. A mistake in our own code is logged whole and shown as the failure that it
        is: what was there before grows old meanwhile.
        """
        chosen = settings_of(question, self.settings)
        try:
            return self._services.fetch(chosen, test)
        except UsageError:
            raise
        except Exception:
            log.exception("asking the sources failed")
            now = datetime.now(UTC)
            mlflow, prometheus = (
                SourceStatus(source, SourceState.FAILED, "could not be asked: see the web page's log")
                for source in (MLFLOW, PROMETHEUS)
            )
            return Snapshot(
                now, chosen.window_seconds, MlflowAnswer(mlflow), PrometheusAnswer(prometheus), now
            )

    def _recall(self, question: View) -> LastGood:
        return self._services.recall(settings_of(question, self.settings))

    def _keep(self, question: View, kept: LastGood) -> None:
        self._services.keep(settings_of(question, self.settings), kept)

    def _on_news(self, question: View, watch: Watch) -> None:
        """Makes the pages of the views of that question that somebody still looks at, the settings' own
        first.
        """
        forget_before = time.monotonic() - max(10 * self.pace.interval_seconds, 300.0)
        with self._lock:
            for view in [
                view
                for view, place in self._places.items()
                if place.looked < forget_before and view != View()
            ]:
                self._forget(view)
            views = sorted(
                (view for view in self._places if view.question == question), key=lambda view: view != View()
            )
        for view in views:
            self._make(view, watch)

    def _make_later(self, view: View, watch: Watch) -> None:
        with self._lock:
            if view in self._places:
                self._places[view] = replace(self._places[view], is_making=True)
        self._pool.submit(self._make, view, watch)

    def _make(self, view: View, watch: Watch) -> None:
        """Puts the page in its place unless a newer one is there; a page that cannot be made leaves the older
        one, which tells its age.
        """
        assert watch.shown is not None  # noqa: S101 for the type checker
        try:
            page = self._maker.make(view, watch.shown)
        except Exception:
            log.exception("the page could not be made")
            page = None
        with self._lock:
            place = self._places.get(view)
            if place is None:
                return
            if page is not None and place.version < watch.version:
                place = replace(place, page=page, version=watch.version, made=time.monotonic())
            self._places[view] = replace(place, is_making=False)
        if page is not None and view == View():
            self._metrics.shown(page)
