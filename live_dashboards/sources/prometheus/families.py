"""Which series of a serving framework stand for each of the tool's own metrics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from live_dashboards.model.guarded import LabelMatcher
from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.serving import CountedSeries, LatencyKind, ServingMetrics
from live_dashboards.sources.prometheus.counting.births import created_metric
from live_dashboards.sources.prometheus.promql import TAKEN
from live_dashboards.sources.queries import ERRORS, LATENCY, REQUESTS

ENDINGS = ("_count", "_sum", "_bucket")


def families(names: ServingMetrics, others: Iterable[str] = ()) -> dict[str, tuple[CountedSeries, ...]]:
    """By the tool's own name of a metric the series that stand for it; `others` are metrics of somebody's own
    whose models are told alike.
    """
    sums = {REQUESTS: names.requests, ERRORS: names.errors}
    counted = {own: () if each is None else each.added for own, each in sums.items()}
    counted[ERRORS] = tuple(map(_with_its_labels, counted[ERRORS]))
    taken = {TAKEN[own]: () if each is None else each.taken for own, each in sums.items()}
    every = {**counted, **taken, **_latency_families(names)}
    created = {
        created_metric(own): tuple(replace(each, metric=created_metric(each.metric)) for each in several)
        for own, several in every.items()
        if own != LATENCY
    }
    return {**every, **created, **{metric: (CountedSeries(metric),) for metric in others}}


def _with_its_labels(series: CountedSeries) -> CountedSeries:
    """Of what is told by a label's other values those that have the label: without it nothing is told."""
    negative = {each.label: None for each in series.matchers if each.operator.startswith("!")}
    return replace(series, matchers=(*series.matchers, *(LabelMatcher(name, "!=", "") for name in negative)))


def known_metrics(names: ServingMetrics, own: Iterable[str]) -> tuple[str, ...]:
    """The server's names of these own metrics, each once."""
    every = families(names)
    return tuple(sorted({each.metric for metric in own for each in every.get(metric, ())}))


def _latency_families(names: ServingMetrics) -> dict[str, tuple[CountedSeries, ...]]:
    latency = names.latency
    count: tuple[CountedSeries, ...]
    if latency is None:
        return {LATENCY: (), **{f"{LATENCY}{ending}": () for ending in ENDINGS}}
    total = latency.metric if latency.kind is LatencyKind.SUM else f"{latency.metric}_sum"
    count = (CountedSeries(f"{latency.metric}_count"),)
    if latency.kind is LatencyKind.SUM:
        count = (latency.count or names.requests).added
    is_native = latency.kind is LatencyKind.HISTOGRAM and latency.unit_seconds == 1
    return {
        LATENCY: (CountedSeries(latency.metric),) if is_native else (),
        f"{LATENCY}_bucket": (CountedSeries(f"{latency.metric}_bucket"),) if latency.has_buckets else (),
        f"{LATENCY}_sum": (CountedSeries(total),) if latency.has_mean else (),
        f"{LATENCY}_count": count,
    }


def family_of(series: CountedSeries) -> str:
    """What a series, its sum and buckets, and the moment of its creation have in common."""
    return str(replace(series, metric=created_metric(series.metric).removesuffix(EXPORTED.created)))
