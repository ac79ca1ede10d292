"""The instant questions to Prometheus: totals of the window, gauges at the moment, and the newest sample
behind each.
"""

from __future__ import annotations

from live_dashboards.settings import Settings
from live_dashboards.sources.queries import ACCURACY, ERRORS, FINITE, IMPACT, LATENCY, REQUESTS, AbQuery


def _increase(
    name: str, metric: str, unit: str = "count", *, labels: tuple[str, ...] = ("model_name",)
) -> AbQuery:
    """Growth over the window: of each series first, then the sum, so that a restart of one instance costs
    nothing. How it is counted is said in `counting`.
    """
    return AbQuery(
        name,
        f"sum by ({', '.join(labels)}) (increase({metric}{{$experiment}}[$window]))",
        unit,
        labels,
        metric,
    )


def _gauge(name: str, metric: str, unit: str, labels: tuple[str, ...] = ("model_name",)) -> AbQuery:
    return AbQuery(
        name, f"avg by ({', '.join(labels)}) ({metric}{{$experiment}} {FINITE})", unit, labels, metric
    )


REQUESTS_TOTAL = _increase("requests", REQUESTS)
TOTALS: tuple[AbQuery, ...] = (
    REQUESTS_TOTAL,
    _increase("requests_24h", REQUESTS),
    AbQuery("errors", "sum by (model_name) (increase($errors[$window]))", "count", metric=ERRORS),
    _increase("latency_sum", f"{LATENCY}_sum", "seconds"),
    _increase("latency_count", f"{LATENCY}_count"),
    _increase("latency_buckets", f"{LATENCY}_bucket", labels=("le", "model_name")),
    _gauge("online_accuracy", ACCURACY, "as_logged"),
    _gauge("business_impact", IMPACT, "as_reported", ("model_name", "metric_type")),
)
_GAUGES = frozenset({"online_accuracy", "business_impact"})
# counted by the same exporter in the same scrape as their neighbours
_WITHOUT_NEWEST = frozenset({"requests_24h", "errors", "latency_sum", "latency_buckets"})


def totals(settings: Settings) -> tuple[AbQuery, ...]:
    """Every instant question that these settings ask for."""
    named = {
        "labelled": settings["AB_ONLINE_LABELLED_METRIC"],
        "correct": settings["AB_ONLINE_CORRECT_METRIC"],
    }
    return (*TOTALS, *(_increase(name, str(metric)) for name, metric in named.items() if metric is not None))


def newest(query: AbQuery) -> AbQuery | None:
    """The question after the time of the newest sample behind a total; None where another total's serves.

    `timestamp` tells a sample's own time only of a bare selector, so samples that are no numbers are left out
    with `and`.
    """
    if query.name in _WITHOUT_NEWEST:
        return None
    selector = f"{query.metric}{{$experiment}}"
    number = f" and {selector} {FINITE}" if query.name in _GAUGES else ""
    return AbQuery(
        f"newest_{query.name}",
        f"max by ({', '.join(query.labels)}) (timestamp({selector}){number})",
        "unix_seconds",
        query.labels,
        query.metric,
    )


def newest_within(query: AbQuery, step_seconds: float) -> AbQuery:
    """The same question over the whole window, for samples that are older than the 5 minutes which an instant
    query looks back.
    """
    by, _, inner = query.promql.partition(") (")
    promql = f"{by}) (max_over_time(({inner[:-1]})[$window:{max(1, round(step_seconds))}s]))"
    return AbQuery(query.name, promql, query.unit, query.labels, query.metric)
