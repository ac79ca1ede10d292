"""Whether what the rules have recorded can be asked: until when they counted, and whether enough of the
window's steps are there.
"""

from __future__ import annotations

from datetime import UTC, datetime

from live_dashboards.errors import SourceError
from live_dashboards.model.duration import format_duration
from live_dashboards.model.notices import COUNTED_BY_RULES, ESTIMATES, MISSING_STEPS, OLDER_RULES
from live_dashboards.sources.prometheus.exchange import Question, instant
from live_dashboards.sources.prometheus.failed_questions import Ask
from live_dashboards.sources.prometheus.failed_requests import Counting, ErrorsCounted, errors_counted
from live_dashboards.sources.prometheus.own_series import AskedTest, find_own_series
from live_dashboards.sources.prometheus.recorded import (
    ESTIMATED,
    FAILED,
    RECORDED_UNTIL,
    SETTLED_SECONDS,
    STEP_SECONDS,
    STEPS,
    UNSEEN,
)
from live_dashboards.sources.prometheus.reply import Outcome
from live_dashboards.sources.prometheus.scope import DAY_SECONDS, Scope
from live_dashboards.sources.queries import ERRORS, EXPERIMENT_LABEL, REQUESTS, render

ENOUGH_STEPS = 0.99  # of a window or a period: the rest hits all models alike, and is told
LOAD_PRESENT = "load the present ab_test_recorded.rules.yml"
FILL_IN = "load ab_test_recorded.rules.yml, and fill in the past with promtool"
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


def find_recorded_scope(
    ask_all: Ask,
    *,
    at_seconds: float,
    window_seconds: float,
    test: AskedTest,
    known: tuple[str, ...],
    metric_names: tuple[str, ...],
) -> Scope | str:
    """The scope of questions to recorded steps, or why they cannot be asked."""
    if window_seconds < STEP_SECONDS:
        return (
            f"a window of {format_duration(window_seconds)} is shorter than a step of "
            f"{format_duration(STEP_SECONDS)}"
        )
    newest = ask_all([instant(_NEWEST_STEP, at_seconds, "unix_seconds")])[0]
    until_seconds = None if isinstance(newest, SourceError) or not newest.series else newest.series[0].last
    if until_seconds is None:
        return (
            newest.reason
            if isinstance(newest, SourceError)
            else f"no step of {RECORDED_UNTIL} is newer than 15m: {FILL_IN}"
        )
    steps_at = until_seconds + SETTLED_SECONDS + _BESIDE_A_STEP_SECONDS
    wanted_seconds = window_seconds // STEP_SECONDS * STEP_SECONDS
    longest, spans = max(wanted_seconds, DAY_SECONDS), tuple(dict.fromkeys((wanted_seconds, DAY_SECONDS)))
    own = find_own_series(ask_all, test, known, at_seconds=steps_at, metric=STEPS[REQUESTS])
    if own.needs_targets:
        return own.needs_targets
    seen = [render(_SEEN % metric, matchers=own.matchers, window_seconds=longest) for metric in _COUNTED]
    texts = [*seen, *(text for span in spans for text in _span_texts(span, own.matchers))]
    requests, counters, failed, *of_spans = ask_all([instant(text, steps_at, "count") for text in texts])
    if isinstance(requests, SourceError):
        raise requests
    if isinstance(failed, SourceError):
        raise failed
    shares = {
        f"the last {format_duration(span)}": steps_share(steps, span)
        for span, steps in zip(spans, of_spans[::_SPAN_TEXTS], strict=True)
    }
    for span, share in shares.items():
        if share < ENOUGH_STEPS:
            return f"the rules have recorded {100 * share:.0f} % of {span}: {FILL_IN}"
    beyond = zip(shares.items(), of_spans[1::_SPAN_TEXTS], of_spans[2::_SPAN_TEXTS], strict=True)
    told = (
        text
        for (span, share), estimated, older in beyond
        for text in (*missing_steps(share, span), *estimates(estimated, span), *older_rules(older, span))
    )
    if isinstance(counters, SourceError):
        errors = ErrorsCounted("", counters.reason)
    else:
        counting = Counting(requests.series, failed.series, counters.series, own.matchers, is_recorded=True)
        errors = errors_counted(
            ask_all, counting, at_seconds=steps_at, is_known=STEPS[ERRORS] in metric_names
        )
    return Scope(
        at_seconds=at_seconds,
        window_seconds=wanted_seconds,
        experiment=test.name,
        experiments=tuple(sorted({series.label(EXPERIMENT_LABEL) for series in requests.series} - {""})),
        has_requests=bool(requests.series),
        errors=errors.selector,
        errors_reason=errors.reason,
        errors_note=errors.note,
        shortest_rate_seconds=STEP_SECONDS,
        warnings=(_told(until_seconds), *told, *own.told, *requests.warnings),
        steps_at_seconds=steps_at,
        matchers=own.matchers,
        uncounted=errors.uncounted,
        assumed=errors.assumed,
        errors_of_models=errors.of_models,
    )


def steps_share(outcome: Outcome, window_seconds: float) -> float:
    """How many of the window's steps were recorded, as a share of them; 0 where it could not be asked."""
    if isinstance(outcome, SourceError) or not outcome.series:
        return 0.0
    return (outcome.series[0].last or 0.0) / (window_seconds / STEP_SECONDS)


def steps_questions(scope: Scope) -> list[Question]:
    """How many steps of the scope's window were recorded, how many requests of each model are estimated in
    them, and how many are of older rules.
    """
    return [
        instant(text, scope.counts_at_seconds, "count")
        for text in _span_texts(scope.window_seconds, scope.matchers)
    ]


def _span_texts(window_seconds: float, matchers: str) -> list[str]:
    return [
        render(text, matchers=matchers, window_seconds=window_seconds)
        for text in (_STEPS_SEEN, _ESTIMATES, _OLDER_RULES)
    ]


def estimates(outcome: Outcome, span: str) -> tuple[str, ...]:
    """What is told of a span in which instances restarted so often that their requests are estimates."""
    if isinstance(outcome, SourceError) or not outcome.series:
        return ()
    each = ", ".join(
        f"{series.last or 0.0:,.0f} of {series.label('model_name')}"
        for series in sorted(outcome.series, key=lambda each: each.labels)
    )
    return (
        (
            f"{ESTIMATES} {span} these are estimates, as instances restarted again and again within "
            f"{format_duration(STEP_SECONDS)}: {each}"
        ),
    )


def older_rules(outcome: Outcome, span: str) -> tuple[str, ...]:
    """What is told of a span with steps of rules that did not record what series held when they were first
    seen.
    """
    if isinstance(outcome, SourceError) or not outcome.series:
        return ()
    return (
        (
            f"{OLDER_RULES} {span} does not tell what series held when they were first seen, so counts may "
            f"be more: {LOAD_PRESENT}"
        ),
    )


def missing_steps(share: float, span: str) -> tuple[str, ...]:
    """What is told of a span that lacks few steps."""
    if share >= 1:
        return ()
    return (f"{100 * (1 - share):.1g} % of the steps of {span} {MISSING_STEPS}",)


def utc_words(seconds: float) -> str:
    """A moment in unix seconds, to the second."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _told(until_seconds: float) -> str:
    return (
        f"{COUNTED_BY_RULES}, in whole steps of {format_duration(STEP_SECONDS)} until "
        f"{utc_words(until_seconds)}"
    )
