"""Whether rules have recorded each copy of one scrape, so that every count is a multiple: what has been
recorded cannot be told apart any more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from live_dashboards.errors import SourceError
from live_dashboards.model.notices import COUNTED_TWICE
from live_dashboards.sources.prometheus.counting.growth import COUNTER_LABEL, joined
from live_dashboards.sources.prometheus.exchange import Question, over_time
from live_dashboards.sources.prometheus.failed_questions import Ask
from live_dashboards.sources.prometheus.recorded import SETTLED_SECONDS, STEP_SECONDS, STEPS
from live_dashboards.sources.prometheus.reply import Reply
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import REQUESTS, render

RECORD_ONCE = (
    "let the rules record one copy of each scrape alone, with its label in every selector, and "
    "set AB_START to then; PROMETHEUS_RECORDED=off counts right now"
)
_MOST_LOOKS = 300
_TOGETHER = 12  # looks: what one alone says may be chance, as instances come, go and restart
_STEPS, _ALL, _ONE = "steps", "all", "one"


@dataclass(frozen=True, slots=True)
class Recorded:
    """Copies in the instances' own series, by the labels in which alone they differ, and by which labels
    recorded steps are merged.
    """

    labels: tuple[str, ...]
    merged: tuple[str, ...] = ()


def counts_each(ask: Ask, scope: Scope, copies: Recorded, spans: Iterable[tuple[float, float]]) -> bool:
    """Whether steps are nearer to what all copies count than to what one of them does, at several looks in
    turn; True where that cannot be asked.

    `spans` are pairs of unix seconds. Where the instances' own series are gone nothing can be told, and what
    copies there were neither.
    """
    outcomes = ask([_question(scope, copies, start, end) for start, end in spans])
    return any(isinstance(outcome, SourceError) or _is_of_each(outcome) for outcome in outcomes)


def _is_of_each(reply: Reply) -> bool:
    found = {series.label(COUNTER_LABEL): dict(series.points) for series in reply.series}
    if found.keys() != {_STEPS, _ALL, _ONE}:
        return False
    each = [
        (found[_STEPS][moment], found[_ALL].get(moment), found[_ONE].get(moment))
        for moment in sorted(found[_STEPS])
    ]
    looks = [
        (steps, every, one)
        for steps, every, one in each
        if steps is not None and every is not None and one is not None
    ]
    return any(
        _is_double(looks[max(0, min(start, len(looks) - _TOGETHER)) :][:_TOGETHER])
        for start in range(0, len(looks), _TOGETHER)
    )


def _is_double(looks: list[tuple[float, float, float]]) -> bool:
    steps, every, one = (math.fsum(column) for column in zip(*looks, strict=True))
    return one > 0 and 2 * steps > every + one


def twice_words(labels: tuple[str, ...]) -> str:
    """What is told of steps that count all copies."""
    return (
        f"{COUNTED_TWICE}: the rules have recorded each of the copies that differ in "
        f"{label_words(labels)} alone: {RECORD_ONCE}"
    )


def apart_words(labels: tuple[str, ...]) -> str:
    """What is told of steps of copies that a setting can make one."""
    return (
        f"{COUNTED_TWICE}: the recorded steps of copies that differ in {label_words(labels)} alone are "
        f"added up: set PROMETHEUS_REPLICA_LABELS={','.join(labels)}"
    )


def label_words(labels: Iterable[str]) -> str:
    """`the label a`, `the labels a and b`."""
    names = tuple(labels)
    return f"the label{'s' if len(names) > 1 else ''} {' and '.join(names)}"


def _question(scope: Scope, copies: Recorded, start_seconds: float, end_seconds: float) -> Question:
    """The steps at moments that are whole steps before the newest one."""
    newest = scope.counts_at_seconds
    steps = max(1, int((end_seconds - start_seconds) / STEP_SECONDS / _MOST_LOOKS))
    looks = int(min(_MOST_LOOKS, (newest - start_seconds) // (steps * STEP_SECONDS)))
    return over_time(
        _promql(scope, copies), newest - looks * steps * STEP_SECONDS, newest, steps * STEP_SECONDS
    )


def _promql(scope: Scope, copies: Recorded) -> str:
    """What the steps, all copies and one of each count in a step. `increase` is near enough, and knows
    restarts.
    """
    selector = render(f"{REQUESTS}{{$experiment}}", matchers=scope.matchers)
    grown = f"increase({selector}[{STEP_SECONDS:g}s] offset {SETTLED_SECONDS:g}s)"
    steps = render(
        f"last_over_time({STEPS[REQUESTS]}{{$experiment}}[{STEP_SECONDS:g}s])", matchers=scope.matchers
    )
    recorded = f"max without ({', '.join(copies.merged)}) ({steps})" if copies.merged else steps
    one = f"max without ({', '.join(copies.labels)}) ({grown})"
    return joined(
        (name, f"sum({promql})") for name, promql in ((_STEPS, recorded), (_ALL, grown), (_ONE, one))
    )
