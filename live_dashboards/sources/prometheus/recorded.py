"""The questions to what the rules of deploy/prometheus/ have recorded: the same names, units and labels, at a
cost that does not know how many instances there are.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from live_dashboards.model.metrics import EXPORTED
from live_dashboards.sources.prometheus.totals import TOTALS, newest, newest_within
from live_dashboards.sources.queries import (
    ACCURACY,
    BUILT_IN,
    ERRORS,
    EXPERIMENT_LABEL,
    IMPACT,
    LATENCY,
    REQUESTS,
    AbQuery,
)

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
_STEPS = re.compile(rf"(?<![\w:\"])({'|'.join(UNSEEN)})(?=\{{)")
_GAUGE = re.compile(rf"\b({'|'.join(GAUGES)})\b(?=\{{)")
_RAW = re.compile(rf"(?<![\w:]){EXPORTED.prefix}\w+|\b(?:increase|rate)\(")
_KEPT_LABELS = {EXPERIMENT_LABEL, "model_name", "le", "metric_type"}
_NEWEST = tuple(filter(None, map(newest, TOTALS)))
_WITHIN = f"sum by (le, model_name) (increase({LATENCY}_bucket{{$experiment}}[$window]))"
_TOOLS_OWN = BUILT_IN | {
    _WITHIN,
    *(query.promql for query in (*TOTALS, *_NEWEST, *(newest_within(query, 1.0) for query in _NEWEST))),
}
# the edges that are asked for, and how finely the past is looked at
_VARIES = re.compile(r'le=~"[^"]*", |(?<=\[\$window:)\d+(?=s\])')


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
