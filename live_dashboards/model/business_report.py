"""What the business impact page knows: the case, what may be decided on it, and where each number is from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from live_dashboards.model.business_case import BusinessCase
from live_dashboards.model.judgement import Check, PlainAnswer, Recommendation, Verdict
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.moment import format_second
from live_dashboards.model.names import short
from live_dashboards.model.report import Badge, BadgeKind, StatusStrip, VariantFacts
from live_dashboards.model.snapshot import SourceStatus


@dataclass(frozen=True, slots=True)
class SharePart:
    """A part of the inputs by how they are known: `kind` is measured, assumed, simulated or missing; `names`
    are the inputs in words.
    """

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class BusinessReport:
    """The business impact dashboard. `headline` holds the JSON's top-level numbers by key; `verdict` is the
    A/B dashboard's own.

    `headline_words` are the large words of the strip as (label, value, what is beside it). `stand_in` is the
    case of the simulated values where a source is missing, None where nothing is simulated; `models` are
    baseline and challenger over the window, fewer where there is none; `doubts` are what looks wrong about
    the amounts; `gates` are the conditions of a decision. `measurements` is every number that the page shows.
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
    stand_in: BusinessCase | None
    models: tuple[VariantFacts, ...]
    doubts: tuple[str, ...]
    gates: tuple[Check, ...]
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

    @property
    def origin(self) -> Origin:
        """What a panel that no single source feeds is made of: the sources' values of now, their last ones,
        or the simulation.
        """
        if self.is_simulated:
            return Origin.SIMULATED
        return Origin.CACHED if self.badge.kind is BadgeKind.CACHED else Origin.LIVE
