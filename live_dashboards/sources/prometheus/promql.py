"""Questions to Prometheus as text: totals of the window, gauges at the moment and the newest sample behind
each, and label matchers: whatever foreign name is to be matched as it is goes through here and through
`quoted`.

The same questions to what the rules of deploy/prometheus/ have recorded have the same names, units and
labels, at a cost that does not know how many instances there are. Where several copies of one scrape are
stored, each request is counted once: the greatest growth of the copies, their mean of a gauge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from live_dashboards.model.guarded import EventCounter
from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.variants import SEPARATORS, named_variant
from live_dashboards.settings import Settings
from live_dashboards.sources.queries import (
    ACCURACY,
    BUILT_IN,
    ERRORS,
    EXPERIMENT_LABEL,
    FINITE,
    IMPACT,
    LATENCY,
    REQUESTS,
    AbQuery,
    quoted,
)

MODEL_LABEL = "model_name"
# what is taken away from these, where settings say so: counted by itself
TAKEN = {
    REQUESTS: f"{EXPORTED.prefix}requests_taken_total",
    ERRORS: f"{EXPORTED.prefix}errors_taken_total",
}

STEP_SECONDS = 300.0
# how far the rules look back: a step ends that long before the moment at which it is recorded
SETTLED_SECONDS = 60.0
RECORDED_UNTIL = "ab_test:recorded_until_seconds:time"

_BY_MODEL, _BY_TYPE = "experiment_model_name", "experiment_metric_type_model_name"
_REQUESTS, _ERRORS = REQUESTS.removesuffix("_total"), ERRORS.removesuffix("_total")
STEPS = {
    REQUESTS: f"{_BY_MODEL}:{_REQUESTS}:increase5m",
    ERRORS: f"{_BY_MODEL}:{_ERRORS}:increase5m",
    f"{LATENCY}_sum": f"{_BY_MODEL}:{LATENCY}_sum:increase5m",
    f"{LATENCY}_count": f"{_BY_MODEL}:{LATENCY}_count:increase5m",
    f"{LATENCY}_bucket": f"experiment_le_model_name:{LATENCY}_bucket:increase5m",
}
FAILED = f"{_BY_MODEL}:{_REQUESTS}_failed:increase5m"  # by the label status; 0 where nothing has failed
# what of the requests is increase(), not counted
ESTIMATED = f"{_BY_MODEL}:{_REQUESTS}_estimated:increase5m"
# what of series that began may have been counted, too
UNSEEN = {steps: steps.replace(":increase5m", "_unseen:increase5m") for steps in (*STEPS.values(), FAILED)}
GAUGES = {ACCURACY: f"{_BY_MODEL}:{ACCURACY}:avg", IMPACT: f"{_BY_TYPE}:{IMPACT}:avg"}
NEWEST = {
    REQUESTS: f"{_BY_MODEL}:{_REQUESTS}_sample_timestamp_seconds:max",
    f"{LATENCY}_count": f"{_BY_MODEL}:{LATENCY}_count_sample_timestamp_seconds:max",
    ACCURACY: f"{_BY_MODEL}:{ACCURACY}_sample_timestamp_seconds:max",
    IMPACT: f"{_BY_TYPE}:{IMPACT}_sample_timestamp_seconds:max",
}
_GROWTH = re.compile(
    r"\b(?P<call>increase|rate)\((?P<metric>\$errors|[a-zA-Z_:][\w:]*)(?P<matchers>\{[^}]*\})?(?P<span>\[[^\]]*\])\)"
)
_STEPS = re.compile(rf"(?<![\w:\"])({'|'.join(UNSEEN)})(?=[{{\[])")
_GAUGE = re.compile(rf"\b({'|'.join(GAUGES)})\b(?=\{{)")
_RAW = re.compile(rf"(?<![\w:]){EXPORTED.prefix}\w+|\b(?:increase|rate)\(")
_KEPT_LABELS = {EXPERIMENT_LABEL, "model_name", "le", "metric_type"}
_WITHIN = f"sum by (le, model_name) (increase({LATENCY}_bucket{{$experiment}}[$window]))"
# the edges that are asked for, and how finely the past is looked at
_VARIES = re.compile(r'le=~"[^"]*", |(?<=\[\$window:)\d+(?=s\])')

QUOTED = r'"(?:[^"\\]|\\.)*"'
_MATCHERS = rf"(?:\{{(?:[^\"}}]|{QUOTED})*\}})?"
_SELECTOR = rf"(?:\$errors|[a-zA-Z_:][\w:]*){_MATCHERS}"
_STEPS_SELECTOR = rf"(?:\$errors|[a-zA-Z_:][\w:]*:increase5m){_MATCHERS}"
_GROWTH_CALL = (
    rf"\b(?:(?:increase|rate|irate)\(\s*{_SELECTOR}|sum_over_time\(\s*{_STEPS_SELECTOR})\s*\[[^\]]*\]\s*\)"
)
_PER_SERIES = re.compile(rf"{QUOTED}|(?P<growth>{_GROWTH_CALL})|(?P<gauge>{_SELECTOR} {re.escape(FINITE)})")


def labelled(experiment: str) -> str:
    """The series whose label names the experiment."""
    return f"{EXPERIMENT_LABEL}={quoted(experiment)}"


def labelled_or_not(experiment: str) -> str:
    """The series whose label names the experiment, and those without the label."""
    return f"{EXPERIMENT_LABEL}=~{quoted(f'{re.escape(experiment)}|')}"


def one_of(label: str, names: Iterable[str]) -> str:
    """The series whose label is one of the names."""
    return f"{label}=~{_alternatives(names)}"


def none_of(label: str, names: Iterable[str]) -> str:
    """The series whose label is none of the names."""
    return f"{label}!~{_alternatives(names)}"


def of_variants(variants: Iterable[str], aliases: Mapping[str, str], more: Iterable[str] = ()) -> str:
    """The series whose model name is, after the aliases, one of the variants (see `named_variant`), or one of
    `more`.
    """
    known = tuple(variants)
    named = {model: named_variant(variant, known) is not None for model, variant in aliases.items()}
    literal = sorted({*more, *(model for model, is_own in named.items() if is_own)})
    patterns = [
        *(f"{re.escape(variant)}([{SEPARATORS[::-1]}].*)?" for variant in sorted(known)),
        *map(re.escape, literal),
    ]
    foreign = sorted(
        model
        for model, is_own in named.items()
        if not is_own and named_variant(model, known) is not None and model not in literal
    )
    matchers = (
        f"{MODEL_LABEL}=~{quoted('|'.join(patterns))}",
        none_of(MODEL_LABEL, foreign) if foreign else "",
    )
    return joined(*matchers)


def joined(*matchers: str) -> str:
    """All of the matchers at once; empty ones say nothing."""
    return ", ".join(filter(None, matchers))


def _alternatives(names: Iterable[str]) -> str:
    return quoted("|".join(re.escape(name) for name in sorted(names)))


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
    online = (_increase(name, str(metric)) for name, metric in named.items() if metric is not None)
    return (*TOTALS, *online, *map(events_total, settings.event_counters))


def events_selector(events: EventCounter) -> str:
    """The series of a guardrail's counter, still to be filled in with those of the test; what looks like
    another variable in its values is none.
    """
    matchers = ", ".join(map(str, events.matchers)).replace("$", "\\x24")
    return f"{events.metric}{{{joined(matchers, '$experiment')}}}"


def events_total(events: EventCounter) -> AbQuery:
    """The question after the events of a guardrail, under its name."""
    promql = f"sum by (model_name) (increase({events_selector(events)}[$window]))"
    return AbQuery(events.name, promql, "count", metric=events.metric, events=events)


def newest(query: AbQuery) -> AbQuery | None:
    """The question after the time of the newest sample behind a total; None where another total's serves.

    `timestamp` tells a sample's own time only of a bare selector, so samples that are no numbers are left out
    with `and`.
    """
    if query.name in _WITHOUT_NEWEST or query.events is not None:
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


_NEWEST = tuple(filter(None, map(newest, TOTALS)))
_TOOLS_OWN = BUILT_IN | {
    _WITHIN,
    *(query.promql for query in (*TOTALS, *_NEWEST, *(newest_within(query, 1.0) for query in _NEWEST))),
}


@lru_cache(maxsize=256)
def recorded_form(query: AbQuery) -> AbQuery | None:
    """The same question to the recorded series; None where it asks for what no rule records, or is not one of
    the tool's own.

    Of a foreign question nobody knows that steps and means over instances give the same: a minimum of means
    is no minimum.
    """
    if _VARIES.sub(lambda found: "" if found[0].startswith("le") else "1", query.promql) not in _TOOLS_OWN:
        return None
    if "timestamp(" in query.promql:
        return _newest(query)
    promql = _GAUGE.sub(lambda found: GAUGES[found[1]], _GROWTH.sub(_growth, query.promql))
    return (
        None
        if _RAW.search(promql)
        else replace(query, promql=promql, metric=(STEPS | GAUGES).get(query.metric, query.metric))
    )


def unseen_form(promql: str) -> str:
    """The question to recorded steps as one to what series held when they were first seen, of which nothing
    tells whether it was counted since then.
    """
    return _STEPS.sub(lambda found: UNSEEN[found[1]], promql)


def _growth(found: re.Match[str]) -> str:
    """Steps added up; for a rate over the time for which there are steps."""
    metric, matchers = found["metric"], found["matchers"] or ""
    named = set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", matchers))
    if (metric != "$errors" and metric not in STEPS) or not named <= _KEPT_LABELS:
        return found[0]
    steps = f"sum_over_time({STEPS.get(metric, metric)}{matchers}{found['span']})"
    return (
        steps
        if found["call"] == "increase"
        else f"({steps} / scalar({STEP_SECONDS:g} * max(count_over_time({RECORDED_UNTIL}{found['span']}))))"
    )


def _newest(query: AbQuery) -> AbQuery | None:
    """The time of the newest sample is a recorded value: of the last hour, or of the whole window for what is
    older.
    """
    if query.metric not in NEWEST:
        return None
    metric, span = NEWEST[query.metric], "[$window" if "[$window" in query.promql else "[1h"
    return replace(
        query,
        promql=f"max by ({', '.join(query.labels)}) (max_over_time({metric}{{$experiment}}{span}]))",
        metric=metric,
    )


@lru_cache(maxsize=256)
def once(promql: str, copy_labels: tuple[str, ...]) -> str:
    """The PromQL with the series that differ in these labels alone taken for one; the same text where there
    are none.

    Of the copies of a counter the one that grew most counts, as a gap can only hide growth; of a gauge their
    mean, so that an instance has one voice.
    """
    if not copy_labels:
        return promql
    labels = ", ".join(copy_labels)

    def merged(found: re.Match[str]) -> str:
        if found["growth"]:
            return f"max without ({labels}) ({found['growth']})"
        return f"avg without ({labels}) ({found['gauge']})" if found["gauge"] else found[0]

    return _PER_SERIES.sub(merged, promql)
