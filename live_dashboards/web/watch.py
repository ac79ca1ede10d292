"""One question that is asked again and again: what is shown of it, and when it is to be asked next. Values only; the refresher acts on them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from live_dashboards.model.last_good import LastGood
from live_dashboards.model.snapshot import Snapshot, SourceState, SourceStatus

_LONGEST_WAIT_SECONDS = 60.0
_LONGEST_WAIT_INTERVALS = 5
_MANY = 99


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the sources are asked, and how long an earlier answer is shown."""

    interval_seconds: float
    limit_seconds: float

    def wait_seconds(self, failures: int) -> float:
        """Until the next fetch: the interval; after fetches that brought nothing twice as long each time, up to five intervals or a minute."""
        if failures == 0:
            return self.interval_seconds
        longest = min(_LONGEST_WAIT_INTERVALS * self.interval_seconds, _LONGEST_WAIT_SECONDS)
        return min(self.interval_seconds * 2.0 ** min(failures - 1, 16), longest)


@dataclass(frozen=True, slots=True)
class Watch:
    """`fetched` is what the sources answered last, `shown` that with earlier answers in the gaps; times are seconds of one monotonic clock.

    `refused` says why the question cannot be answered. `expires` is when something shown becomes too old.
    """

    asked: float
    due: float
    fetched: Snapshot | None = None
    shown: Snapshot | None = None
    refused: str = ""
    failures: int = 0
    expires: float | None = None
    kept: LastGood = field(default_factory=LastGood)

    def after(self, fetched: Snapshot, now: float, pace: Pace) -> Watch:
        """With a new answer of the sources."""
        kept = self.kept.after(fetched)
        failures = 0 if _answers(fetched) else self.failures + 1
        made = replace(self, fetched=fetched, kept=kept, failures=failures, refused="", due=now + pace.wait_seconds(failures))
        return made.aged(fetched.at, now, pace)

    def aged(self, at: datetime, now: float, pace: Pace) -> Watch:
        """The same answer looked at later: what has become too old meanwhile is not shown any more."""
        if self.fetched is None:
            return self  # refused meanwhile
        shown = self.kept.fill(replace(self.fetched, at=at), pace.limit_seconds)
        lives = [_life_seconds(shown, status, pace) for status in (shown.mlflow.status, shown.prometheus.status) if status.state is SourceState.CACHED]
        return replace(self, shown=shown, expires=now + min(lives) if lives else None)

    def refuse(self, reason: str, now: float, pace: Pace) -> Watch:
        """The question cannot be answered as things are, such as for an experiment that does not exist; it is asked again as seldom as can be."""
        return replace(self, refused=reason, due=now + pace.wait_seconds(_MANY), expires=None, fetched=None, shown=None)


def _answers(fetched: Snapshot) -> bool:
    return any(status.state is SourceState.ANSWERED for status in (fetched.mlflow.status, fetched.prometheus.status))


def _life_seconds(shown: Snapshot, status: SourceStatus, pace: Pace) -> float:
    """How long the earlier answer may still be shown; a little more, so that it is surely over then."""
    assert status.answered_at is not None  # noqa: S101 for the type checker
    return max(0.0, pace.limit_seconds - (shown.at - status.answered_at).total_seconds()) + 0.05
