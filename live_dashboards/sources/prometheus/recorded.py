"""Whether what the rules have recorded can be asked: until when they counted, whether enough of the window's
or a period's steps are there, and whether they have recorded each copy of one scrape, so that every count is
a multiple: what has been recorded cannot be told apart any more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from live_dashboards.errors import SourceError
from live_dashboards.model.moment import format_duration
from live_dashboards.model.notices import (
    COUNTED_BY_RULES,
    COUNTED_TWICE,
    ESTIMATES,
    MISSING_STEPS,
    OLDER_RULES,
)
from live_dashboards.model.serving import OWN_NAMES, ServingMetrics
from live_dashboards.sources.prometheus.counting.growth import COUNTER_LABEL, joined
from live_dashboards.sources.prometheus.exchange import Ask, Question, instant, over_time
from live_dashboards.sources.prometheus.failed_requests import Counting, errors_counted
from live_dashboards.sources.prometheus.own_series import AskedTest, find_own_series
from live_dashboards.sources.prometheus.promql import (
    ESTIMATED,
    FAILED,
    RECORDED_UNTIL,
    SETTLED_SECONDS,
    STEP_SECONDS,
    STEPS,
    UNSEEN,
)
from live_dashboards.sources.prometheus.reply import Outcome, Reply, answered, series_in, value_in
from live_dashboards.sources.prometheus.scope import DAY_SECONDS, Scope
from live_dashboards.sources.queries import ERRORS, EXPERIMENT_LABEL, REQUESTS, render

ENOUGH_STEPS = 0.99  # of a window or a period: the rest hits all models alike, and is told
# of the tool's own names, and of others
LOAD_PRESENT = (
    "load the present ab_test_recorded.rules.yml",
    "load what `live-dashboards rules` prints now",
)
FILL_IN = (
    "load ab_test_recorded.rules.yml, and fill in the past with promtool",
    "load what `live-dashboards rules` prints, and fill in the past with promtool",
)
# two steps may be late; of several Prometheus the one that is furthest behind counts
_NEWEST_STEP = f"min(max_over_time({RECORDED_UNTIL}[15m]))"
_STEPS_SEEN = f"min(count_over_time({RECORDED_UNTIL}[$window]))"
_ESTIMATES = f"sum by (model_name) (sum_over_time({ESTIMATED}{{$experiment}}[$window])) > 0"
_OLDER_RULES = (
    f"sum(count_over_time({STEPS[REQUESTS]}{{$experiment}}[$window])) > "
    f"(sum(count_over_time({UNSEEN[STEPS[REQUESTS]]}{{$experiment}}[$window])) "
    "or vector(0))"
)
_SEEN = f"count by ({EXPERIMENT_LABEL}, model_name) (count_over_time(%s{{$experiment}}[$window]))"
_COUNTED = (STEPS[REQUESTS], STEPS[ERRORS], FAILED)
_SPAN_TEXTS = 3  # questions about each span of steps
# after the newest step: no step lies on an end of a window, whichever ends an engine counts
_BESIDE_A_STEP_SECONDS = 1.0

_STEPS_BEFORE = f"count_over_time({RECORDED_UNTIL}[1h])"
_FILL_IN = "fill in the past with promtool (docs/scaling.md)"

RECORD_ONCE = (
    "let the rules record one copy of each scrape alone, with its label in every selector, and "
    "set AB_START to then; PROMETHEUS_RECORDED=off counts right now"
)
_MOST_LOOKS = 300
_TOGETHER = 12  # looks: what one alone says may be chance, as instances come, go and restart
_STEPS, _ALL, _ONE = "steps", "all", "one"


def find_recorded_scope(
    ask_all: Ask,
    *,
    at_seconds: float,
    window_seconds: float,
    test: AskedTest,
    known: tuple[str, ...],
    metric_names: tuple[str, ...],
    serving: ServingMetrics = OWN_NAMES,
) -> Scope | str:
    """The scope of questions to recorded steps, or why they cannot be asked."""
    if window_seconds < STEP_SECONDS:
        return (
            f"a window of {format_duration(window_seconds)} is shorter than a step of "
            f"{format_duration(STEP_SECONDS)}"
        )
    newest = ask_all([instant(_NEWEST_STEP, at_seconds, "unix_seconds")])[0]
    until_seconds = value_in(newest)
    if until_seconds is None:
        return (
            newest.reason
            if isinstance(newest, SourceError)
            else f"no step of {RECORDED_UNTIL} is newer than 15m: {_of_names(FILL_IN, serving)}"
        )
    steps_at = until_seconds + SETTLED_SECONDS + _BESIDE_A_STEP_SECONDS
    wanted_seconds = window_seconds // STEP_SECONDS * STEP_SECONDS
    longest, spans = max(wanted_seconds, DAY_SECONDS), tuple(dict.fromkeys((wanted_seconds, DAY_SECONDS)))
    own = find_own_series(ask_all, test, known, at_seconds=steps_at, metric=STEPS[REQUESTS])
    if own.needs_targets:
        return own.needs_targets
    seen = [render(_SEEN % metric, matchers=own.matchers, window_seconds=longest) for metric in _COUNTED]
    texts = [*seen, *(text for span in spans for text in _span_texts(span, own.matchers))]
    counted, counters, of_status, *of_spans = ask_all([instant(text, steps_at, "count") for text in texts])
    requests, failed = answered(counted), answered(of_status)
    shares = {
        f"the last {format_duration(span)}": steps_share(steps, span)
        for span, steps in zip(spans, of_spans[::_SPAN_TEXTS], strict=True)
    }
    for span, share in shares.items():
        if share < ENOUGH_STEPS:
            return f"the rules have recorded {100 * share:.0f} % of {span}: {_of_names(FILL_IN, serving)}"
    beyond = zip(shares.items(), of_spans[1::_SPAN_TEXTS], of_spans[2::_SPAN_TEXTS], strict=True)
    told = (
        text
        for (span, share), estimated, older in beyond
        for text in _steps_words(share, estimated, older, span, serving)
    )
    return Scope(
        at_seconds=at_seconds,
        window_seconds=wanted_seconds,
        experiment=test.name,
        experiments=tuple(sorted({series.label(EXPERIMENT_LABEL) for series in requests.series} - {""})),
        has_requests=bool(requests.series),
        errors=errors_counted(
            ask_all,
            serving,
            Counting(
                requests.series,
                failed.series if serving.is_told_by_status else (),
                counters,
                own.matchers,
                is_recorded=True,
            ),
            at_seconds=steps_at,
            window_seconds=longest,
            is_known=STEPS[ERRORS] in metric_names,
        ),
        shortest_rate_seconds=STEP_SECONDS,
        warnings=(
            (
                f"{COUNTED_BY_RULES}, in whole steps of {format_duration(STEP_SECONDS)} until "
                f"{utc_words(until_seconds)}"
            ),
            *told,
            *own.told,
            *requests.warnings,
        ),
        steps_at_seconds=steps_at,
        matchers=own.matchers,
        serving=serving,
    )


def steps_share(outcome: Outcome, window_seconds: float) -> float:
    """How many of the window's steps were recorded, as a share of them; 0 where it could not be asked."""
    return (value_in(outcome) or 0.0) / (window_seconds / STEP_SECONDS)


def _of_names(words: tuple[str, str], serving: ServingMetrics) -> str:
    own, others = words
    return own if serving.is_own else others


def _span_texts(window_seconds: float, matchers: str) -> list[str]:
    """How many steps of a window were recorded, how many requests of each model are estimated in them, and
    how many are of older rules.
    """
    return [
        render(text, matchers=matchers, window_seconds=window_seconds)
        for text in (_STEPS_SEEN, _ESTIMATES, _OLDER_RULES)
    ]


def _steps_words(
    share: float, estimated: Outcome, older: Outcome, span: str, serving: ServingMetrics
) -> Iterator[str]:
    """What is told of a span: that it lacks few steps, in which instances restarted so often that their
    requests are estimates, and that rules did not record what series held when they were first seen.
    """
    if share < 1:
        yield f"{100 * (1 - share):.1g} % of the steps of {span} {MISSING_STEPS}"
    each = ", ".join(
        f"{series.last or 0.0:,.0f} of {series.label('model_name')}"
        for series in sorted(series_in(estimated), key=lambda each: each.labels)
    )
    if each:
        yield (
            f"{ESTIMATES} {span} these are estimates, as instances restarted again and again within "
            f"{format_duration(STEP_SECONDS)}: {each}"
        )
    if series_in(older):
        yield (
            f"{OLDER_RULES} {span} does not tell what series held when they were first seen, so counts may "
            f"be more: {_of_names(LOAD_PRESENT, serving)}"
        )


def utc_words(seconds: float) -> str:
    """A moment in unix seconds, to the second."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class Memory:
    """Whether nothing of a period is forgotten, else what is lacking with its fix; and what is told of the
    little that is missing, and of estimates.
    """

    is_whole: bool
    lack: str = ""
    told: tuple[str, ...] = ()


def memory_questions(scope: Scope, start_seconds: float) -> list[Question]:
    """What there is to tell of the period's steps, and whether there are any before the one in which its
    traffic was first seen.

    A found start is up to 15 s after the moment of that step.
    """
    texts = _span_texts(scope.window_seconds, scope.matchers)
    of_steps = (instant(text, scope.counts_at_seconds, "count") for text in texts)
    return [*of_steps, instant(_STEPS_BEFORE, start_seconds - STEP_SECONDS / 2)]


def memory(scope: Scope, start_seconds: float, outcomes: Sequence[Outcome], *, is_found: bool) -> Memory:
    """The answers' meaning: a start that is the first step of all is where the rules began, and says nothing
    of the test.
    """
    steps, estimated, older, before = outcomes
    share = steps_share(steps, scope.window_seconds)
    if share < ENOUGH_STEPS:
        return Memory(
            False,
            f"the rules have recorded {100 * share:.0f} % of the steps since then, and "
            f"what was counted in the others is missing: {_FILL_IN}",
        )
    if is_found and not series_in(before):
        return Memory(
            False,
            "the rules have recorded nothing before, so the test may have begun earlier: "
            f"{_FILL_IN}, or set AB_START",
        )
    span = f"the analysis period since {utc_words(start_seconds)}"
    return Memory(True, told=tuple(_steps_words(share, estimated, older, span, scope.serving)))


def counts_each(
    ask: Ask,
    scope: Scope,
    spans: Iterable[tuple[float, float]],
    labels: tuple[str, ...],
    merged: tuple[str, ...],
) -> bool:
    """Whether steps are nearer to what all copies count than to what one of them does, at several looks in
    turn; True where that cannot be asked.

    `labels` are those in which alone copies differ in the instances' own series, `merged` those by which
    recorded steps are merged; `spans` are pairs of unix seconds. Where the instances' own series are gone
    nothing can be told, and what copies there were neither.
    """
    promql = _promql(scope, labels, merged)
    outcomes = ask([_question(scope, promql, start, end) for start, end in spans])
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


def _question(scope: Scope, promql: str, start_seconds: float, end_seconds: float) -> Question:
    """The steps at moments that are whole steps before the newest one."""
    newest = scope.counts_at_seconds
    steps = max(1, int((end_seconds - start_seconds) / STEP_SECONDS / _MOST_LOOKS))
    looks = int(min(_MOST_LOOKS, (newest - start_seconds) // (steps * STEP_SECONDS)))
    return over_time(promql, newest - looks * steps * STEP_SECONDS, newest, steps * STEP_SECONDS)


def _promql(scope: Scope, labels: tuple[str, ...], merged: tuple[str, ...]) -> str:
    """What the steps, all copies and one of each count in a step. `increase` is near enough, and knows
    restarts.
    """
    selector = render(f"{REQUESTS}{{$experiment}}", matchers=scope.matchers)
    grown = f"increase({selector}[{STEP_SECONDS:g}s] offset {SETTLED_SECONDS:g}s)"
    steps = render(
        f"last_over_time({STEPS[REQUESTS]}{{$experiment}}[{STEP_SECONDS:g}s])", matchers=scope.matchers
    )
    recorded = f"max without ({', '.join(merged)}) ({steps})" if merged else steps
    one = f"max without ({', '.join(labels)}) ({grown})"
    return joined(
        (name, f"sum({promql})") for name, promql in ((_STEPS, recorded), (_ALL, grown), (_ONE, one))
    )
