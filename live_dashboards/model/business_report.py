"""What the business impact page shows, ready to draw: every number is a Measurement, every panel knows
whether it is live, and words are already words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from live_dashboards.model.axis import padded
from live_dashboards.model.business_case import Assumption, BreakEven, BusinessCase, CashPoint, Swing
from live_dashboards.model.judgement import PlainAnswer, Recommendation, Verdict
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.moment import format_second
from live_dashboards.model.names import short
from live_dashboards.model.number import format_money, format_money_estimate, format_money_rounded
from live_dashboards.model.report import Badge, Head, StatusStrip
from live_dashboards.model.snapshot import SourceStatus

_FAR = 5.0
_DAYS_A_MONTH = 365 / 12


@dataclass(frozen=True, slots=True)
class SharePart:
    """A part of the inputs by how they are known: `kind` is measured, assumed, simulated or missing; `names`
    are the inputs in words.
    """

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NetPanel:
    """Net value a year as a dot with its 95 % interval; where a term is missing `partial` is the rest of it,
    drawn with another mark and without ROI.
    """

    head: Head
    net: Measurement
    statistical: Interval | None = None
    assumed: Interval | None = None
    probability: Measurement | None = None
    partial: Measurement | None = None
    words: tuple[str, ...] = ()

    @property
    def shown(self) -> Measurement | None:
        """What is drawn: the net value, else the rest of it; None where there is neither."""
        found = self.net if self.net.value is not None else self.partial
        return found if found is not None and found.value is not None else None

    @property
    def shown_words(self) -> str:
        """That in USD, with its interval in parentheses."""
        value_usd = self.shown.value if self.shown is not None else None
        if self.interval is None or value_usd is None:
            return format_money(value_usd)
        return format_money_estimate(value_usd, self.interval.low, self.interval.high)

    @property
    def interval(self) -> Interval | None:
        """The net value's limits; None where it has none, or only a part of it is drawn."""
        return self.net.interval if self.net.value is not None else None


@dataclass(frozen=True, slots=True)
class PartBar:
    """A bar of the waterfall: its signed value in USD a year with its interval; `state` is measured,
    simulated (hatched) or missing (outlined, empty).

    A simulated bar stands apart: the total does not hold it. `words` stand for the value where there is none.
    """

    label: str
    value: Measurement
    interval: Interval | None
    state: str
    words: str = ""

    @property
    def amount_words(self) -> str:
        """Its value with sign, in no more digits than its interval carries."""
        low, high = (self.interval.low, self.interval.high) if self.interval else (None, None)
        return format_money_rounded(self.value.value, low, high, signed=True)


@dataclass(frozen=True, slots=True)
class PartsPanel:
    """Where the net value comes from; `total` is the net, or the partial total where a term is missing."""

    head: Head
    bars: tuple[PartBar, ...] = ()
    total: PartBar | None = None


@dataclass(frozen=True, slots=True)
class SensitivityPanel:
    """The six inputs that move the net value most, largest first, around the point value in USD a year."""

    head: Head
    swings: tuple[Swing, ...] = ()
    net_usd: float | None = None


@dataclass(frozen=True, slots=True)
class BreakEvenPanel:
    """Net value in USD a year over the accuracy improvement in points: a line through (0, `net_at_zero_usd`)
    with `usd_per_point`.

    `measured` is the improvement in points with its drawn interval (`shade`, None: unknown),
    `break_even_points` where the line crosses 0.
    """

    head: Head
    net_at_zero_usd: float | None = None
    usd_per_point: float | None = None
    measured: Measurement | None = None
    shade: Interval | None = None
    break_even_points: float | None = None

    @property
    def shaded(self) -> tuple[float, float] | None:
        """The measured interval in points, where both ends are known."""
        if self.shade is None or self.shade.low is None or self.shade.high is None:
            return None
        return self.shade.low, self.shade.high

    @property
    def near_points(self) -> float | None:
        """Where it breaks even, if an axis can reach that without hiding the rest."""
        points = self.break_even_points
        farthest = max(1e-9, *(abs(each) for each in self._spread))
        return points if points is not None and abs(points) <= _FAR * farthest else None

    @property
    def limits(self) -> tuple[float, float]:
        """From where to where the axis of improvements goes, in points."""
        near = self.near_points
        return padded([*self._spread, *([] if near is None else [near])], 0.12)

    def net_usd(self, points: float) -> float:
        """Net value in USD a year at that improvement."""
        return (self.net_at_zero_usd or 0.0) + points * (self.usd_per_point or 0.0)

    @property
    def _spread(self) -> list[float]:
        measured = self.measured.value if self.measured is not None else None
        ends = (self.shade.low, self.shade.high) if self.shade is not None else ()
        return [0.0, measured or 0.0, *(end for end in ends if end is not None)]


@dataclass(frozen=True, slots=True)
class PaybackPanel:
    """Cumulative value in USD over 12 months with its band; `payback` in days where it is reached, `words` on
    the chance that it is not.
    """

    head: Head
    points: tuple[CashPoint, ...] = ()
    payback: Measurement | None = None
    words: str = ""

    @property
    def month(self) -> float | None:
        """Where the cost has come back, if that is within the drawn months."""
        if self.payback is None or self.payback.value is None:
            return None
        month = self.payback.value / _DAYS_A_MONTH
        return month if month <= self.points[-1].month else None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """An assumption as words: value, unit, range (empty for a point), whose it is, and at which amount the
    answer would flip.
    """

    assumption: Assumption
    value_words: str
    unit_words: str
    range_words: str
    owner_words: str
    flip: BreakEven | None = None


@dataclass(frozen=True, slots=True)
class LedgerPanel:
    """What was assumed."""

    head: Head
    rows: tuple[LedgerRow, ...] = ()


@dataclass(frozen=True, slots=True)
class InputRow:
    """A measured input: what it is of each variant, and the difference with its 95 % interval, n, window and
    age in words.
    """

    label: str
    baseline_words: str
    challenger_words: str
    difference_words: str
    interval_words: str
    n_words: str
    window_words: str
    age_words: str
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class InputsPanel:
    """What was measured."""

    head: Head
    rows: tuple[InputRow, ...] = ()


@dataclass(frozen=True, slots=True)
class PerformanceRow:
    """One quantity of baseline and challenger, each with its 95 % interval where it has one; an axis of its
    own.
    """

    label: str
    unit_label: str
    baseline: Measurement
    challenger: Measurement
    is_higher_better: bool


@dataclass(frozen=True, slots=True)
class PerformancePanel:
    """How the two models do: accuracy, mean latency, error rate."""

    head: Head
    rows: tuple[PerformanceRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition of a decision: `state` is passed, failed or unknown, `words` the numbers behind it."""

    label: str
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class GatesPanel:
    """The conditions of a decision, each with its state."""

    head: Head
    gates: tuple[Gate, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class BusinessReport:
    """The business impact dashboard. `headline` holds the JSON's top-level numbers by key; `verdict` is the
    A/B dashboard's own.

    `headline_words` are the large words of the strip as (label, value, what is beside it). `measurements` is
    every number that the page shows.
    """

    at: datetime
    generated_at: datetime
    window_seconds: float
    timezone: str
    confidence: float
    badge: Badge
    experiment: str | None
    experiment_note: str
    baseline: str | None
    challenger: str | None
    case: BusinessCase
    headline: tuple[tuple[str, Measurement], ...]
    headline_words: tuple[tuple[str, str, str], ...]
    shares: tuple[SharePart, ...]
    recommendation: Recommendation
    verdict: Verdict
    answer: PlainAnswer
    status: StatusStrip
    net: NetPanel
    parts: PartsPanel
    sensitivity: SensitivityPanel
    break_even: BreakEvenPanel
    payback: PaybackPanel
    ledger: LedgerPanel
    inputs: InputsPanel
    performance: PerformancePanel
    gates: GatesPanel
    sources: tuple[SourceStatus, ...]
    observed_at: tuple[tuple[str, datetime | None], ...]
    notices: tuple[str, ...]
    measurements: tuple[Measurement, ...]
    is_simulated: bool
    has_stale: bool
    alt_text: str

    def __repr__(self) -> str:
        said = f"{self.badge.kind.value}, {self.answer.verdict}, {self.experiment or 'no experiment'}"
        return short("BusinessReport", format_second(self.at), said)

    @property
    def variant_names(self) -> tuple[str, ...]:
        """Baseline and challenger, in the order that gives each its colour."""
        return tuple(name for name in (self.baseline, self.challenger) if name is not None)
