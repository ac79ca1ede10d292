"""The questions to Prometheus by name, as PromQL with its variables; values are filled in by `render`, label
values through one escaping function.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from live_dashboards.model.guarded import EventCounter
from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.moment import format_duration, format_exact_duration

REQUESTS, ERRORS, LATENCY = EXPORTED.requests, EXPORTED.errors, EXPORTED.latency
ACCURACY, IMPACT = EXPORTED.accuracy, EXPORTED.impact
EXPERIMENT_LABEL = "experiment"
# a comparison with NaN is false, so this drops NaN and the infinities and keeps the labels
FINITE = "> -Inf < +Inf"
_VARIABLE = re.compile(r"\$(errors|rate|window|experiment)")


@dataclass(frozen=True, slots=True)
class AbQuery:
    """One question: its PromQL, the unit of its values, the labels it is grouped by, the metric it needs and
    what it measures; `events` is the counter of AB_GUARDRAILS that it adds up, if it is one.

    Variables of the PromQL: `$experiment` (the matchers of the series that count, or nothing), `$rate` (the
    window of a rate), `$window` (the window of the page), `$errors` (the selector of failed requests, which
    depends on what the exporter has).
    """

    name: str
    promql: str
    unit: str
    labels: tuple[str, ...] = ("model_name",)
    metric: str = REQUESTS
    meaning: str = ""
    events: EventCounter | None = None

    @property
    def is_growth(self) -> bool:
        """Whether it adds up what counters grew by; such a question is counted in blocks, and its PromQL says
        of what.
        """
        return "increase(" in self.promql

    @property
    def needs_errors(self) -> bool:
        """Whether it can only be asked where failed requests are counted."""
        return "$errors" in self.promql


AB_QUERIES: dict[str, AbQuery] = {
    "request_rate": AbQuery(
        "request_rate",
        "sum by (model_name) (rate(ab_test_requests_total{$experiment}[$rate]))",
        "requests_per_second",
        meaning="requests a second of each model, over all its instances",
    ),
    "response_time": AbQuery(
        "response_time",
        "1000 * histogram_quantile(0.95, sum by (le, model_name) "
        "(rate(ab_test_response_time_seconds_bucket{$experiment}[$rate])))",
        "ms",
        metric=f"{LATENCY}_bucket",
        meaning="95th percentile of each model's response time, over the requests of all its instances",
    ),
    "accuracy": AbQuery(
        "accuracy",
        f"avg by (model_name) (ab_test_model_accuracy{{$experiment}} {FINITE})",
        "as_logged",
        metric=ACCURACY,
        meaning="online accuracy that each model's instances report, their mean",
    ),
    "error_rate": AbQuery(
        "error_rate",
        "clamp_max(100 * (sum by (model_name) (rate($errors[$rate])) or sum by (model_name) "
        "(rate(ab_test_requests_total{$experiment}[$rate])) * 0)"
        " / sum by (model_name) (rate(ab_test_requests_total{$experiment}[$rate])), 100)",
        "percent",
        meaning="failed requests of each model in percent of its requests; 0 while none has failed",
    ),
    "business_impact": AbQuery(
        "business_impact",
        f"avg by (model_name, metric_type) (ab_test_business_impact{{$experiment}} {FINITE})",
        "as_reported",
        labels=("model_name", "metric_type"),
        metric=IMPACT,
        meaning="business impact that each model's instances report, their mean; each metric_type is a "
        "quantity of its own",
    ),
}
# taken here, before anyone adds a question of their own
BUILT_IN = frozenset(query.promql for query in AB_QUERIES.values())


def render(
    promql: str,
    *,
    matchers: str = "",
    rate_seconds: float = 300.0,
    window_seconds: float = 86_400.0,
    errors: str = "",
) -> str:
    """The PromQL with its variables filled in, in one pass, so that no label value is read as a variable;
    `matchers` stand for `$experiment`, none means all series.
    """
    if not matchers:
        promql = promql.replace("{$experiment}", "").replace(", $experiment", "")
    values = {
        "errors": errors,
        "rate": format_duration(rate_seconds),
        "window": format_exact_duration(window_seconds),
        "experiment": matchers,
    }
    return _VARIABLE.sub(lambda found: values[found[1]], promql)


def quoted(label_value: str) -> str:
    """A label value as a PromQL string: the one place where foreign text enters a query."""
    escaped = label_value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
