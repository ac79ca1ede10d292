"""What the page shows, ready to draw: every number is a Measurement, every panel knows whether it is live,
and words are already words.

The picture, the JSON and the web page read the same report, so their numbers cannot differ.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from live_dashboards.model.evidence import DatedChange, DifferenceLine
from live_dashboards.model.judgement import (
    ROLL_BACK,
    GateForecast,
    Guardrail,
    MetricDifference,
    ModelChange,
    Period,
    PlainAnswer,
    Power,
    SplitTest,
    Verdict,
)
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.metrics import ACCURACY
from live_dashboards.model.moment import format_second
from live_dashboards.model.names import short
from live_dashboards.model.quality import PLAIN, Quality
from live_dashboards.model.slices import ByLabel
from live_dashboards.model.snapshot import SourceStatus, Timeline


class BadgeKind(StrEnum):
    """The badge's words; `data_source` is its name in the JSON."""

    LIVE = "LIVE DATA"
    OPERATIONAL = "OPERATIONAL DATA"
    MODEL = "MODEL DATA"
    SIMULATED = "SIMULATED DATA"
    CACHED = "CACHED DATA"

    @property
    def data_source(self) -> str:
        """The JSON's `data_source`."""
        return "REAL_PRODUCTION_DATA" if self is BadgeKind.LIVE else self.value.replace(" ", "_")


@dataclass(frozen=True, slots=True)
class Badge:
    """The badge, its second line, and how many of the page's values are live."""

    kind: BadgeKind
    second_line: str
    values_live: int
    values_total: int


@dataclass(frozen=True, slots=True)
class Head:
    """A panel's words and state: `title` is the answer, `subtitle` the measure and unit, `note` the method, n
    or caveat below the drawing.

    `origin` is live, cached, estimated, simulated (drawn hatched, SIMULATED in the title) or missing (nothing
    drawn: `asked` is what was asked, `reason` why there is nothing, `last_good` the last good moment in
    words). An alarm stands in a red frame: nothing can be concluded before it is looked at.
    """

    title: str
    subtitle: str
    origin: Origin
    note: str = ""
    asked: str = ""
    reason: str = ""
    last_good: str = ""
    is_alarm: bool = False

    @property
    def is_drawn(self) -> bool:
        """Whether the panel has something to draw."""
        return self.origin is not Origin.MISSING


@dataclass(frozen=True, slots=True)
class EffectPanel:
    """Forest of challenger - baseline, a row a metric and challenger, in percentage points at 95 %;
    `band_points` is the minimum effect. The rows of what is no share have units of their own, which are not
    those of the axis: `own_scale`. `success_metric` is what the verdict is about.
    """

    head: Head
    rows: tuple[MetricDifference, ...] = ()
    band_points: float = 1.0
    own_scale: tuple[MetricDifference, ...] = ()
    success_metric: str = ""


@dataclass(frozen=True, slots=True)
class EvidencePanel:
    """How the differences of what accumulates stood over the test; of `lines` those of `metric` are drawn,
    `changes` are what changed meanwhile.
    """

    head: Head
    lines: tuple[DifferenceLine, ...] = ()
    metric: str = ""
    changes: tuple[DatedChange, ...] = ()

    @property
    def drawn(self) -> tuple[DifferenceLine, ...]:
        """The lines of the metric that is drawn, of those that have points."""
        return tuple(line for line in self.lines if line.metric == self.metric and line.points)


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One metric's dots: offline by variant, and for accuracy the online gauge by variant; `metric` is its
    name in the catalogue.
    """

    label: str
    offline: tuple[Measurement, ...]
    online: tuple[Measurement, ...] = ()
    metric: str = ""
    is_less_better: bool = False

    @property
    def unit(self) -> str:
        """The unit of its values."""
        return self.offline[0].unit if self.offline else "percent"


@dataclass(frozen=True, slots=True)
class QualityPanel:
    """What is logged of each variant's quality: shares in percent, and in `own_scale` what has a unit of its
    own, which is not that of the axis.
    """

    head: Head
    rows: tuple[QualityRow, ...] = ()
    own_scale: tuple[QualityRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A variant's observed share of the traffic (percent, with interval), its requests, and its planned share
    (percent) where a plan is set.
    """

    variant: str
    share: Measurement
    requests: Measurement
    planned_percent: float | None = None


@dataclass(frozen=True, slots=True)
class SplitPanel:
    """Observed against planned traffic; an alarm where it is surely not split as planned, so that nothing can
    be concluded.
    """

    head: Head
    rows: tuple[ShareRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline panel: the variant (None where it is not a variant's), the points in the panel's
    unit, and its last value.
    """

    variant: str | None
    label: str
    timeline: Timeline
    latest: Measurement


@dataclass(frozen=True, slots=True)
class LinesPanel:
    """Lines over the window, one quantity on the axis; `marks` are (unix seconds, label) of deploys."""

    head: Head
    unit_label: str
    lines: tuple[Line, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """A variant's p50, p95, p99 and mean in ms; each percentile's `interval` is the bucket that holds it."""

    variant: str
    p50: Measurement
    p95: Measurement
    p99: Measurement
    mean: Measurement


@dataclass(frozen=True, slots=True)
class LatencyPanel:
    """Percentiles by variant on a log axis, and the timeline of p95; `marks` as those of LinesPanel."""

    head: Head
    rows: tuple[LatencyRow, ...] = ()
    lines: tuple[Line, ...] = ()
    objective_ms: float = 250.0
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """A variant's errors, requests and error rate (percent, Wilson interval); `is_assumed`: no error is a
    series that is not there, taken on trust.
    """

    variant: str
    rate: Measurement
    errors: Measurement
    requests: Measurement
    is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class ErrorPanel:
    """Error rates by variant, and their timeline in percent; `marks` as those of LinesPanel."""

    head: Head
    rows: tuple[ErrorRow, ...] = ()
    lines: tuple[Line, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ImpactPanel:
    """What the service reports of its own business impact: one LinesPanel a metric_type, each with an axis of
    its own.
    """

    head: Head
    types: tuple[LinesPanel, ...] = ()


@dataclass(frozen=True, slots=True)
class RunBar:
    """A run on the time axis; `ended_at` None is open-ended; `state` is finished, running, silent (RUNNING
    without a sign of life), failed, killed or scheduled.
    """

    label: str
    variant: str | None
    state: str
    started_at: datetime
    ended_at: datetime | None
    accuracy: Measurement | None = None

    def end(self, at: datetime) -> datetime:
        """Where the bar ends: a scheduled run has not begun, one without an end goes on to the moment."""
        if self.ended_at is not None:
            return self.ended_at
        return self.started_at if self.state == "scheduled" else max(at, self.started_at)


@dataclass(frozen=True, slots=True)
class RunsPanel:
    """The newest runs as bars; `hidden_runs` are the older ones that are counted but not drawn; `marks` are
    (moment, label) of model versions, and of models that began to serve under an old name.
    """

    head: Head
    bars: tuple[RunBar, ...] = ()
    hidden_runs: int = 0
    marks: tuple[tuple[datetime, str], ...] = ()

    def span(self, bars: Sequence[RunBar], at: datetime) -> tuple[float, float]:
        """Unix seconds from the first start of these bars to the moment of the page, or the last end where a
        clock is ahead or the page is of an earlier moment; at least a minute.
        """
        start = min(bar.started_at.timestamp() for bar in bars)
        moments = (
            at,
            *(bar.ended_at or bar.started_at for bar in bars),
            *(moment for moment, _ in self.marks),
        )
        return start, max(start + 60, *(moment.timestamp() for moment in moments))


@dataclass(frozen=True, slots=True)
class HealthRow:
    """Age of a source's or metric's newest sample against its limit; `state` is fresh, stale, missing or
    info; `words` say it.
    """

    label: str
    source: str
    age_seconds: float | None
    limit_seconds: float | None
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class HealthPanel:
    """Can I trust this page: ages, failures and warnings."""

    head: Head
    rows: tuple[HealthRow, ...] = ()
    notices: tuple[str, ...] = ()


PROJECTED = "net value a year, projected"
"""In the status: from the business parameters, which the service's own gauge does not know."""


@dataclass(frozen=True, slots=True)
class StatusStrip:
    """Experiment and run status in short words, each a (label, value) pair, such as ("runs finished",
    "12").
    """

    items: tuple[tuple[str, str], ...]
    origin: Origin
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """What is known of one variant over the window; rates and shares in percent. `quality` holds what
    MLflow's runs log, by metric, in the order of their catalogue.
    """

    variant: str
    quality: Mapping[str, Measurement] = field(hash=False)
    online_accuracy: Measurement
    requests: Measurement
    errors: Measurement
    error_rate: Measurement
    traffic_share: Measurement
    mean_latency_ms: Measurement
    p50_latency_ms: Measurement
    p95_latency_ms: Measurement
    p99_latency_ms: Measurement

    @property
    def names(self) -> tuple[str, ...]:
        """The JSON's keys, in its order."""
        return fact_names(self.quality)

    def value(self, name: str) -> Measurement:
        """The fact of that name."""
        found: Measurement = self.quality[name] if name in self.quality else getattr(self, name)
        return found

    @property
    def accuracy(self) -> Measurement:
        """On the test set; without MLflow the online gauge."""
        return self.quality[ACCURACY]


def fact_names(metrics: Iterable[str]) -> tuple[str, ...]:
    """What is known of a variant with these metrics of quality, in the JSON's order: what it does online
    stands beside the first of them, the accuracy.
    """
    first, *others = metrics
    online, *counted = (each.name for each in fields(VariantFacts) if each.name not in {"variant", "quality"})
    return (first, online, *others, *counted)


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Report(ABC):
    """A page of either dashboard. `headline` holds the JSON's top-level numbers by key; `measurements` is
    every number that the page shows; `verdict` is that on `challenger`.
    """

    dashboard: ClassVar[str]

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
    headline: tuple[tuple[str, Measurement], ...]
    verdict: Verdict
    answer: PlainAnswer
    status: StatusStrip
    sources: tuple[SourceStatus, ...]
    observed_at: tuple[tuple[str, datetime | None], ...]
    measurements: tuple[Measurement, ...]
    is_simulated: bool
    has_stale: bool
    alt_text: str

    def __repr__(self) -> str:
        said = f"{self.badge.kind.value}, {self.answer.verdict}, {self.experiment or 'no experiment'}"
        return short(type(self).__name__, format_second(self.at), said)

    @property
    @abstractmethod
    def variant_names(self) -> tuple[str, ...]:
        """Names in the order that gives each its colour, marker and line style everywhere."""

    @property
    @abstractmethod
    def page_title(self) -> str:
        """What stands on top of the page."""

    @property
    @abstractmethod
    def conclusion(self) -> str:
        """The A/B verdict, or the business recommendation."""

    @property
    @abstractmethod
    def interval_words(self) -> str:
        """What the page's intervals are."""


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class AbReport(Report):
    """The A/B dashboard. `variants` are ordered: baseline, challenger, the others by name.

    `comparisons` are those that the effect panel draws and the verdict is about, at 95 %. `verdicts` are
    those on every challenger, by name, `decision_forecast` the gates of every challenger. `model_changes` are
    the moments since the start at which another model began to serve under a variant's name; `slices` are
    there where AB_SLICE_LABEL is set; `logged_quality` is what stands in the place of the accuracy.
    """

    dashboard: ClassVar[str] = "ab"

    variants: tuple[VariantFacts, ...]
    comparisons: tuple[MetricDifference, ...]
    period: Period
    guardrails: tuple[Guardrail, ...]
    split_test: SplitTest
    power: Power
    decision_forecast: tuple[GateForecast, ...] = ()
    verdicts: tuple[tuple[str, Verdict], ...]
    effect: EffectPanel
    evidence: EvidencePanel
    quality: QualityPanel
    split: SplitPanel
    rate: LinesPanel
    latency: LatencyPanel
    errors: ErrorPanel
    impact: ImpactPanel
    runs: RunsPanel
    health: HealthPanel
    model_changes: tuple[ModelChange, ...] = ()
    slices: ByLabel | None = None
    logged_quality: Quality = PLAIN

    @property
    def variant_names(self) -> tuple[str, ...]:
        """Names in the order that gives each its colour, marker and line style everywhere."""
        return tuple(facts.variant for facts in self.variants)

    @property
    def harmed(self) -> tuple[str, ...]:
        """The challengers that are to be rolled back."""
        return tuple(name for name, each in self.verdicts if each.verdict == ROLL_BACK)

    @property
    def page_title(self) -> str:
        """The experiment's name."""
        return self.experiment or "A/B test"

    @property
    def conclusion(self) -> str:
        """The verdict."""
        return self.verdict.verdict

    @property
    def interval_words(self) -> str:
        """Which level those of differences and those of single values have."""
        return (
            "Intervals of differences and of the split: 95 %, as told there; other lines through dots: "
            f"{self.confidence * 100:g} % for one look. Queries and moments: in the summary file."
        )
