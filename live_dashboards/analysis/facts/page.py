"""What every panel starts from: the facts that count, the facts that are drawn, and how a panel says where it
comes from.

Facts that count are live (or all simulated, where no source contributes); facts that are drawn may be a whole
simulated stand-in for a source that is down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, runtime_checkable

from live_dashboards.analysis.facts.ends import other_ends
from live_dashboards.analysis.facts.models import ModelFacts, keys_words, model_facts
from live_dashboards.analysis.facts.traffic import TrafficFacts, traffic_facts, widest_traffic
from live_dashboards.model.measurement import Origin
from live_dashboards.model.metrics import ACCURACY, METRICS
from live_dashboards.model.report import BadgeKind, Head, VariantFacts
from live_dashboards.model.snapshot import (
    MLFLOW,
    MlflowAnswer,
    PrometheusAnswer,
    Snapshot,
    SourceState,
    SourceStatus,
)
from live_dashboards.model.variants import Roles, roles
from live_dashboards.settings import Settings

SOURCE_TITLES = {"mlflow": "MLflow", "prometheus": "Prometheus"}


@runtime_checkable
class AnswersAndSettings(Protocol):
    """What both sources answered, and the settings with which they were asked."""

    @property
    def snapshot(self) -> Snapshot:
        """The answers."""
        ...

    @property
    def settings(self) -> Settings:
        """The settings."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """Both sources' answers and what they say of each variant.

    `other_ends` are the facts at the other ends of counts of which only the least is known; values here are
    those of the least, limits hold at every end.
    """

    mlflow: MlflowAnswer
    prometheus: PrometheusAnswer
    model: ModelFacts
    traffic: TrafficFacts
    variants: tuple[VariantFacts, ...]
    other_ends: tuple[Facts, ...] = ()

    def of(self, variant: str) -> VariantFacts:
        """The facts of one variant."""
        return next(facts for facts in self.variants if facts.variant == variant)


@dataclass(frozen=True, slots=True)
class PageFacts:
    """The moment, the settings, the roles, and the facts: `counted` for headlines and comparisons, `drawn`
    for panels.
    """

    at: datetime
    window_seconds: float
    settings: Settings
    roles: Roles
    kind: BadgeKind
    counted: Facts
    drawn: Facts
    mlflow_status: SourceStatus
    prometheus_status: SourceStatus

    @property
    def is_simulated(self) -> bool:
        """Whether no source contributes and the whole page is simulated."""
        return self.kind is BadgeKind.SIMULATED and self.drawn.mlflow.origin is Origin.SIMULATED

    @property
    def page_origin(self) -> Origin:
        """What a panel that no single source feeds is made of: the sources' values of now, their last ones,
        or the simulation.
        """
        if self.is_simulated:
            return Origin.SIMULATED
        return Origin.CACHED if self.kind is BadgeKind.CACHED else Origin.LIVE

    def status(self, source: str) -> SourceStatus:
        """How asking that source ended."""
        return self.mlflow_status if source == MLFLOW else self.prometheus_status

    def origin(self, source: str) -> Origin:
        """What a panel of that source is drawn from: the source, its simulated stand-in, or nothing."""
        answer = self.drawn.mlflow if source == MLFLOW else self.drawn.prometheus
        return answer.origin if answer.status.has_answered else Origin.MISSING

    def head(
        self,
        source: str,
        title: str,
        subtitle: str,
        *,
        what: str = "",
        note: str = "",
        asked: str = "",
        gap: str = "",
    ) -> Head:
        """The head of a panel that one source feeds.

        `gap` is the reason where the source answered but has nothing for this panel; `what` names what is
        missing then, unless the subtitle does.
        """
        origin, status = self.origin(source), self.status(source)
        if origin is Origin.MISSING or gap:
            return Head(
                f"No data: {what or subtitle.partition(',')[0]}",
                subtitle,
                Origin.MISSING,
                asked=asked,
                reason=failure(status) if origin is Origin.MISSING else gap,
            )
        return Head(
            title,
            subtitle,
            origin,
            note=note,
            asked=asked,
            reason=failure(status) if origin is Origin.SIMULATED else "",
        )


def failure(status: SourceStatus) -> str:
    """Why a source gave nothing, in one sentence that names it."""
    title = SOURCE_TITLES.get(status.source, status.source)
    reason = status.reason or "gave no answer"
    return reason if reason.startswith(title) else f"{title}: {reason}"


def page(snapshot: Snapshot, stand_in: Snapshot | None, settings: Settings) -> PageFacts:
    """The page's facts; `stand_in` is the simulated snapshot, None where missing data is to be marked
    instead.
    """
    found = roles(snapshot.mlflow, snapshot.prometheus, settings)
    live = _facts(snapshot, found, settings)
    kind = badge_kind(live, found)
    mlflow_status, prometheus_status = snapshot.mlflow.status, snapshot.prometheus.status
    if kind is BadgeKind.SIMULATED:
        mlflow_status = _idle(mlflow_status, keys_words(snapshot.mlflow))
        prometheus_status = _idle(prometheus_status)
    if stand_in is None or kind is BadgeKind.CACHED:
        empty = replace(
            snapshot,
            mlflow=replace(snapshot.mlflow, status=mlflow_status),
            prometheus=replace(snapshot.prometheus, status=prometheus_status),
        )
        drawn = counted = _facts(empty, found, settings)
    else:
        named, found = found, _with_simulated_names(found, stand_in)
        mixed = replace(
            snapshot,
            mlflow=stand_in.mlflow if _may_be_simulated(mlflow_status) else snapshot.mlflow,
            prometheus=stand_in.prometheus if _may_be_simulated(prometheus_status) else snapshot.prometheus,
        )
        known = (
            live
            if (found.names, found.challenger) == (named.names, named.challenger)
            else _facts(snapshot, found, settings)
        )
        drawn = known if mixed == snapshot else _facts(mixed, found, settings)
        counted = drawn if kind is BadgeKind.SIMULATED else known
    return PageFacts(
        snapshot.at,
        snapshot.window_seconds,
        settings,
        found,
        kind,
        counted,
        drawn,
        mlflow_status,
        prometheus_status,
    )


def badge_kind(live: Facts, found: Roles) -> BadgeKind:
    """Which sources contribute: MLflow the accuracy of baseline or challenger, Prometheus the requests of a
    variant.

    Where none does, but one answered before, the page is cached, and empty where that is too long ago;
    invented it never is.
    """
    has_model = any(live.model.value(name, ACCURACY).is_live for name in found.pair)
    has_traffic = any(live.traffic.value(name, "requests").is_live for name in found.names)
    if has_model and has_traffic:
        return BadgeKind.LIVE
    if has_traffic:
        return BadgeKind.OPERATIONAL
    if has_model:
        return BadgeKind.MODEL
    return (
        BadgeKind.CACHED
        if any(status.answered_at for status in (live.mlflow.status, live.prometheus.status))
        else BadgeKind.SIMULATED
    )


def _may_be_simulated(status: SourceStatus) -> bool:
    """A source that answered before is marked when it falls silent: nobody should take a simulation for the
    values that stood there a minute ago.
    """
    return not status.has_answered and status.answered_at is None


def _idle(status: SourceStatus, found: str = "") -> SourceStatus:
    """A source that answered but contributes nothing is as good as one without A/B data; `found` is what it
    holds instead.
    """
    if not status.has_answered:
        return status
    return replace(
        status,
        state=SourceState.NO_AB_DATA,
        reason=f"reachable, no A/B data: neither accuracy nor requests of a variant{found}",
    )


def _with_simulated_names(found: Roles, stand_in: Snapshot) -> Roles:
    simulated = {series.label("model_name") for series in stand_in.prometheus.instant("requests").series}
    challenger = found.challenger or next(iter(sorted(simulated - {found.baseline})), None)
    names = tuple(dict.fromkeys((*found.pair, *([challenger] if challenger else []), *found.names)))
    return replace(
        found,
        challenger=challenger,
        names=names,
        by_model={name: name for name in simulated} | dict(found.by_model),
    )


def _facts(snapshot: Snapshot, found: Roles, settings: Settings) -> Facts:
    model = model_facts(snapshot.mlflow, found.names, settings, snapshot.at)
    ends = tuple(
        _facts(replace(snapshot, prometheus=answer), found, settings)
        for answer in other_ends(snapshot.prometheus, found)
    )
    traffic = widest_traffic(
        traffic_facts(snapshot.prometheus, found, settings, snapshot.at), [end.traffic for end in ends]
    )
    has_mlflow = snapshot.mlflow.status.has_answered
    variants = tuple(_variant_facts(name, model, traffic, has_mlflow=has_mlflow) for name in found.names)
    return Facts(snapshot.mlflow, snapshot.prometheus, model, traffic, variants, ends)


def _variant_facts(name: str, model: ModelFacts, traffic: TrafficFacts, *, has_mlflow: bool) -> VariantFacts:
    quality = {metric: model.value(name, metric) for metric in METRICS}
    online = traffic.value(name, "online_accuracy")
    if not has_mlflow and online.value is not None and model.quality.is_like_accuracy:
        quality[ACCURACY] = replace(
            online,
            name=ACCURACY,
            reason="online gauge, as MLflow cannot be asked; no interval: n is not exported",
        )
    if online.value is not None:
        online = replace(online, reason="no interval: n is not exported")
    counted = (
        "requests",
        "errors",
        "error_rate",
        "traffic_share",
        "mean_latency_ms",
        "p50_latency_ms",
        "p95_latency_ms",
        "p99_latency_ms",
    )
    return VariantFacts(
        name, quality, online_accuracy=online, **{fact: traffic.value(name, fact) for fact in counted}
    )
