"""What one variant has counted of a metric that is compared: its rate, its counts, and how they came block by
block.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from live_dashboards.analysis.facts import ends
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.model.buckets import NO_FINITE_BUCKET
from live_dashboards.model.measurement import Measurement, missing
from live_dashboards.model.metrics import ERROR_RATE, ONLINE_ACCURACY, OVER_OBJECTIVE, metric_of
from live_dashboards.model.number import format_count
from live_dashboards.model.snapshot import Accumulated, Answer, PrometheusAnswer

NO_HISTOGRAM = "no histogram of response times for both variants"
_WITHIN = "latency_within"
# of what else is compared, the events of a guardrail of one's own are counted under its name
_EVENTS_AND_TRIALS = {
    ERROR_RATE: ("errors", "requests"),
    OVER_OBJECTIVE: (_WITHIN, "latency_count"),
    ONLINE_ACCURACY: ("correct", "labelled"),
}
_COMPLEMENT = frozenset({OVER_OBJECTIVE})  # the buckets count those that are quick enough


@dataclass(frozen=True, slots=True)
class Arm:
    """A variant's rate in percent (missing, with the reason, where it was not counted), its counts, and those
    of each block with trials by its end (unix seconds).
    """

    rate: Measurement
    counts: Counts | None = None
    blocks: Mapping[float, Counts] = field(default_factory=dict)


def arm(page: PageFacts, counted: Accumulated, variant: str, metric: str) -> Arm:
    """The variant's counts of a metric (`error_rate`, `over_latency_objective`, `online_accuracy` or a
    guardrail of one's own) in what was counted.
    """
    answers = tuple(counted.total(name) for name in counters_of(metric))
    sums = [_by_variant(page, answer, variant) for answer in answers]
    requests = page.counted.of(variant).requests
    query, source = (
        ", ".join(answer.query for answer in answers if answer.query),
        page.counted.prometheus.status.source,
    )
    events, n = (None if each is None else round(each) for each in sums)
    if events is None or not n or n < 0:
        reason = (
            f"{variant} has counted none since then" if n == 0 else _reason(page, metric, answers, variant)
        )
        return Arm(
            missing(f"{metric}_compared", "percent", reason, variant=variant, source=source, query=query)
        )
    counts = _counts(metric, events, n)
    rate = Measurement(
        f"{metric}_compared",
        100 * counts.proportion,
        "percent",
        page.counted.prometheus.origin,
        variant,
        n=n,
        source=source,
        query=query,
        observed_at=requests.observed_at,
        reason=_capped(page, counted, variant, metric),
        stale=requests.stale,
    )
    return Arm(rate, counts, _blocks(page, counted, variant, metric))


def counters_of(metric: str) -> tuple[str, str]:
    """What the totals and blocks of its events and of what they are a share of are called."""
    return _EVENTS_AND_TRIALS.get(metric, (metric, "requests"))


def _notes_of(page: PageFacts, events: Answer, variant: str) -> Iterator[str]:
    """What is told of the events of the variant's models."""
    return (text for model, text in events.of_models if page.roles.by_model.get(model) == variant)


def _capped(page: PageFacts, counted: Accumulated, variant: str, metric: str) -> str | None:
    """That more events than requests were counted, in a block of time or, where there are none, in all."""
    names = counters_of(metric)
    if names[1] != "requests":
        return None
    events, trials = (by_block(page, counted.block(name), variant) for name in names)
    over = math.fsum(max(0.0, round(value) - round(trials.get(end, 0.0))) for end, value in events.items())
    if not events:
        sums = [_by_variant(page, counted.total(name), variant) or 0.0 for name in names]
        over = max(0.0, sums[0] - sums[1])
    if over < 1:
        return None
    return (
        f"{format_count(over)} {metric_of(metric).amount} beyond the requests of their time are left out "
        "(capped at the requests)"
    )


def windowed(
    answer: PrometheusAnswer, at_seconds: float, window_seconds: float, objective_seconds: float
) -> Accumulated:
    """The window as if the test had begun with it: for a description where the analysis period is not
    known.
    """
    buckets = answer.instant("latency_buckets")
    edge = _nearest_edge(buckets, objective_seconds)
    within = replace(
        buckets,
        name=_WITHIN,
        series=tuple(series for series in buckets.series if float(series.label("le")) == edge),
    )
    return Accumulated(
        at_seconds - window_seconds,
        is_remembered=False,
        totals=(*answer.instants, within),
        blocks=answer.blocks,
        edge_seconds=edge,
    )


def at_far_edge(counted: Accumulated) -> Accumulated | None:
    """What was counted, with the other end of the bucket that holds the latency objective as the edge that is
    judged; None where that is not known.
    """
    if counted.far_edge_seconds is None:
        return None

    def far(answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
        return tuple(
            replace(each, name=_WITHIN) if each.name == f"{_WITHIN}_far" else each
            for each in answers
            if each.name != _WITHIN
        )

    return replace(
        counted,
        totals=far(counted.totals),
        blocks=far(counted.blocks),
        edge_seconds=counted.far_edge_seconds,
        far_edge_seconds=None,
    )


def _nearest_edge(buckets: Answer, objective_seconds: float) -> float | None:
    """The finite edge, shared by all models, that is nearest to the objective."""
    by_model: dict[str, set[float]] = {}
    for series in buckets.series:
        by_model.setdefault(series.label("model_name"), set()).add(float(series.label("le")))
    shared = set.intersection(*by_model.values()) - {math.inf} if by_model else set()
    return min(shared, key=lambda edge: (abs(edge - objective_seconds), edge), default=None)


def _reason(page: PageFacts, metric: str, answers: tuple[Answer, ...], variant: str) -> str:
    status = page.counted.prometheus.status
    if not status.has_answered:
        return status.reason or "Prometheus was not asked"
    if metric == ONLINE_ACCURACY and page.settings["AB_ONLINE_CORRECT_METRIC"] is None:
        return (
            "no count of labelled requests: name the counters in AB_ONLINE_LABELLED_METRIC and "
            "AB_ONLINE_CORRECT_METRIC"
        )
    told = next((answer.reason for answer in answers if answer.reason and answer.reason != "not asked"), None)
    told = told or "; ".join(_notes_of(page, answers[0], variant)) or None
    if told is None and metric == OVER_OBJECTIVE:
        edges = {series.label("le") for series in page.counted.prometheus.instant("latency_buckets").series}
        return NO_FINITE_BUCKET if edges == {"+Inf"} else NO_HISTOGRAM
    return told or f"Prometheus has no {metric_of(metric).words} of variant {variant!r}"


def _counts(metric: str, events: int, n: int) -> Counts:
    within = min(max(0, events), n)
    return Counts(n - within if metric in _COMPLEMENT else within, n)


def _by_variant(page: PageFacts, answer: Answer, variant: str) -> float | None:
    values = [
        series.last
        for series in answer.series
        if series.last is not None and page.roles.by_model.get(series.label("model_name")) == variant
    ]
    return math.fsum(values) if values else None


def _blocks(page: PageFacts, counted: Accumulated, variant: str, metric: str) -> dict[float, Counts]:
    """Blocks with trials; where a variant has no series of events in one, none happened."""
    events, trials = (by_block(page, counted.block(name), variant) for name in counters_of(metric))
    return {
        end: _counts(metric, round(events.get(end, 0.0)), round(n))
        for end, n in sorted(trials.items())
        if round(n) > 0
    }


def by_block(page: PageFacts, answer: Answer, variant: str) -> Mapping[float, float]:
    """What an answer by blocks adds up to over the models that are this variant, by the block's end (unix
    seconds).
    """
    return ends.by_block(answer, page.roles.by_model.get, variant)


def request_blocks(page: PageFacts, counted: Accumulated, variant: str) -> Mapping[float, float]:
    """Requests of a variant by the block's end (unix seconds)."""
    return by_block(page, counted.block("requests"), variant)


def share_of_requests(page: PageFacts, counted: Accumulated, variant: str) -> tuple[int | None, Measurement]:
    """Requests of a variant since the start, as a whole number and as a measurement."""
    answer = counted.total("requests")
    value = _by_variant(page, answer, variant)
    window = page.counted.of(variant).requests
    if value is None:
        return None, missing(
            "requests_since_start",
            "count",
            f"no request of {variant} was counted since then",
            variant=variant,
            query=answer.query,
        )
    prometheus = page.counted.prometheus
    measured = Measurement(
        "requests_since_start",
        round(value),
        "count",
        prometheus.origin,
        variant,
        source=prometheus.status.source,
        query=answer.query,
        observed_at=window.observed_at,
        stale=window.stale,
    )
    return round(value), measured
