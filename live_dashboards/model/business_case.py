"""What the challenger is worth: the measured inputs, what was assumed, what follows from both, which the
calculator fills in, and what the business impact page knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from live_dashboards.model.judgement import Condition, Recommendation
from live_dashboards.model.measurement import Interval, Measurement, Origin, missing
from live_dashboards.model.names import short
from live_dashboards.model.number import format_money_estimate
from live_dashboards.model.quality import PLAIN, Quality
from live_dashboards.model.report import BadgeKind, Report, VariantFacts
from live_dashboards.model.setting_types import Amount

BREAK_EVEN_ACCURACY, BREAK_EVEN = "break_even_accuracy_improvement", "break_even_improvement"
"""The measurement of the break-even of a share, as a fraction, and of a value, in its own unit."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """A business parameter: the setting's name, its amount or range, the unit in words, what it means, and
    whether nobody set it.
    """

    name: str
    amount: Amount
    unit: str
    meaning: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class EffectInput:
    """A measured difference between challenger and baseline, signed so that the formulas of the terms take it
    as it is.

    `difference` holds the value with its 95 % limits that hold however often one looks; None where n or the
    spread is not known: then its reason says why. `baseline` and `challenger` are what it is the difference
    of. `one_look` are the 95 % limits for one look, from which chances are told. `residuals` are what each
    block of time adds to the error, in the order of time, the same blocks for all that is measured in
    traffic; empty for a test set.
    """

    difference: Measurement
    baseline: Measurement
    challenger: Measurement
    one_look: Interval | None = None
    residuals: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class BusinessInputs:
    """The measured part: accuracy improvement (fraction), latency increase (ms), error rate improvement
    (fraction), and requests a day of all variants.

    `quality` is what stands in the place of the accuracy; of a value the improvement is in its own unit,
    above 0 where the challenger is better. `days_of_requests`: over how many days the requests are the mean;
    `start`: since when the differences of traffic are measured, None where that is not known.
    """

    accuracy_improvement: EffectInput
    latency_increase: EffectInput
    error_rate_improvement: EffectInput
    requests_per_day: Measurement
    days_of_requests: int = 0
    start: datetime | None = None
    quality: Quality = PLAIN

    @property
    def effects(self) -> tuple[EffectInput, ...]:
        """The three measured differences."""
        return self.accuracy_improvement, self.latency_increase, self.error_rate_improvement

    @property
    def measured(self) -> tuple[Measurement, ...]:
        """The three differences and the requests a day."""
        return (*(each.difference for each in self.effects), self.requests_per_day)


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the net value: its yearly value in USD as the JSON names it, the sign with which it enters
    the net, and what it is computed from.

    `contribution` is sign × value. `effect` and `parameters` are the names of its input and settings. `words`
    are the title within a sentence.
    """

    name: str
    title: str
    sign: int
    value: Measurement
    contribution: Measurement
    effect: str
    parameters: tuple[str, ...]

    @property
    def words(self) -> str:
        """The title within a sentence; a metric's name keeps its capitals."""
        return self.title[:1].lower() + self.title[1:]


@dataclass(frozen=True, slots=True)
class Swing:
    """How far one input alone moves the net value: the net in USD a year at its 95 % limits, everything else
    at its point value.
    """

    name: str
    title: str
    is_assumed: bool
    input_low: float
    input_high: float
    unit: str
    net_at_low_usd: float
    net_at_high_usd: float

    @property
    def width_usd(self) -> float:
        """How much the net value moves in all."""
        return abs(self.net_at_high_usd - self.net_at_low_usd)


@dataclass(frozen=True, slots=True)
class BreakEven:
    """The amount of one parameter at which the net value would be 0 (for the infrastructure's cost: at which
    ROI would be 0), and the words for it.

    `amount` None: no amount of it that is not negative brings the net to 0.
    """

    parameter: str
    amount: float | None
    unit: str
    words: str


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the uncertainty of the net value comes from: its 95 % interval in USD a year from the
    measurements alone and from the assumed ranges alone.
    """

    statistical: Interval | None
    assumed: Interval | None


@dataclass(frozen=True, slots=True)
class CashPoint:
    """The cumulative value in USD after so many months: cost of the infrastructure first, then the net value
    as it comes in; None where not known.
    """

    month: float
    value_usd: float
    low_usd: float | None
    high_usd: float | None


@dataclass(frozen=True, slots=True, repr=False)
class BusinessCase:
    """All that follows. Where a term is missing, net, ROI, payback and probability are missing with the
    reason, and `partial_total` holds the rest.

    The intervals are 95 % ones that hold however often one looks; `probability_net_positive` and
    `never_paid_back_probability` (that 12 months do not bring the infrastructure's cost back) are fractions,
    for one look. `net` is in USD a year, `roi` in percent, `payback` in days, `break_even_improvement` in the
    unit of the accuracy improvement.
    """

    inputs: BusinessInputs
    assumptions: tuple[Assumption, ...]
    terms: tuple[Term, ...]
    net: Measurement
    roi: Measurement
    payback: Measurement
    probability_net_positive: Measurement
    break_even_improvement: Measurement
    break_evens: tuple[BreakEven, ...]
    swings: tuple[Swing, ...]
    spread: Spread
    partial_total: Measurement
    partial_terms: tuple[str, ...]
    cash: tuple[CashPoint, ...]
    never_paid_back_probability: Measurement

    def __repr__(self) -> str:
        limits = self.net.interval or Interval(None, None)
        words = "not measured"
        if self.net.value is not None:
            words = f"{format_money_estimate(self.net.value, limits.low, limits.high)} a year"
        return short("BusinessCase", "net value", words)

    @property
    def break_even_accuracy_improvement(self) -> Measurement:
        """The break-even as a fraction of accuracy; missing where a value stands in its place, which has no
        fractions.
        """
        found, quality = self.break_even_improvement, self.inputs.quality
        if quality.is_share or found.value is None:
            return replace(found, name=BREAK_EVEN_ACCURACY, unit="fraction")
        reason = (
            f"{quality.metric().title} is a value and no share: {found.name} holds what it breaks even at"
        )
        return missing(BREAK_EVEN_ACCURACY, "fraction", reason, inputs=(found,))

    @property
    def is_partial(self) -> bool:
        """Whether a term is missing."""
        return self.net.value is None

    def assumption(self, name: str) -> Assumption:
        """The business parameter of that name."""
        return next(each for each in self.assumptions if each.name == name)


@dataclass(frozen=True, slots=True)
class SharePart:
    """A part of the inputs by how they are known: `kind` is measured, assumed, simulated or missing; `names`
    are the inputs in words.
    """

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class BusinessReport(Report):
    """The business impact dashboard; `verdict` is the A/B dashboard's own.

    `headline_words` are the large words of the strip as (label, value, what is beside it). `stand_in` is the
    case of the simulated values where a source is missing, None where nothing is simulated; `models` are
    baseline and challenger over the window, fewer where there is none; `doubts` are what looks wrong about
    the amounts; `gates` are the conditions of a decision; `logged_quality` is what stands in the place of the
    accuracy.
    """

    dashboard: ClassVar[str] = "business"

    case: BusinessCase
    headline_words: tuple[tuple[str, str, str], ...]
    shares: tuple[SharePart, ...]
    recommendation: Recommendation
    stand_in: BusinessCase | None
    models: tuple[VariantFacts, ...]
    doubts: tuple[str, ...]
    gates: tuple[Condition, ...]
    notices: tuple[str, ...]
    logged_quality: Quality = PLAIN

    @property
    def variant_names(self) -> tuple[str, ...]:
        """Baseline and challenger."""
        return tuple(name for name in (self.baseline, self.challenger) if name is not None)

    @property
    def page_title(self) -> str:
        """The experiment's name after what the page is about."""
        return f"Business impact · {self.experiment}" if self.experiment else "Business impact"

    @property
    def conclusion(self) -> str:
        """The recommendation."""
        return self.recommendation.verdict

    @property
    def interval_words(self) -> str:
        """What the lines are, and what has none."""
        return (
            "Lines through dots: 95 % intervals, for one look where nothing else is said; hollow dots have "
            "none. Queries and moments: in the summary file."
        )

    @property
    def origin(self) -> Origin:
        """What a panel that no single source feeds is made of: the sources' values of now, their last ones,
        or the simulation.
        """
        if self.is_simulated:
            return Origin.SIMULATED
        return Origin.CACHED if self.badge.kind is BadgeKind.CACHED else Origin.LIVE
