"""The recording rules of a server with whatever names: what they record is called and counted as it is by the
rules of deploy/prometheus/, which hold the same for the tool's own names, so that PROMETHEUS_RECORDED=on and
the alerts read either.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import indent

from live_dashboards.model.names import escaped
from live_dashboards.model.serving import ServingMetrics
from live_dashboards.sources.prometheus.promql import (
    ESTIMATED,
    FAILED,
    GAUGES,
    NEWEST,
    RECORDED_UNTIL,
    SETTLED_SECONDS,
    STEPS,
    UNSEEN,
)
from live_dashboards.sources.prometheus.steps import BUCKETS, BY_EDGE, BY_MODEL, COUNT, SUM, Steps
from live_dashboards.sources.queries import ACCURACY, ERRORS, FINITE, IMPACT, LATENCY, REQUESTS

_HEAD = """\
# {title} (AB_METRICS={preset}), recorded under the tool's own names for PROMETHEUS_RECORDED=on and alerts.
# Printed by `live-dashboards rules`; print it anew where AB_METRICS, or what overrides it, changes.
# It takes the place of ab_test.rules.yml and ab_test_recorded.rules.yml, which are the same for the tool's
# own names. docs/scaling.md says how exact it is, and how the past is filled in.
groups:
"""
_BY_TYPE = "experiment, metric_type, model_name"
_OF_MODEL = "experiment_model_name"
_REQUESTS, _ERRORS = (f"{_OF_MODEL}:{each.removesuffix('_total')}" for each in (REQUESTS, ERRORS))
_LATENCY = f"{_OF_MODEL}:{LATENCY}"
_BUCKETS_RATE = f"experiment_le_model_name:{BUCKETS}:rate5m"
_PLAN = "model_name:ab_test_planned_share:ratio"
_RATE = f"sum by ({BY_MODEL}) (rate(%s[5m]))"
_HOUR = f"{_REQUESTS}:increase1h"
_SHARE = f"""\
  {_HOUR}
/ on (experiment) group_left ()
  sum by (experiment) ({_HOUR})"""
_DISTANCE = f"abs({_REQUESTS}:share_increase1h - on (model_name) group_left () {_PLAN})"
_ERROR = f"""\
  (
      ({_HOUR} * 0 + 1)
    * on (model_name) group_left ()
      sqrt({_PLAN} * (1 - {_PLAN}))
  )
/ on (experiment) group_left ()
  sqrt(sum by (experiment) ({_HOUR}))"""


@dataclass(frozen=True, slots=True)
class Rule:
    """One recorded name, its PromQL in the server's names, and what is said of it."""

    record: str
    expr: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, each `interval` (as Prometheus writes it)."""

    name: str
    interval: str
    rules: tuple[Rule, ...]


def rule_groups(serving: ServingMetrics) -> tuple[Group, ...]:
    """All that can be recorded with these names: the groups of ab_test.rules.yml, then those of
    ab_test_recorded.rules.yml.
    """
    steps = Steps(serving)
    return (
        Group("ab_test", "1m", (*_rates(steps), *_gauges())),
        Group("ab_test_traffic", "1m", tuple(_traffic(steps))),
        Group("ab_test_recorded", "5m", tuple(_counts(steps, serving))),
        Group("ab_test_recorded_ages", "1m", tuple(_ages(steps))),
    )


def rules_text(serving: ServingMetrics) -> str:
    """The same as one file for Prometheus or vmalert."""
    head = _HEAD.format(title=escaped(serving.title), preset=escaped(serving.preset))
    return head + "\n".join(map(_group_text, rule_groups(serving)))


def _rates(steps: Steps) -> Iterator[Rule]:
    yield Rule(f"{_REQUESTS}:rate5m", steps.growth(REQUESTS, _RATE))
    if steps.has(ERRORS):
        none = steps.growth_of_none(_RATE, f"{_REQUESTS}:rate5m")
        ways = [
            steps.growth(ERRORS, _RATE),
            *steps.growth_by_status(_RATE),
            *(f"{each} * 0" for each in none),
        ]
        failed = "\nor\n".join(indent(each, "  ") for each in ways)
        yield Rule(f"{_ERRORS}:rate5m", failed, "0 while nothing has failed." if none else "")
        ratio = f"clamp_max({_ERRORS}:rate5m / {_REQUESTS}:rate5m, 1)"
        yield Rule(f"{_ERRORS}_per_request:ratio_rate5m", ratio)
    if steps.has(BUCKETS):
        yield Rule(_BUCKETS_RATE, steps.growth(BUCKETS, f"sum by ({BY_EDGE}) (rate(%s[5m]))"))
        yield Rule(f"{_LATENCY}:p95_rate5m", f"histogram_quantile(0.95, {_BUCKETS_RATE})")
    if steps.has(SUM):
        sides = (indent(steps.growth(metric, _RATE), "  ") for metric in (SUM, COUNT))
        yield Rule(f"{_LATENCY}:mean_rate5m", "\n/\n".join(sides))


def _gauges() -> Iterator[Rule]:
    """These have the tool's own names everywhere."""
    for metric, by in ((ACCURACY, BY_MODEL), (IMPACT, _BY_TYPE)):
        yield Rule(GAUGES[metric], f"avg by ({by}) ({metric} {FINITE})")


def _traffic(steps: Steps) -> Iterator[Rule]:
    yield Rule(_HOUR, steps.growth(REQUESTS, f"sum by ({BY_MODEL}) (increase(%s[1h]))"))
    yield Rule(f"{_REQUESTS}:share_increase1h", _SHARE)
    yield Rule(f"{_REQUESTS}:share_distance1h", _DISTANCE, "From its plan: ab_test_plan.rules.yml.")
    yield Rule(f"{_REQUESTS}:share_error1h", _ERROR)
    yield _age(steps, REQUESTS)


def _counts(steps: Steps, serving: ServingMetrics) -> Iterator[Rule]:
    counted = [metric for metric in STEPS if steps.has(metric)]
    by_status = serving.is_told_by_status and steps.has(ERRORS)
    for metric in counted:
        yield Rule(STEPS[metric], steps.step(metric))
        if by_status and metric == ERRORS:
            yield Rule(FAILED, steps.failed(), "What is counted by status.")
    for metric in counted:
        yield Rule(UNSEEN[STEPS[metric]], steps.unseen(metric))
        if by_status and metric == ERRORS:
            yield Rule(UNSEEN[FAILED], steps.failed_unseen())
    yield Rule(ESTIMATED, steps.estimated())
    yield Rule(RECORDED_UNTIL, f"time() - {SETTLED_SECONDS:g}")


def _ages(steps: Steps) -> Iterator[Rule]:
    if steps.has(COUNT):
        yield _age(steps, COUNT)
    for metric, by in ((ACCURACY, BY_MODEL), (IMPACT, _BY_TYPE)):
        yield Rule(NEWEST[metric], f"max by ({by}) (timestamp({metric}) and {metric} {FINITE})")


def _age(steps: Steps, metric: str) -> Rule:
    return Rule(NEWEST[metric], steps.form(f"max by ({BY_MODEL}) (timestamp({metric}))"))


def _group_text(group: Group) -> str:
    head = f"  - name: {group.name}\n    interval: {group.interval}\n    rules:\n"
    return head + "\n".join(map(_rule_text, group.rules))


def _rule_text(rule: Rule) -> str:
    comment = f"      # {rule.comment}\n" if rule.comment else ""
    return f"{comment}      - record: {rule.record}\n        expr: {_yaml(rule.expr)}\n"


def _yaml(expr: str) -> str:
    """As it stands; what no block of YAML can hold is written out."""
    if not expr.replace("\n", "").isprintable():
        return json.dumps(expr)
    return f"|2-\n{indent(expr, ' ' * 10)}"
