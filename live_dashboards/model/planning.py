"""A test before it starts: what it is planned from, and how long each gate takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from live_dashboards.model.measurement import Interval
from live_dashboards.model.names import short

MEASURED, GIVEN, SETTING, ASSUMED = "measured", "given", "setting", "assumed"
REQUESTS, TEST_ROWS = "requests", "test rows an arm"


@dataclass(frozen=True, slots=True)
class Given:
    """What was given instead of being asked of the sources: rates in percent, the effect in points."""

    accuracy_percent: float | None = None
    error_rate_percent: float | None = None
    too_slow_percent: float | None = None
    requests_a_day: float | None = None
    overdispersion: float | None = None
    power_percent: float = 80.0


@dataclass(frozen=True, slots=True)
class PlanInput:
    """A number that the plan starts from; `origin` is measured (of a source, by that query, until that
    moment, of `n`), given (by the option that `source` names), setting, or assumed. None for the reason.

    `interval` is that of a share, or the least and the most of the days of what comes a day; words say the
    value and where it is from.
    """

    name: str
    title: str
    value: float | None
    unit: str
    origin: str
    source: str = ""
    query: str = ""
    n: int | None = None
    interval: Interval | None = None
    observed_at: datetime | None = None
    reason: str = ""
    option: str = ""
    value_words: str = ""
    origin_words: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """So many requests of all arms, or test rows of each, and days at the quickest and the slowest of the
    last days, of which an end of None is beyond half a year. None of either for the reason.
    """

    amount: float | None
    days: Interval | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlannedGate:
    """What a gate takes: `sequential` however often one looks (or however often models are retrained),
    `fixed` at one look. `gate` is success or a guardrail's name; `reason`: why neither is known.

    `difference_points` is the effect that is to be found, or the margin that is not to be passed.
    """

    gate: str
    metric: str
    title: str
    unit: str
    baseline_percent: float | None
    difference_points: float
    sequential: Need
    fixed: Need
    reason: str = ""
    sequential_words: str = ""
    fixed_words: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class AbPlan:
    """What a test takes before it starts. `planned_requests` is the AB_PLANNED_REQUESTS to set, `days` how
    long they take; `splits` are the planned splits in words, `challengers` those that share each level.
    `words` say all of it, the last but one what to set.
    """

    at: datetime
    experiment: str | None
    baseline: str
    challengers: tuple[str, ...]
    splits: tuple[str, ...]
    power_percent: float
    minimum_days: float
    gates: tuple[PlannedGate, ...]
    inputs: tuple[PlanInput, ...]
    planned_requests: int | None
    days: Interval | None
    reason: str = ""
    words: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return short("AbPlan", self.baseline, f"{self.planned_requests or self.reason}")

    def value(self, name: str) -> PlanInput:
        """The input of that name."""
        return next(each for each in self.inputs if each.name == name)
