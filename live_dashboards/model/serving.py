"""What a serving framework calls the requests, errors and response times of models in Prometheus: names as
values, which presets and settings give.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from live_dashboards.model.guarded import LabelMatcher
from live_dashboards.model.metrics import EXPORTED


class LatencyKind(StrEnum):
    """What there is of response times: `histogram` `_bucket`, `_sum` and `_count`; `buckets` no true `_sum`,
    so no mean; `summary` `_sum` and `_count`; `sum` a counter of time of that very name, divided by the
    number of requests or another count.
    """

    HISTOGRAM = "histogram"
    BUCKETS = "buckets"
    SUMMARY = "summary"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class CountedSeries:
    """The series of one metric that these matchers choose."""

    metric: str
    matchers: tuple[LabelMatcher, ...] = ()

    def __str__(self) -> str:
        return f"{self.metric}{{{', '.join(map(str, self.matchers))}}}" if self.matchers else self.metric


@dataclass(frozen=True, slots=True)
class CounterSum:
    """What is counted by adding up the growth of some series and taking away that of others."""

    added: tuple[CountedSeries, ...]
    taken: tuple[CountedSeries, ...] = ()

    @property
    def metrics(self) -> frozenset[str]:
        """The names of all its metrics."""
        return frozenset(each.metric for each in (*self.added, *self.taken))

    def __str__(self) -> str:
        return " - ".join([" + ".join(map(str, self.added)), *map(str, self.taken)])


@dataclass(frozen=True, slots=True)
class LatencyMetric:
    """Response times: the metric's name without its ending, what a unit of it is in seconds, its kind, and
    what a `sum` is divided by (None: the requests).
    """

    metric: str
    kind: LatencyKind = LatencyKind.HISTOGRAM
    unit_seconds: float = 1.0
    count: CounterSum | None = None

    @property
    def has_buckets(self) -> bool:
        """Whether percentiles and the share over an objective can be told."""
        return self.kind in {LatencyKind.HISTOGRAM, LatencyKind.BUCKETS}

    @property
    def has_mean(self) -> bool:
        """Whether the mean can be told."""
        return self.kind is not LatencyKind.BUCKETS


@dataclass(frozen=True, slots=True)
class ServingMetrics:
    """The names of one preset, with what settings override.

    `errors` and `latency` are None where nothing counts them. `is_told_by_status`: failed requests may also
    be those with status="error". Of `model_label` the value, or what the first group of `model_pattern` finds
    in it, is the variant. `matchers` are always added. `cannot_tell` is what nobody can know from these
    metrics. `is_own`: all is called as the tool itself calls it.
    """

    preset: str
    title: str
    requests: CounterSum
    errors: CounterSum | None
    latency: LatencyMetric | None
    model_label: str = "model_name"
    model_pattern: str | None = None
    needs_pattern: bool = False
    matchers: tuple[LabelMatcher, ...] = ()
    is_told_by_status: bool = False
    versions: str = ""
    verified: str = ""
    cannot_tell: tuple[str, ...] = ()
    recognised_by: CountedSeries | None = None
    is_own: bool = False

    def asked(self, question: str) -> str:
        """What of Prometheus one of the page's questions asks of, in words."""
        none = f"nothing of {self.title}"
        by_status = ' or status="error"' if self.is_told_by_status else ""
        return {
            "requests": str(self.requests),
            "request_rate": f"rate of {self.requests}",
            "errors": none if self.errors is None else f"{self.errors}{by_status}",
            "response_time": none if self.latency is None else self.latency.metric,
            "business_impact": EXPORTED.impact,
        }[question]


OWN_NAMES = ServingMetrics(
    "ab_test",
    "the tool's own names",
    CounterSum((CountedSeries(EXPORTED.requests),)),
    CounterSum((CountedSeries(EXPORTED.errors),)),
    LatencyMetric(EXPORTED.latency),
    is_told_by_status=True,
    is_own=True,
)
"""What an exporter of an A/B test exposes, and every question asks of."""
