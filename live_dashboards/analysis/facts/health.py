"""Can this page be trusted: ages of the newest samples, failures, warnings; and the badge."""

from __future__ import annotations

from datetime import datetime

from live_dashboards.analysis.facts.page import SOURCE_TITLES, PageFacts, failure
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.notices import by_weight
from live_dashboards.model.number import format_age
from live_dashboards.model.presentation import CACHED_MARK
from live_dashboards.model.report import Badge, BadgeKind, Head, HealthPanel, HealthRow
from live_dashboards.model.snapshot import MLFLOW, PROMETHEUS, SourceState, SourceStatus

_BADGE_WORDS = {
    BadgeKind.LIVE: "real production data",
    BadgeKind.OPERATIONAL: "Prometheus only",
    BadgeKind.MODEL: "MLflow only",
    BadgeKind.SIMULATED: "fallback mode",
    BadgeKind.CACHED: "no A/B data now",
}
_METRICS = (
    ("requests", "requests"),
    ("latency_count", "response times"),
    ("online_accuracy", "online accuracy"),
    ("business_impact", "business impact"),
)
_OWN_GAUGES = frozenset({"online_accuracy", "business_impact"})


def badge(page: PageFacts, measurements: tuple[Measurement, ...]) -> Badge:
    """The badge from the values used, with how many are live and the age of the oldest source."""
    live = sum(measurement.is_live for measurement in measurements)
    words = [_BADGE_WORDS[page.kind], f"{live} of {len(measurements)} values live"]
    words += _silent_words(page)
    ages = {
        source: (page.at - moment).total_seconds()
        for source, moment in observed_at(page)
        if moment is not None and page.status(source).has_answered
    }
    if ages and page.kind is not BadgeKind.CACHED:
        oldest = max(ages, key=lambda source: ages[source])
        words.append(f"oldest source: {SOURCE_TITLES[oldest]}, {format_age(max(0.0, ages[oldest]))}")
    if _backed(page):
        words.append(f"{_backed(page)} by its backup")
    return Badge(page.kind, " · ".join(words), live, len(measurements))


def _silent_words(page: PageFacts) -> list[str]:
    """Of the sources that give no answer now: how old the answers are that are shown, and since when the
    others are silent.
    """
    silent = [
        status for status in (page.mlflow_status, page.prometheus_status) if status.answered_at is not None
    ]
    shown = ", ".join(
        f"{SOURCE_TITLES[status.source]} {_age_words(page, status)}"
        for status in silent
        if status.has_answered
    )
    gone = ", ".join(
        f"{SOURCE_TITLES[status.source]} {status.answered_at:%d %b %H:%M} UTC"
        for status in silent
        if not status.has_answered
    )
    return ([f"{CACHED_MARK} cached: {shown} old"] if shown else []) + (
        [f"last answer: {gone}"] if gone else []
    )


def _age_words(page: PageFacts, status: SourceStatus) -> str:
    """How old the last answer of a source is that gives none now."""
    assert status.answered_at is not None  # noqa: S101 for the type checker
    return format_age(max(0.0, (page.at - status.answered_at).total_seconds()))


def observed_at(page: PageFacts) -> tuple[tuple[str, datetime | None], ...]:
    """The newest moment that each source's own data is of; None where it gave none."""
    moments = [
        measurement.observed_at
        for facts in page.counted.variants
        for measurement in (facts.requests, facts.online_accuracy, facts.mean_latency_ms)
        if measurement.observed_at is not None
        and measurement.origin in {Origin.LIVE, Origin.CACHED}
        and measurement.source == PROMETHEUS
    ]
    mlflow = page.counted.mlflow
    model = (
        mlflow.newest_at
        if mlflow.status.has_answered and mlflow.origin in {Origin.LIVE, Origin.CACHED}
        else None
    )
    return (MLFLOW, model), (PROMETHEUS, max(moments, default=None))


def health_panel(page: PageFacts, doubts: tuple[str, ...] = ()) -> HealthPanel:
    """A row a source and metric, and what is to be told, `doubts` first; never simulated, as it is the report
    on the sources themselves.
    """
    rows = (*_cached_rows(page), *_mlflow_rows(page), *_prometheus_rows(page))
    bad = [row for row in rows if row.state in {"stale", "missing"}]
    title = f"{len(bad)} of {len(rows)} checks need a look" if bad else _good_title(page)
    if not any(status.has_answered for status in (page.mlflow_status, page.prometheus_status)) and not bad:
        title = "No source was asked"
    limit = format_age(float(page.settings["AB_STALE_AFTER"]))
    head = Head(
        title,
        "age of the newest sample at the page's moment",
        Origin.LIVE,
        note=f"a Prometheus value older than {limit} is stale",
    )
    silent = (
        failure(status)
        for status in (page.mlflow_status, page.prometheus_status)
        if status.state is SourceState.CACHED
    )
    found = by_weight((*page.counted.model.notices, *page.counted.traffic.notices))
    told = [page.roles.told] if page.roles.told and not page.is_simulated else []
    notices = tuple(dict.fromkeys((*doubts, *told, *silent, *found)))
    return HealthPanel(head, rows, notices)


def _good_title(page: PageFacts) -> str:
    partly = [
        SOURCE_TITLES[status.source]
        for status in (page.mlflow_status, page.prometheus_status)
        if status.failures or status.is_partial
    ]
    if partly:
        return f"{' and '.join(partly)} answered only in part"
    if page.prometheus_status.counted_twice:
        return "Prometheus counts requests more than once"
    return f"{_backed(page)} answers by its backup" if _backed(page) else "All sources answer and are fresh"


def _backed(page: PageFacts) -> str:
    """The source whose backup answers in its place."""
    return " and ".join(
        SOURCE_TITLES[status.source]
        for status in (page.mlflow_status, page.prometheus_status)
        if status.instead_of
    )


def _cached_rows(page: PageFacts) -> tuple[HealthRow, ...]:
    """The sources that do not answer now but whose last answer is shown."""
    cached = (
        status
        for status in (page.mlflow_status, page.prometheus_status)
        if status.state is SourceState.CACHED and status.answered_at
    )
    return tuple(
        HealthRow(
            f"{SOURCE_TITLES[status.source]} (cached)",
            status.source,
            max(0.0, (page.at - (status.answered_at or page.at)).total_seconds()),
            None,
            "stale",
            f"{_age_words(page, status)} old, no answer now",
        )
        for status in cached
    )


def _mlflow_rows(page: PageFacts) -> tuple[HealthRow, ...]:
    status = page.mlflow_status
    if not status.has_answered:
        return (HealthRow("MLflow", MLFLOW, None, None, _failed_state(status.state), failure(status)),)
    newest = page.counted.mlflow.newest_at
    age_seconds = max(0.0, (page.at - newest).total_seconds()) if newest else None
    words = f"newest activity {format_age(age_seconds)} ago" if newest else "no activity"
    return (HealthRow("MLflow runs", MLFLOW, age_seconds, None, "info" if newest else "missing", words),)


def _prometheus_rows(page: PageFacts) -> tuple[HealthRow, ...]:
    status = page.prometheus_status
    if not status.has_answered:
        return (
            HealthRow("Prometheus", PROMETHEUS, None, None, _failed_state(status.state), failure(status)),
        )
    return tuple(_metric_row(page, name, label) for name, label in _METRICS if _is_expected(page, name))


def _is_expected(page: PageFacts, name: str) -> bool:
    """Whether somebody should look for a metric that is not there: the tool's own gauges are no business of
    an exporter that has other names.
    """
    is_foreign = name in _OWN_GAUGES and not page.settings.serving.is_own
    return not is_foreign or bool(page.counted.prometheus.instant(f"newest_{name}").series)


def _failed_state(state: SourceState) -> str:
    return "info" if state is SourceState.NOT_ASKED else "missing"


def _metric_row(page: PageFacts, name: str, label: str) -> HealthRow:
    answer, limit_seconds = page.counted.prometheus, float(page.settings["AB_STALE_AFTER"])
    newest = [
        (series.last, series.label("model_name"))
        for series in answer.instant(f"newest_{name}").series
        if series.last is not None
    ]
    ageless = {series.label("model_name") for series in answer.instant(name).series} - {
        model for _, model in newest
    }
    if ageless:
        variants = ", ".join(sorted({page.roles.by_model.get(model, model) for model in ageless}))
        return HealthRow(label, PROMETHEUS, None, limit_seconds, "stale", f"age unknown, {variants}")
    if not newest:
        return HealthRow(
            label,
            PROMETHEUS,
            None,
            limit_seconds,
            "missing",
            answer.instant(name).reason or "no sample in the window",
        )
    oldest, model = min(newest)
    age_seconds = max(0.0, page.at.timestamp() - oldest)
    is_stale = age_seconds > limit_seconds
    words = f"{format_age(age_seconds)} old" + (
        f", {page.roles.by_model.get(model, model)}" if is_stale and len(newest) > 1 else ""
    )
    return HealthRow(label, PROMETHEUS, age_seconds, limit_seconds, "stale" if is_stale else "fresh", words)
