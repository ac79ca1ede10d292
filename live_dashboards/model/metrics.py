"""The catalogue of metrics: each is spelled here, and nowhere else. Settings, questions, rows, comparisons,
panels, files, words, the simulation, the demo and the docs follow from it.

`METRICS` holds what MLflow's runs log of a model, in the order of the page; an entry that is added to it is
asked for, shown, compared and listed from then on. `BESIDE` holds what else two variants are compared in.
`EXPORTED` holds what exporters call what Prometheus counts of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

ACCURACY, ONLINE_ACCURACY, ACCURACY_OVER_RUNS = "accuracy", "online_accuracy", "accuracy_over_runs"
ERROR_RATE, OVER_OBJECTIVE, MEAN_LATENCY = "error_rate", "over_latency_objective", "mean_latency_ms"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST_EVENTS_NAME = 40


@dataclass(frozen=True, slots=True)
class Denominator:
    """The rows that a proportion is one of, in words; `misses` is what mlflow.evaluate calls those that are
    no hit, empty where a run logs the number of all.
    """

    words: str
    misses: str = ""


EXAMPLE_COUNT_KEY = "example_count"
"""Under which mlflow.models.evaluate logs the number of test rows."""
BEST = "best_"
"""What the key of a metric begins with under which a search logs the best of its trials, beside none of its
own: `best_accuracy`.
"""
TEST_ROWS = Denominator("test rows")
PREDICTED_POSITIVES = Denominator("predicted positives", "false_positives")
ACTUAL_POSITIVES = Denominator("actual positives", "false_negatives")


def _as_accuracy(accuracy: float) -> float:
    return accuracy


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name in every file, its title, the unit of its values, which way is better, and of what
    rows it is a proportion.

    `unit` is `percent` of a share, be it logged as a fraction or in percent; any other value is shown as it
    is logged, in this unit. Where `is_direction_known` is False nothing may be concluded from which way is
    better. `n` is None of what is no proportion of rows, though it may be a share, as F1 is:
    it has no interval. `keys` are those by which MLflow knows it unless a setting names another, the
    preferred one first; without any it is its name. `simulated` gives what a simulated model of that accuracy
    (0 to 1) logs. `words` are the title within a sentence, `amount` what there is more or less of, and
    `row_title` the title below that of the accuracy.

    Raises ValueError for a name that can be no key of a file and no part of a setting's name, for keys that
    are no tuple of names, without a title, and for a proportion that is no share.
    """

    name: str
    title: str
    unit: str = "percent"
    is_higher_better: bool = True
    n: Denominator | None = None
    keys: tuple[str, ...] = ()
    simulated: Callable[[float], float] = _as_accuracy
    words: str = ""
    amount: str = ""
    row_title: str = ""
    is_direction_known: bool = True

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"a metric cannot be called {self.name!r}; use small letters, digits and _, as in brier_score"
            )
        if isinstance(self.keys, str) or not all(self.keys):
            raise ValueError(f"{self.name} has the keys {self.keys!r}; give a tuple of names, as in ('auc',)")
        if not self.title or self.unit == "%":
            raise ValueError(f"{self.name} needs a title, and the unit of a share is percent, not %")
        if self.n is not None and not self.is_share:
            raise ValueError(
                f"{self.name} is a proportion of {self.n.words}, so its unit is percent, not {self.unit}"
            )
        object.__setattr__(self, "keys", self.keys or (self.name,))
        object.__setattr__(self, "words", self.words or self.title[:1].lower() + self.title[1:])
        object.__setattr__(self, "amount", self.amount or self.words)
        object.__setattr__(self, "row_title", self.row_title or self.title)

    @property
    def is_share(self) -> bool:
        """Whether it is one of a whole, shown in percent, on one axis with the others."""
        return self.unit == "percent"

    @property
    def better_words(self) -> str:
        """Which way is better."""
        if not self.is_direction_known:
            return "which way is better is not known"
        return "more is better" if self.is_higher_better else "less is better"

    @property
    def difference_unit(self) -> str:
        """The unit of the difference of two values."""
        return "points" if self.is_share else self.unit

    @property
    def setting(self) -> str:
        """The setting that names another key."""
        return f"AB_{self.name.upper()}_METRIC"


def _as_clients_log(name: str) -> tuple[str, ...]:
    """By hand, as mlflow.models.evaluate does, and under the prefixes that people give test rows; never what
    is logged of training rows.
    """
    return name, f"{name}_score", f"test_{name}", f"eval_{name}", f"val_{name}"


METRICS: dict[str, Metric] = {
    each.name: each
    for each in (
        Metric(ACCURACY, "Accuracy", n=TEST_ROWS, keys=_as_clients_log(ACCURACY)),
        Metric(
            "precision",
            "Precision",
            n=PREDICTED_POSITIVES,
            keys=_as_clients_log("precision"),
            simulated=lambda accuracy: accuracy - 0.012,
        ),
        Metric(
            "recall",
            "Recall",
            n=ACTUAL_POSITIVES,
            keys=_as_clients_log("recall"),
            simulated=lambda accuracy: accuracy - 0.021,
        ),
        Metric(
            "f1",
            "F1",
            keys=_as_clients_log("f1"),
            simulated=lambda accuracy: accuracy - 0.017,
            words="F1",
        ),
    )
}
BESIDE: dict[str, Metric] = {
    each.name: each
    for each in (
        Metric(ONLINE_ACCURACY, "Online accuracy", row_title="– online"),
        Metric(ACCURACY_OVER_RUNS, "Accuracy over runs", row_title="– over runs"),
        Metric(ERROR_RATE, "Error rate", is_higher_better=False, amount="errors"),
        Metric(
            OVER_OBJECTIVE,
            "Too slow",
            is_higher_better=False,
            words="share of too slow requests",
            amount="slow requests",
        ),
        Metric(MEAN_LATENCY, "Mean latency", "ms", is_higher_better=False),
    )
}


@dataclass(frozen=True, slots=True)
class Exported:
    """The names of an A/B test's metrics in Prometheus: counters, the histogram of response times without its
    endings, and gauges. All of them begin with `prefix`; `process_start` and what ends in `created` come from
    the client libraries.
    """

    prefix: str = "ab_test_"
    requests: str = "ab_test_requests_total"
    errors: str = "ab_test_errors_total"
    latency: str = "ab_test_response_time_seconds"
    accuracy: str = "ab_test_model_accuracy"
    impact: str = "ab_test_business_impact"
    process_start: str = "process_start_time_seconds"
    created: str = "_created"


EXPORTED = Exported()
VERSION_LABELS = ("model_version", "version", "image")
"""What may tell, on the series of requests, which model it is that serves under a name."""


def metric_of(name: str) -> Metric:
    """The entry of that name, of what is logged or what else is compared; of a name that is in no catalogue
    that of the events that AB_GUARDRAILS counts under it. ValueError for what can be no name.
    """
    return METRICS.get(name) or BESIDE.get(name) or _events(name)


@lru_cache(maxsize=64)
def _events(name: str) -> Metric:
    """The share of requests with an event of a guardrail of one's own."""
    plain = name.replace("_", " ")
    title = plain[:1].upper() + plain[1:]
    return Metric(name, title, is_higher_better=False, words=f"rate of {plain}", amount=plain)


TAKEN = frozenset(
    {
        *("requests", "errors", "error_rate", "traffic_share", "online_accuracy", "mean_latency_ms"),
        *("p50_latency_ms", "p95_latency_ms", "p99_latency_ms", "active_experiments", "baseline_accuracy"),
        *("enhanced_accuracy", "total_requests_24h", "total_requests", "avg_response_time_ms"),
        "net_business_value",
    }
)
"""Names that the summary has for something else."""
_ENDINGS = ("_difference", "_latest", "_interval")
LATENCY_GUARD = "latency"
"""The guardrail of the share of requests over the latency objective."""
# other keys of both summaries, totals of the same counting, and what the page lists
_NO_EVENTS = frozenset(
    {
        *("evidence", "decision_forecast", "model_changes", "slices", "quality"),
        *("alt_text", "analysis_period", "answer", "assumptions", "at", "badge", "baseline", "challenger"),
        *("changes", "comparisons", "correct", "cumulative_value", "dashboard", "data_source", "detectable"),
        *("annual_cost_increase", "annual_revenue_increase", "annual_risk_reduction", "business_impact"),
        *("break_even_accuracy_improvement", "break_even_improvement", "default_assumptions"),
        *("experiment", "experiment_note"),
        *("gates", "generated_at", "guardrails", "labelled", "latency_buckets", "latency_count"),
        *("latency_sum", "latency_within", "latency_within_far", "lineage", "measurements"),
        *("net_annual_value", "net_annual_value_intervals", "notices", "observed_at", "partial_total"),
        *("payback_days", "power", "probability_net_positive", "recommendation", "request_rate"),
        *("requests_24h", "response_time", "roi_percentage", "schema_version", "sensitivity", "sources"),
        *("spread", "traffic_split", "values_live", "values_total", "variants", "verdict", "verdicts"),
        *("window", "window_seconds", LATENCY_GUARD),
    }
)


def check_events_name(name: str) -> None:
    """ValueError where a guardrail of one's own cannot be called so: it is no plain word, or means something
    else.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_EVENTS_NAME:
        raise ValueError(
            f"{name!r} cannot be a guardrail's name; use small letters, digits and _, at most "
            f"{_LONGEST_EVENTS_NAME}, as in read_timeouts"
        )
    is_taken = name in METRICS or name in BESIDE or name in TAKEN or name in _NO_EVENTS
    if is_taken or name.startswith("newest_") or name.endswith(_ENDINGS):
        raise ValueError(
            f"{name!r} cannot be a guardrail's name, as the summary has something else of that name; choose "
            "another one"
        )


def check_catalogue() -> None:
    """ValueError for an entry under another name than its own, or of a name that means something else."""
    for name, metric in METRICS.items():
        if name != metric.name:
            raise ValueError(f"the metric {metric.name!r} stands in the catalogue as {name!r}; use one name")
        if name in TAKEN or name in BESIDE or name.endswith(_ENDINGS):
            raise ValueError(
                f"a metric cannot be called {name!r}: the summary has another value of that name"
            )
