"""What is concluded: comparisons with their intervals, guardrails, the split test, what the test can detect,
and the verdict that follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.model.metrics import Metric, metric_of

SHOWN, NOT_SHOWN, HARM, UNKNOWN, WAIVED = "shown", "not_shown", "harm", "unknown", "waived"
BETTER, WORSE, OPEN = "better", "worse", "open"
SHIP, ROLL_BACK, KEEP_RUNNING = "SHIP", "ROLL BACK", "KEEP RUNNING"
NO_VERDICT, NO_DIFFERENCE = "NO VERDICT", "NO MEANINGFUL DIFFERENCE"


@dataclass(frozen=True, slots=True)
class Excluded:
    """A stretch of time that is left out of all arms, with its percentage of the test's requests."""

    begin: datetime
    end: datetime
    share_percent: float


@dataclass(frozen=True, slots=True)
class Period:
    """The analysis period; a start of None is unknown, for the reason. `is_whole`: nothing that was counted
    since the start is forgotten.

    `excluded` are the stretches that AB_EXCLUDE leaves out of it.
    """

    start: datetime | None
    end: datetime
    reason: str
    is_whole: bool = True
    excluded: tuple[Excluded, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelChange:
    """Another model under a variant's old name: since when, what tells it in words, and which source does."""

    variant: str
    at: datetime
    what: str
    source: str

    @property
    def label(self) -> str:
        """What stands at it over a time axis."""
        return f"new {self.variant}"


@dataclass(frozen=True, slots=True)
class Carried:
    """The contiguous tenth of the time that carries most of a harm: its percentage of the difference, and the
    difference (points) without it.
    """

    begin: datetime
    end: datetime
    share_percent: float
    without: float


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """Challenger minus baseline for one metric, as the JSON shows it; `low` and `high` None mean that there
    is no interval, and `reason` why.

    `sequential`: the interval stays valid however often one looks. `confidence` is 95 % over a family of that
    many challengers. Events that come in clusters count as n / `overdispersion`. `stale`: an input is older
    than it may be. `p_value_adjusted` is Holm's over the family, None where the metric is not the one that
    decides or there is one challenger. What accumulates is compared within blocks of time, so that `estimate`
    may differ from `pooled`, the difference of the two rates over all. Its `low` and `high` hold where
    requests depend on each other for hours and days, and decide what is better or safe; `harm_low` and
    `harm_high` find a harm early, and decide that alone. Of test sets that were compared `looks` times since
    the start of the test, the verdict goes by `judged_low` and `judged_high`; `low` and `high` are for one
    look. `carried`: what carries a harm, where some tenth of the time does. `descriptive`: why nothing may be
    concluded from it, empty where something may. `information` is n1 n2 / (n1 + n2) added up over the blocks
    that are compared, None where none are. `entry` is the metric where that is another than the catalogue's,
    as with AB_ACCURACY_METRIC=rmse.
    """

    metric: str
    treatment: str
    control: str
    estimate: float | None
    low: float | None
    high: float | None
    unit: str
    confidence: float
    p_value: float | None
    method: str
    n_treatment: int | None
    n_control: int | None
    sequential: bool
    is_higher_better: bool
    origin: Origin
    reason: str | None = None
    family: int = 1
    overdispersion: float = 1.0
    stale: bool = False
    p_value_adjusted: float | None = None
    pooled: float | None = None
    harm_low: float | None = None
    harm_high: float | None = None
    looks: int = 1
    judged_low: float | None = None
    judged_high: float | None = None
    carried: Carried | None = None
    descriptive: str = ""
    information: float | None = None
    entry: Metric | None = None

    @property
    def what(self) -> Metric:
        """The metric: its title, its words and its unit."""
        return self.entry or metric_of(self.metric)

    @property
    def verdict_limits(self) -> tuple[float | None, float | None]:
        """The limits by which the verdict tells better and worse."""
        return (self.low, self.high) if self.judged_low is None else (self.judged_low, self.judged_high)

    @property
    def has_interval(self) -> bool:
        """Whether there is anything to judge."""
        return self.low is not None and self.high is not None

    @property
    def harm_interval(self) -> Interval | None:
        """The limits by which harm is judged, where they are other ones than `low` and `high`."""
        has_own = self.harm_low is not None and (self.harm_low, self.harm_high) != (self.low, self.high)
        return Interval(self.harm_low, self.harm_high) if has_own else None


@dataclass(frozen=True, slots=True)
class Guardrail:
    """What must not get worse by the margin, in the unit of the comparison: `outcome` is `shown` (it does
    not), `not_shown`, `harm` or `unknown`, by the comparison's own interval; `waived` where it cannot be
    judged and AB_WAIVE says that this blocks nothing.

    `words` are the numbers behind it, or why it is unknown. `is_measured`: there is something of both arms to
    judge it by.
    """

    name: str
    label: str
    outcome: str
    margin: float
    comparison: MetricDifference
    words: str
    is_measured: bool = True


@dataclass(frozen=True, slots=True)
class SplitTest:
    """Whether traffic is split as planned: `flag` is `ok`, `amber` (a real but small difference) or `red`;
    None for the reason.

    `planned` holds percent by variant, `observed` the shares of the analysis period, `p_value` stays valid
    however often one looks. `waits_for`: until when users who stay with their variant allow no judgement, in
    words; then amber is what would be red.
    """

    flag: str | None
    reason: str
    p_value: float | None = None
    n: int | None = None
    planned: tuple[tuple[str, float], ...] = ()
    observed: tuple[Measurement, ...] = ()
    overdispersion: float = 1.0
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Power:
    """What the test can detect with the data it has (points, at 80 % power), the days left to the planned
    requests (with their range), and both in words.
    """

    detectable: Measurement
    days_left: Measurement
    words: str


@dataclass(frozen=True, slots=True)
class GateForecast:
    """When a gate of a challenger can be decided: at the present rate, if what it `assumes` is true, four
    times of five.

    `gate` is `success` or a guardrail's name; `outcome` is `better`, `worse`, `shown` or `harm` where it is
    decided, else `open`. `needs` is what its limits must say. Requests are those of both arms that count for
    its metric (labelled ones of an online accuracy) since the start; `days` are from now, at the quickest and
    the slowest of the last days, of which an end of None is beyond half a year. What is tested once has test
    rows an arm, and no days. `reason`: why there are no days, or no numbers at all. `words` say all of an
    open gate in one clause, empty where nothing is known.
    """

    gate: str
    treatment: str
    metric: str
    outcome: str
    needs: str
    assumes: str
    requests_needed: float | None = None
    requests_now: int | None = None
    test_rows_needed: float | None = None
    test_rows_now: int | None = None
    days: Interval | None = None
    reason: str | None = None
    words: str = ""

    @property
    def is_decided(self) -> bool:
        """Whether its limits say already what they are to say, or the contrary."""
        return self.outcome != OPEN


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, the rule that says so, and what would change it."""

    verdict: str
    rule: str
    reasons: tuple[str, ...]
    would_change: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`deploy`, `deploy with monitoring`, `keep testing`, `do not deploy` or `withheld: <gate>`, and why."""

    verdict: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """The answer for somebody who decides: the verdict, one plain sentence, and one line on what to do, the
    same on both pages.
    """

    verdict: str
    sentence: str
    do_now: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a decision: `state` is passed, failed or unknown (ValueError for another), `words` the
    numbers behind it.
    """

    label: str
    state: str
    words: str

    def __post_init__(self) -> None:
        if self.state not in {"passed", "failed", "unknown"}:
            raise ValueError(f"{self.label} is {self.state!r}; a condition is passed, failed or unknown")
