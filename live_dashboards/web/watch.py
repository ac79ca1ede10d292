"""One question that is asked again and again: what is shown of it, and when it is to be asked next. Values
only; the refresher acts on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from live_dashboards.model.last_good import LastGood
from live_dashboards.model.snapshot import MlflowAnswer, PrometheusAnswer, Snapshot, SourceState
from live_dashboards.settings import Settings

_LONGEST_WAIT_SECONDS = 60.0
_LONGEST_WAIT_INTERVALS = 5
_MANY = 99
_STALE_AFTER_INTERVALS = 4
_A_LITTLE_SECONDS = 0.05


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
