"""What Prometheus' answer says of each variant over the window: requests, errors, latency, online accuracy,
reported impact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from live_dashboards.analysis.facts.ends import latency_blocks, mean_standard_error, widest
from live_dashboards.analysis.facts.models import percent_scale
from live_dashboards.analysis.statistics.latency import (
    QuantileInterval,
    bucket_quantile,
    non_decreasing,
    quantile_interval,
)
from live_dashboards.analysis.statistics.proportions import Counts, normal_quantile, wilson
from live_dashboards.model.buckets import NO_FINITE_BUCKET
from live_dashboards.model.measurement import Interval, Measurement, Origin, derive, missing, total
from live_dashboards.model.notices import (
    AT_LEAST_AND_AT_MOST,
    COUNT_TOGETHER,
    OF_A_PARTIAL_ANSWER,
    PARTIAL,
    WHY,
    all_at_least_words,
    by_weight,
)
from live_dashboards.model.number import format_count
from live_dashboards.model.snapshot import Answer, PrometheusAnswer
from live_dashboards.model.variants import Roles
from live_dashboards.settings import Settings

QUANTILES = (("p50_latency_ms", 0.50), ("p95_latency_ms", 0.95), ("p99_latency_ms", 0.99))
AGE_UNKNOWN = "the age of its newest sample is not known"
_ADDITIVE = frozenset(
    {"requests", "requests_24h", "errors", "latency_sum", "latency_count", "latency_buckets"}
)


@dataclass(frozen=True, slots=True)
class TrafficFacts:
    """Measurements by (variant, name), totals by name, the reported impact by (variant, metric type), and
    notices.
    """

    values: Mapping[tuple[str, str], Measurement]
    totals: Mapping[str, Measurement]
    impact: Mapping[tuple[str, str], Measurement]
    accuracy_scale: float
    notices: tuple[str, ...]

    def value(self, variant: str | None, name: str) -> Measurement:
        """The measurement of that variant and name."""
        return self.values[variant or "", name]


class _Reader:
    """Reads instant answers by variant: values of models that are one variant are added, gauges averaged."""

    def __init__(self, answer: PrometheusAnswer, roles: Roles, settings: Settings, at: datetime) -> None:
        self.answer, self.roles, self.at = answer, roles, at
        self.stale_after_seconds = float(settings["AB_STALE_AFTER"])

    def rows(self, name: str, variant: str, **labels: str) -> list[float]:
        return [
            series.last
            for series in self.answer.instant(name).series
            if series.last is not None
            and self.roles.by_model.get(series.label("model_name")) == variant
            and all(series.label(label) == value for label, value in labels.items())
        ]

    def read(
        self,
        name: str,
        variant: str,
        unit: str,
        *,
        called: str = "",
        scale: float = 1.0,
        newest: str = "",
        **labels: str,
    ) -> Measurement:
        """One variant's value of an instant answer, summed (counts) or averaged (gauges), or why there is
        none.
        """
        found, question = self.rows(name, variant, **labels), self.answer.instant(name)
        if not found:
            return missing(
                called or name,
                unit,
                self._reason(question, variant),
                variant=variant or None,
                source=self.answer.status.source,
                query=question.query,
            )
        value = math.fsum(found) / (1 if name in _ADDITIVE else len(found))
        moment = self._newest(newest or name, variant)
        partial = OF_A_PARTIAL_ANSWER if self.answer.status.is_partial else None
        notes = (
            None if moment else self._ageless(newest or name),
            partial,
            self._at_least(question, variant),
        )
        return Measurement(
            called or name,
            (round(value) if unit == "count" else value) * scale,
            unit,
            self.answer.origin,
            variant,
            source=self.answer.status.source,
            query=question.query,
            observed_at=moment,
            stale=moment is None or (self.at - moment).total_seconds() > self.stale_after_seconds,
            reason="; ".join(filter(None, notes)) or None,
        )

    def notes(self, name: str, variant: str) -> tuple[str, ...]:
        """What is told of an answer, and of the variant's models in it alone."""
        question = self.answer.instant(name)
        own = (text for model, text in question.of_models if self.roles.by_model.get(model) == variant)
        return tuple(filter(None, (question.note, *own)))

    def _at_least(self, question: Answer, variant: str) -> str | None:
        """That a count is only the least that it can be, and what it can be at most."""
        most = [
            series
            for series in question.most
            if self.roles.by_model.get(series.label("model_name")) == variant
        ]
        least = {series.labels: series.last or 0.0 for series in question.series}
        beyond = math.fsum((series.last or 0.0) - least.get(series.labels, 0.0) for series in most)
        return f"{AT_LEAST_AND_AT_MOST}{format_count(beyond)} more, {WHY}" if most else None

    def _ageless(self, name: str) -> str:
        """Why the moment of a newest sample is not known: then nothing says that the exporter is still
        there.
        """
        newest = self.answer.instant(f"newest_{name}")
        why = newest.note or newest.reason
        return AGE_UNKNOWN + (f": {why}" if why else "")

    def _newest(self, name: str, variant: str) -> datetime | None:
        seconds = max(self.rows(f"newest_{name}", variant), default=None)
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    def _reason(self, question: Answer, variant: str) -> str:
        if not self.answer.status.has_answered:
            return self.answer.status.reason or "Prometheus was not asked"
        if not variant:
            return "there is no challenger"
        if question.reason:
            return question.reason
        return ": ".join(
            filter(
                None,
                (
                    f"Prometheus has no {question.name.replace('_', ' ')} of variant {variant!r}",
                    "; ".join(self.notes(question.name, variant)),
                ),
            )
        )


def traffic_facts(answer: PrometheusAnswer, roles: Roles, settings: Settings, at: datetime) -> TrafficFacts:
    """Every variant's facts over the window; what is not there is missing with its reason."""
    reader = _Reader(answer, roles, settings, at)
    confidence = float(settings["AB_CONFIDENCE"])
    scale = percent_scale(settings["AB_ACCURACY_UNIT"], _largest_gauge(answer))
    values: dict[tuple[str, str], Measurement] = {}
    for variant in (*roles.names, ""):
        for measurement in (*_counted(reader, variant, confidence), *_latency(reader, variant, confidence)):
            values[variant, measurement.name] = measurement
        values[variant, "online_accuracy"] = reader.read("online_accuracy", variant, "percent", scale=scale)
    _estimate_requests(values, roles, settings.split_at(at))
    _share(values, roles, confidence)
    return TrafficFacts(
        values, _totals(reader, values, roles), _impact(reader, roles), scale, _notices(answer, roles)
    )


def widest_traffic(facts: TrafficFacts, others: Sequence[TrafficFacts]) -> TrafficFacts:
    """The facts with the limits that hold at every end of what was counted; the shares of a latency's mean
    and percentiles, too.
    """
    if not others:
        return facts
    values = {
        key: widest(value, [other.values[key] for other in others]) for key, value in facts.values.items()
    }
    totals = {
        name: widest(value, [other.totals[name] for other in others]) for name, value in facts.totals.items()
    }
    return replace(facts, values=values, totals=totals)


def _counted(reader: _Reader, variant: str, confidence: float) -> tuple[Measurement, ...]:
    requests = reader.read("requests", variant, "count")
    errors = reader.read("errors", variant, "count", newest="requests")
    if requests.value is not None and errors.value is not None and errors.value > requests.value:
        errors = replace(
            errors,
            value=requests.value,
            reason=_also(errors.reason, f"{errors.value:g} errors counted, capped at the requests"),
        )
    if errors.value is not None:
        errors = replace(
            errors, reason="; ".join(filter(None, (errors.reason, *reader.notes("errors", variant)))) or None
        )
    rate = derive(
        _percent, "error_rate", "percent", variant=variant or None, part_count=errors, whole_count=requests
    )
    return requests, errors, _with_wilson(rate, errors, requests, confidence)


def _percent(part_count: float, whole_count: float) -> float:
    return 100 * part_count / whole_count


def _with_wilson(
    rate: Measurement, events: Measurement, trials: Measurement, confidence: float
) -> Measurement:
    """The rate with its Wilson interval in percent and its n."""
    if rate.value is None or events.value is None or not trials.value:
        return rate
    counts = Counts(round(events.value), round(trials.value))
    limits, drawn = (
        Interval(*(100 * limit for limit in wilson(counts, level))) for level in (0.95, confidence)
    )
    return replace(rate, interval=limits, drawn_interval=drawn, n=counts.n)


def _latency(reader: _Reader, variant: str, confidence: float) -> tuple[Measurement, ...]:
    seconds = reader.read("latency_sum", variant, "seconds", newest="latency_count")
    count = reader.read("latency_count", variant, "count")
    mean = derive(
        _mean_ms,
        "mean_latency_ms",
        "ms",
        variant=variant or None,
        sum_seconds=seconds,
        observations_count=count,
    )
    return _with_block_interval(mean, count, reader, confidence), *(
        _quantile(reader, variant, name, q, confidence) for name, q in QUANTILES
    )


def _with_block_interval(
    mean: Measurement, count: Measurement, reader: _Reader, confidence: float
) -> Measurement:
    """The mean with its n and the interval that the spread between blocks gives."""
    if mean.value is None or not count.value:
        return mean
    error = mean_standard_error(latency_blocks(reader.answer, reader.roles.by_model.get, str(mean.variant)))
    if error.value is None:
        return replace(mean, n=round(count.value), reason=_also(mean.reason, f"no interval: {error.reason}"))
    limits = [
        Interval(max(0.0, mean.value - half), mean.value + half)
        for half in (normal_quantile(level) * error.value for level in (0.95, confidence))
    ]
    words = _also(mean.reason, f"interval: spread between {error.blocks} blocks of the window")
    return replace(mean, n=round(count.value), interval=limits[0], drawn_interval=limits[1], reason=words)


def _also(reason: str | None, more: str) -> str:
    """The notes of a measurement with one more."""
    return "; ".join(filter(None, (reason, more)))


def _mean_ms(sum_seconds: float, observations_count: float) -> float:
    return 1000 * sum_seconds / observations_count


def _quantile(reader: _Reader, variant: str, name: str, q: float, confidence: float) -> Measurement:
    buckets = bucket_counts(reader.answer, reader.roles, variant)
    frame = reader.read("latency_buckets", variant, "ms", called=name, newest="latency_count")
    if frame.value is None:
        return frame
    quantile = bucket_quantile(tuple(buckets), tuple(buckets.values()), q)
    if quantile is None:
        return missing(
            name,
            "ms",
            _why_no_quantile(tuple(buckets)),
            variant=variant,
            source=frame.source,
            query=frame.query,
        )
    counts = non_decreasing(tuple(buckets.values()))
    if round(counts[-1]) < 1:
        return replace(frame, value=quantile.point * 1000, reason="no interval: less than one request")
    limits = _edges_ms(quantile_interval(tuple(buckets), counts, q))
    drawn = (
        limits if confidence == 0.95 else _edges_ms(quantile_interval(tuple(buckets), counts, q, confidence))
    )
    return replace(
        frame,
        value=quantile.point * 1000,
        interval=limits,
        drawn_interval=drawn,
        n=round(counts[-1]),
        reason="interval: the buckets that surely hold it",
    )


def _why_no_quantile(upper_bounds: tuple[float, ...]) -> str:
    if not any(map(math.isinf, upper_bounds)):
        return "the histogram has no +Inf bucket"
    return "no request was observed in the window" if len(upper_bounds) > 1 else NO_FINITE_BUCKET


def _edges_ms(found: QuantileInterval) -> Interval:
    return Interval(found.low * 1000, None if math.isinf(found.high) else found.high * 1000)


def bucket_counts(answer: PrometheusAnswer, roles: Roles, variant: str) -> dict[float, float]:
    """Upper bound in seconds to the variant's cumulative count of the window, in order."""
    counts: dict[float, float] = {}
    for series in answer.instant("latency_buckets").series:
        if roles.by_model.get(series.label("model_name")) == variant and series.last is not None:
            bound = float(series.label("le"))
            counts[bound] = counts.get(bound, 0.0) + series.last
    return dict(sorted(counts.items()))


def _estimate_requests(
    values: dict[tuple[str, str], Measurement], roles: Roles, split: Mapping[str, float]
) -> None:
    """Requests of a planned variant without a series: those of the measured variants times its planned share
    over theirs.
    """
    measured = [
        values[name, "requests"] for name in roles.names if values[name, "requests"].value is not None
    ]
    share = math.fsum(split.get(str(measurement.variant), 0.0) for measurement in measured)
    for name in roles.names:
        if values[name, "requests"].value is None and measured and share > 0 and split.get(name, 0.0) > 0:
            whole = total("requests", "count", measured)
            factor = split[name] / share
            reason = (
                f"estimated: requests of the measured variants x planned share {split[name]:.3g} / "
                f"{share:.3g}; in no total"
            )
            weakest = max(Origin.ESTIMATED, whole.origin, key=lambda origin: origin.weakness)
            values[name, "requests"] = replace(
                whole, value=(whole.value or 0.0) * factor, variant=name, origin=weakest, reason=reason
            )


def _share(values: dict[tuple[str, str], Measurement], roles: Roles, confidence: float) -> None:
    counted = [values[name, "requests"] for name in roles.names if _is_counted(values[name, "requests"])]
    whole = total("requests", "count", counted)
    for name in (*roles.names, ""):
        part = values[name, "requests"]
        if whole.value is None or not _is_counted(part):
            reason = part.reason or "its requests are estimated"
            values[name, "traffic_share"] = missing(
                "traffic_share", "percent", reason, variant=name or None, source=part.source, query=part.query
            )
            continue
        share = derive(_percent, "traffic_share", "percent", variant=name, part_count=part, whole_count=whole)
        values[name, "traffic_share"] = _with_wilson(share, part, whole, confidence)


def _is_counted(requests: Measurement) -> bool:
    """Whether requests were counted by the source, not estimated from a plan."""
    return requests.value is not None and requests.origin is not Origin.ESTIMATED


def _totals(
    reader: _Reader, values: Mapping[tuple[str, str], Measurement], roles: Roles
) -> dict[str, Measurement]:
    counted = [name for name in roles.names if _is_counted(values[name, "requests"])]
    empty = reader.read("requests", "", "count").reason or ""
    if reader.answer.status.has_answered:
        empty = reader.answer.instant("requests").reason or "Prometheus has no requests of any variant"
    requests = total(
        "total_requests", "count", (values[name, "requests"] for name in counted), empty_reason=empty
    )
    # also of who has none in a shorter window
    day = _present(reader, roles.names, "requests_24h", "count", newest="requests")
    errors = total("errors", "count", (values[name, "errors"] for name in counted), empty_reason=empty)
    seconds = total(
        "latency_sum",
        "seconds",
        _present(reader, counted, "latency_sum", "seconds", newest="latency_count"),
        empty_reason=_why(reader, "latency_sum", empty),
    )
    count = total(
        "latency_count",
        "count",
        _present(reader, counted, "latency_count", "count", newest="latency_count"),
        empty_reason=_why(reader, "latency_count", empty),
    )
    return {
        "total_requests": requests,
        "total_requests_24h": total(
            "total_requests_24h", "count", day, empty_reason=_why(reader, "requests_24h", empty)
        ),
        "error_rate": derive(_percent, "error_rate", "percent", part_count=errors, whole_count=requests),
        "avg_response_time_ms": derive(
            _mean_ms, "avg_response_time_ms", "ms", sum_seconds=seconds, observations_count=count
        ),
    }


def _present(
    reader: _Reader, variants: Sequence[str], name: str, unit: str, *, newest: str
) -> list[Measurement]:
    """The variants' values that exist: a variant that was never observed has no share in a mean or a sum."""
    found = (reader.read(name, variant, unit, newest=newest) for variant in variants)
    return [measurement for measurement in found if measurement.value is not None]


def _why(reader: _Reader, name: str, empty: str) -> str:
    return reader.answer.instant(name).reason or empty


def _impact(reader: _Reader, roles: Roles) -> dict[tuple[str, str], Measurement]:
    """The reported gauges: mean over instances, never over metric types."""
    types = sorted(
        {series.label("metric_type") for series in reader.answer.instant("business_impact").series}
    )
    return {
        (variant, kind): reader.read(
            "business_impact", variant, "as_reported", newest="business_impact", metric_type=kind
        )
        for variant in roles.names
        for kind in types
    }


def _largest_gauge(answer: PrometheusAnswer) -> float | None:
    instant = [series.last for series in answer.instant("online_accuracy").series if series.last is not None]
    timeline = [
        value
        for series in answer.timeline("accuracy").series
        for _, value in series.points
        if value is not None
    ]
    return max((*instant, *timeline), default=None)


def _notices(answer: PrometheusAnswer, roles: Roles) -> tuple[str, ...]:
    if answer.origin is Origin.SIMULATED:
        return ()
    models: dict[str, list[str]] = {}
    for model in sorted(
        {series.label("model_name") for each in answer.instants for series in each.series} - {""}
    ):
        models.setdefault(roles.by_model.get(model, model), []).append(model)
    shared = (
        f"models {', '.join(names)} {COUNT_TOGETHER} {variant}"
        for variant, names in models.items()
        if len(names) > 1
    )
    at_least = (f"Prometheus: {words}" for words in all_at_least_words(answer))
    assumed = (
        f"Prometheus: {each.name.replace('_', ' ')} of {roles.by_model.get(model, model)}: {text}"
        for each in answer.instants
        for model, text in _assumed(each)
    )
    partial = (PARTIAL,) if answer.status.is_partial else ()
    return by_weight(
        (
            *(f"Prometheus: {warning}" for warning in answer.status.warnings),
            *partial,
            *at_least,
            *assumed,
            *shared,
        )
    )


def _assumed(events: Answer) -> tuple[tuple[str, str], ...]:
    """The models whose 0 errors, or other events, are taken on trust, and why."""
    return tuple((model, text) for model, text in events.of_models if model in events.assumed)


def assumed_zeros(answer: PrometheusAnswer, roles: Roles) -> frozenset[str]:
    """The variants whose 0 errors are taken on trust."""
    return frozenset(roles.by_model.get(model, model) for model, _ in _assumed(answer.instant("errors")))
