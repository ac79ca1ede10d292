"""Asks the sources in the background, once an interval and question, however many browsers look; whoever
looks never waits.

Of one question that is asked again and again `Watch` says what is shown, and when it is to be asked next:
values only; the refresher acts on them.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from live_dashboards.errors import DashboardError, UsageError
from live_dashboards.model.codec import LastGood
from live_dashboards.model.snapshot import (
    MLFLOW,
    PROMETHEUS,
    ChosenTest,
    MlflowAnswer,
    PrometheusAnswer,
    Snapshot,
    SourceState,
)
from live_dashboards.settings import Settings
from live_dashboards.web.view import View

MOST_QUESTIONS = 16
_AT_ONCE = 4
_FORGET_AFTER_INTERVALS, _FORGET_AFTER_SECONDS = 10, 300.0
_LONGEST_SLEEP_SECONDS = 5.0

_LONGEST_WAIT_SECONDS = 60.0
_LONGEST_WAIT_INTERVALS = 5
_MANY = 99
_STALE_AFTER_INTERVALS = 4
_A_LITTLE_SECONDS = 0.05


class BusyError(DashboardError):
    """More different views are open than this process takes on."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told: `on_fetch` of every fetch with its duration, `on_news` of every watch that has something
    new to show, `on_answer` of what to keep of it.
    """

    on_news: Callable[[View, Watch], None]
    on_fetch: Callable[[View, Snapshot, float], None]
    on_answer: Callable[[View, LastGood], None] = lambda *_: None


class Refresher:
    """The questions that somebody looks at, each asked anew when it is due; `start` begins with the settings'
    own one, which is never forgotten.

    `ask` is given the experiment that MLflow last chose for the question; it raises nothing but UsageError,
    for a question that cannot be answered. The listener raises nothing, nor does `recall`, which gives what
    an earlier process was last answered to a question.
    """

    def __init__(
        self,
        ask: Callable[[View, ChosenTest | None], Snapshot],
        pace: Pace,
        listener: Listener,
        *,
        recall: Callable[[View], LastGood] = lambda _: LastGood(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pace = pace
        self._ask, self._listener, self._recall, self._clock = ask, listener, recall, clock
        self._watches: dict[View, Watch] = {}
        self._fetching: set[View] = set()
        self._seen: dict[str, tuple[datetime, float]] = {}
        self._versions = itertools.count(1)
        self._wake = threading.Condition()
        self._is_stopped = False
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="refresh")
        # of its own: what is too old goes even while every fetch hangs
        self._ageing = ThreadPoolExecutor(1, thread_name_prefix="age")
        self._thread = threading.Thread(target=self._run, name="refresher", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self.look(View())
        self._thread.start()

    def stop(self) -> None:
        """Ask nothing more; a fetch under way is left to its own deadline."""
        with self._wake:
            self._is_stopped = True
            self._wake.notify_all()
        for pool in (self._pool, self._ageing):
            pool.shutdown(wait=False, cancel_futures=True)

    def look(self, question: View) -> Watch:
        """What is known now, at once; a question that nobody asked before is asked from now on. BusyError
        where there are too many of them.
        """
        now = self._clock()
        with self._wake:
            watch = self._watches.get(question)
            if watch is None:
                self._make_room(now)
                watch = Watch(asked=now, due=now)
                self._wake.notify_all()
            self._watches[question] = watch = replace(watch, asked=now)
            return watch

    def next_seconds(self, question: View) -> float:
        """Until that question is due again."""
        with self._wake:
            watch = self._watches.get(question)
        return self.pace.interval_seconds if watch is None else max(0.0, watch.due - self._clock())

    def _make_room(self, now: float) -> None:
        """Where all places are taken, one of a refused question is given away, else the one that nobody
        looked at for longest, if nobody does now.
        """
        if len(self._watches) < MOST_QUESTIONS:
            return
        others = {
            question: (not watch.refused, watch.asked)
            for question, watch in self._watches.items()
            if question != View()
        }
        oldest = min(others, key=lambda question: others[question])
        is_used, asked = others[oldest]
        if is_used and now - asked < 2 * self.pace.interval_seconds:
            raise BusyError(
                f"{MOST_QUESTIONS} different experiments and windows are being watched "
                "already; close some pages or try again in a minute"
            )
        del self._watches[oldest]

    def _run(self) -> None:
        with self._wake:
            while not self._is_stopped:
                self._wake.wait(self._step(self._clock()))

    def _step(self, now: float) -> float:
        """Starts what is due and forgets what nobody looks at; the seconds until something is due."""
        forget_after = max(_FORGET_AFTER_INTERVALS * self.pace.interval_seconds, _FORGET_AFTER_SECONDS)
        for question, watch in list(self._watches.items()):
            if question != View() and now - watch.asked > forget_after:
                del self._watches[question]
                continue
            if watch.due <= now and question not in self._fetching:
                self._fetching.add(question)
                self._pool.submit(self._fetch, question)
            if watch.expires is not None and watch.expires <= now:
                self._watches[question] = replace(watch, expires=None)
                self._ageing.submit(
                    self._show,
                    question,
                    lambda watch: watch.aged(datetime.now(UTC), self._clock(), self.pace),
                )
        due = [watch.due for question, watch in self._watches.items() if question not in self._fetching]
        expiring = [watch.expires for watch in self._watches.values() if watch.expires is not None]
        return max(0.01, min([_LONGEST_SLEEP_SECONDS, *(moment - now for moment in (*due, *expiring))]))

    def _fetch(self, question: View) -> None:
        began = self._clock()
        try:
            fetched = self._ask(question, self._begun(question))
        except UsageError as error:
            reason = str(error)
            self._change(question, lambda watch: watch.refuse(reason, self._clock(), self.pace))
        else:
            self._listener.on_fetch(question, fetched, self._clock() - began)
            self._remember(fetched)
            shown = self._show(
                question, lambda watch: self._knowing(watch).after(fetched, self._clock(), self.pace)
            )
            if shown is not None and shown.failures == 0:
                self._listener.on_answer(question, shown.kept)
        finally:
            with self._wake:
                self._fetching.discard(question)
                self._wake.notify_all()

    def last_answer_age_seconds(self, source: str) -> float | None:
        """Since that source last answered any question; None where it never did."""
        with self._wake:
            seen = self._seen.get(source)
        return None if seen is None else self._clock() - seen[1]

    def _begun(self, question: View) -> ChosenTest | None:
        """The test that MLflow last chose for the question; of a new one, what an earlier process knew of it
        is recalled first. Another window of no experiment in particular begins with the page's own.
        """
        with self._wake:
            watch, first = self._watches.get(question), self._watches.get(View())
        if watch is not None and watch.fetched is None and watch.kept == LastGood():
            kept, at, now = self._recall(question), datetime.now(UTC), self._clock()
            watch = self._change(question, lambda watch: watch.recalling(kept, at, now))
            self._remember_recalled(kept, watch)
        own = None if watch is None else watch.kept.chosen
        if own is None and question.experiment is None and first is not None:
            return first.kept.chosen
        return own

    def _remember(self, fetched: Snapshot) -> None:
        """Which sources have answered, whatever they were asked: one that did is never simulated."""
        with self._wake:
            for status in (fetched.mlflow.status, fetched.prometheus.status):
                if status.state is SourceState.ANSWERED:
                    self._seen[status.source] = fetched.at, self._clock()

    def _remember_recalled(self, kept: LastGood, watch: Watch | None) -> None:
        """A source that answered an earlier process is not simulated in any view of this one."""
        moments = zip(
            (MLFLOW, PROMETHEUS),
            (kept.mlflow_at, kept.prometheus_at),
            () if watch is None else watch.answered_at,
            strict=False,
        )
        with self._wake:
            for source, moment, answered_at in moments:
                if moment is not None:
                    self._seen.setdefault(source, (moment, answered_at))

    def _knowing(self, watch: Watch) -> Watch:
        mlflow_at, prometheus_at = (
            self._seen[source][0] if source in self._seen else None for source in (MLFLOW, PROMETHEUS)
        )
        return replace(watch, kept=watch.kept.seen_elsewhere(mlflow_at, prometheus_at))

    def _show(self, question: View, change: Callable[[Watch], Watch]) -> Watch | None:
        watch = self._change(question, lambda before: replace(change(before), version=next(self._versions)))
        if watch is not None and watch.shown is not None:
            self._listener.on_news(question, watch)
        return watch

    def _change(self, question: View, change: Callable[[Watch], Watch]) -> Watch | None:
        """The changed watch; None where it was forgotten meanwhile."""
        with self._wake:
            watch = self._watches.get(question)
            if watch is not None:
                watch = self._watches[question] = change(watch)
            return watch


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the sources are asked, and how long an earlier answer is shown."""

    interval_seconds: float
    limit_seconds: float

    @property
    def silent_after_seconds(self) -> float:
        """After how long without a new answer a live one is over: the limit, but never less than the wait for
        the next one takes.
        """
        return max(self.limit_seconds, 2 * self.interval_seconds)

    def wait_seconds(self, failures: int) -> float:
        """Until the next fetch: the interval; after fetches that brought nothing twice as long each time, up
        to five intervals or a minute.
        """
        if failures == 0:
            return self.interval_seconds
        longest = min(_LONGEST_WAIT_INTERVALS * self.interval_seconds, _LONGEST_WAIT_SECONDS)
        return min(self.interval_seconds * 2.0 ** min(failures - 1, 16), longest)


def pace_of(settings: Settings) -> Pace:
    """How often the sources are asked, and how long an earlier answer is shown, by the settings."""
    interval = float(settings["DASHBOARD_REFRESH_INTERVAL"])
    return Pace(
        interval, float(settings["DASHBOARD_STALE_AFTER_SECONDS"] or _STALE_AFTER_INTERVALS * interval)
    )


@dataclass(frozen=True, slots=True)
class Watch:
    """`fetched` is what the sources answered last, `shown` that with earlier answers in the gaps.

    Times are seconds of one monotonic clock, since a wall clock may be put back. `refused` says why the
    question cannot be answered. `expires` is when something shown becomes too old. `fetched_at` and
    `answered_at` (MLflow's and Prometheus') are when the last fetch ended and when each source last answered.
    `version` grows with every change of what is shown.
    """

    asked: float
    due: float
    fetched: Snapshot | None = None
    shown: Snapshot | None = None
    refused: str = ""
    failures: int = 0
    expires: float | None = None
    kept: LastGood = field(default_factory=LastGood)
    fetched_at: float = 0.0
    answered_at: tuple[float, float] = (0.0, 0.0)
    version: int = 0

    def recalling(self, kept: LastGood, at: datetime, now: float) -> Watch:
        """With what an earlier process was answered, as old as the wall clock says."""
        mlflow_age, prometheus_age = (
            0.0 if moment is None else abs((at - moment).total_seconds())
            for moment in (kept.mlflow_at, kept.prometheus_at)
        )
        return replace(self, kept=kept, answered_at=(now - mlflow_age, now - prometheus_age))

    def after(self, fetched: Snapshot, now: float, pace: Pace) -> Watch:
        """With a new answer of the sources."""
        states = (fetched.mlflow.status.state, fetched.prometheus.status.state)
        answered = [
            now if state is SourceState.ANSWERED else before
            for state, before in zip(states, self.answered_at, strict=True)
        ]
        failures = 0 if SourceState.ANSWERED in states else self.failures + 1
        made = replace(
            self,
            fetched=fetched,
            kept=self.kept.after(fetched),
            failures=failures,
            refused="",
            due=now + pace.wait_seconds(failures),
            fetched_at=now,
            answered_at=(answered[0], answered[1]),
        )
        return made.aged(fetched.at, now, pace)

    def aged(self, at: datetime, now: float, pace: Pace) -> Watch:
        """The same answer looked at later: what has become too old meanwhile is not shown any more, nor is an
        answer after which none came.
        """
        if self.fetched is None:
            return self  # refused meanwhile
        fetched = replace(self.fetched, at=at)
        if now - self.fetched_at > pace.silent_after_seconds:
            fetched = _silent(fetched, pace)
        shown = self.kept.fill(
            fetched, pace.limit_seconds, (now - self.answered_at[0], now - self.answered_at[1])
        )
        return replace(self, shown=shown, expires=_next_end(self, shown, now, pace))

    def refuse(self, reason: str, now: float, pace: Pace) -> Watch:
        """The question cannot be answered as things are, such as for an experiment that does not exist; it is
        asked again as seldom as can be.
        """
        return replace(
            self, refused=reason, due=now + pace.wait_seconds(_MANY), expires=None, fetched=None, shown=None
        )


def _silent(fetched: Snapshot, pace: Pace) -> Snapshot:
    """The snapshot of sources that gave an answer, but none since longer than the limit."""
    words, fix = f"no answer for more than {pace.silent_after_seconds:g} s", "see the web page's log"
    mlflow, prometheus = fetched.mlflow, fetched.prometheus
    if mlflow.status.state is SourceState.ANSWERED:
        mlflow = MlflowAnswer(replace(mlflow.status, state=SourceState.FAILED, reason=words, fix=fix))
    if prometheus.status.state is SourceState.ANSWERED:
        prometheus = PrometheusAnswer(
            replace(prometheus.status, state=SourceState.FAILED, reason=words, fix=fix)
        )
    return replace(fetched, mlflow=mlflow, prometheus=prometheus)


def _next_end(watch: Watch, shown: Snapshot, now: float, pace: Pace) -> float | None:
    """When the next of the shown answers becomes too old; a little later, so that it surely is."""
    lives = {SourceState.ANSWERED: pace.silent_after_seconds, SourceState.CACHED: pace.limit_seconds}
    states = (shown.mlflow.status.state, shown.prometheus.status.state)
    ends = [
        at + lives[state] + _A_LITTLE_SECONDS
        for state, at in zip(states, watch.answered_at, strict=True)
        if state in lives
    ]
    return max(now, min(ends)) if ends else None
