"""What a plan starts from: given numbers, else what the sources say of the baseline's last days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from live_dashboards.analysis.facts.arms import arm, request_blocks, share_of_requests
from live_dashboards.analysis.facts.page import PageFacts, failure
from live_dashboards.analysis.facts.period import period_of
from live_dashboards.analysis.statistics.forecast import USUAL_INFLATION, own_inflation
from live_dashboards.analysis.statistics.proportions import Counts, wilson
from live_dashboards.analysis.verdict.power import requests_a_day
from live_dashboards.errors import UsageError
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.metrics import ACCURACY, ERROR_RATE, ONLINE_ACCURACY, OVER_OBJECTIVE, metric_of
from live_dashboards.model.number import format_number
from live_dashboards.model.planning import ASSUMED, GIVEN, MEASURED, SETTING, Given, PlanInput
from live_dashboards.model.quality import LOWER
from live_dashboards.model.snapshot import Accumulated
from live_dashboards.settings import Settings

REQUESTS_A_DAY, LABELLED = "requests_a_day", "labelled_share"
EFFECT, CLUSTERS = "effect", "overdispersion"
_OPTIONS = {
    ACCURACY: "--baseline-accuracy",
    ERROR_RATE: "--baseline-error-rate",
    OVER_OBJECTIVE: "--baseline-too-slow",
    REQUESTS_A_DAY: "--requests-a-day",
}
_NEEDED = {ACCURACY, ERROR_RATE, REQUESTS_A_DAY}


def plan_inputs(given: Given, facts: PageFacts | None, settings: Settings) -> tuple[PlanInput, ...]:
    """Everything that the plan starts from; `facts` are None where no source was asked.

    UsageError that asks for what is not known and cannot be left out, by the options' names: requests a day,
    and the baseline's error rate and accuracy, where that is what counts. Another guardrail of which nothing
    is known is not planned.
    """
    counted = _counted(facts) if facts is not None else None
    found = (
        _success(given, facts, counted, settings),
        *(_guarded(each.metric, given, facts, counted, settings) for each in settings.guarded),
        _requests(given, facts, counted),
    )
    _ask_for_missing(found, settings)
    return (
        *(each for each in found if each is not None),
        *_labelled(facts, counted),
        *(_clusters(metric, given, facts, counted) for metric in _accumulating(found)),
        _effect(settings),
    )


def _guarded(
    metric: str, given: Given, facts: PageFacts | None, counted: Accumulated | None, settings: Settings
) -> PlanInput:
    """The baseline's rate of what is guarded."""
    told = {ERROR_RATE: given.error_rate_percent, OVER_OBJECTIVE: given.too_slow_percent}
    title = metric_of(metric).words
    if metric == OVER_OBJECTIVE:
        objective_ms = float(settings["AB_LATENCY_OBJECTIVE_MS"])
        title = f"share of requests over {format_number(objective_ms, 'ms')}"
    return _rate(metric, title, told.get(metric), facts, counted)


def _counted(facts: PageFacts) -> Accumulated | None:
    """What was counted since AB_START, from the first traffic on: days before it are no slow ones."""
    counted = period_of(facts, facts.roles.challenger)[1]
    if counted is None:
        return None
    ends = [
        end
        for name in facts.roles.names
        for end, value in request_blocks(facts, counted, name).items()
        if value > 0
    ]
    step_seconds = counted.block("requests").step_seconds or 0.0
    return (
        replace(counted, start_seconds=max(counted.start_seconds, min(ends) - step_seconds)) if ends else None
    )


def _success(
    given: Given, facts: PageFacts | None, counted: Accumulated | None, settings: Settings
) -> PlanInput | None:
    """The baseline's accuracy, counted online where that is configured; None where the error rate counts."""
    if settings["AB_SUCCESS_METRIC"] == ERROR_RATE:
        return None
    if given.accuracy_percent is not None:
        return _given(ACCURACY, "accuracy", given.accuracy_percent, "percent")
    if facts is not None and settings["AB_ONLINE_CORRECT_METRIC"] is not None:
        online = _rate(ONLINE_ACCURACY, "online accuracy", None, facts, counted)
        if online.value is not None:
            return online
    if facts is None:
        return _unknown(ACCURACY, "accuracy", "percent", "no source is configured")
    return _of_test_rows(facts)


def _of_test_rows(facts: PageFacts) -> PlanInput:
    quality = facts.counted.model.quality
    if not facts.mlflow_status.has_answered:  # the online gauge is no accuracy of test rows
        return _unknown(ACCURACY, "accuracy", "percent", failure(facts.mlflow_status))
    if not quality.is_share:
        reason = (
            f"{quality.metric().title} is a value and no share of rows; AB_SUCCESS_METRIC=error_rate plans "
            "without it"
        )
        return _unknown(ACCURACY, "accuracy", "percent", reason)
    if quality.is_assumed:
        return _unknown(ACCURACY, "accuracy", "percent", quality.unknown_direction)
    found = facts.counted.of(facts.roles.baseline).accuracy
    if quality.goal == LOWER and found.value is not None:  # what is not wrong is right
        limits = found.interval
        if limits is not None and limits.low is not None and limits.high is not None:
            limits = Interval(100 - limits.high, 100 - limits.low)
        found = replace(found, value=100 - found.value, interval=limits, drawn_interval=None)
    return _measured(ACCURACY, "accuracy", found)


def _rate(
    metric: str, title: str, given: float | None, facts: PageFacts | None, counted: Accumulated | None
) -> PlanInput:
    if given is not None:
        return _given(metric, title, given, "percent")
    if facts is None or not facts.prometheus_status.has_answered:
        return _unknown(metric, title, "percent", _silence(facts))
    if counted is None:
        return _unknown(metric, title, "percent", f"Prometheus has no requests of {facts.roles.baseline}")
    return _measured(metric, title, arm(facts, counted, facts.roles.baseline, metric).rate)


def _silence(facts: PageFacts | None) -> str:
    return "Prometheus is not configured" if facts is None else failure(facts.prometheus_status)


def _requests(given: Given, facts: PageFacts | None, counted: Accumulated | None) -> PlanInput:
    """Requests of all variants on each of the last whole days."""
    title = "requests a day"
    if given.requests_a_day is not None:
        return _given(REQUESTS_A_DAY, title, given.requests_a_day, "count")
    if facts is None or not facts.prometheus_status.has_answered:
        return _unknown(REQUESTS_A_DAY, title, "count", _silence(facts))
    daily = requests_a_day(facts, counted) if counted is not None else []
    if not daily or max(daily) <= 0 or counted is None:
        return _unknown(REQUESTS_A_DAY, title, "count", "Prometheus has no requests of any variant")
    of_baseline = share_of_requests(facts, counted, facts.roles.baseline)[1]
    days = f"mean of the last {len(daily)} whole days" if len(daily) > 1 else "of the last day"
    return PlanInput(
        REQUESTS_A_DAY,
        title,
        sum(daily) / len(daily),
        "count",
        MEASURED,
        of_baseline.source,
        of_baseline.query,
        interval=Interval(min(daily), max(daily)),
        observed_at=of_baseline.observed_at,
        reason=days,
    )


def _labelled(facts: PageFacts | None, counted: Accumulated | None) -> Iterator[PlanInput]:
    """How many of the baseline's requests get a label, where labels are counted."""
    if facts is None or counted is None or facts.settings["AB_ONLINE_CORRECT_METRIC"] is None:
        return
    labels = arm(facts, counted, facts.roles.baseline, ONLINE_ACCURACY)
    requests, measured = share_of_requests(facts, counted, facts.roles.baseline)
    if labels.counts is not None and requests:
        share = min(100.0, 100 * labels.counts.n / requests)
        found = replace(measured, value=share, unit="percent", n=requests, query=labels.rate.query)
        yield _measured(LABELLED, "share of requests with a label", found)


def _accumulating(found: tuple[PlanInput | None, ...]) -> Iterator[str]:
    others = {ACCURACY, REQUESTS_A_DAY}
    yield from (
        each.name for each in found if each is not None and each.name not in others and each.value is not None
    )


def _clusters(metric: str, given: Given, facts: PageFacts | None, counted: Accumulated | None) -> PlanInput:
    """How many times the variance of independent requests theirs is, from the baseline's own blocks."""
    name, title = f"{CLUSTERS}_{metric}", f"variance, {metric_of(metric).words}"
    if given.overdispersion is not None:
        return _given(name, title, given.overdispersion, "times", "--overdispersion")
    mine = None
    if facts is not None and counted is not None:
        mine = arm(facts, counted, facts.roles.baseline, metric)
    if mine is None or mine.counts is None:
        return PlanInput(
            name,
            title,
            USUAL_INFLATION,
            "times",
            ASSUMED,
            reason="as the page's limits have it of independent requests: no blocks tell of others",
            option="--overdispersion",
        )
    blocks = [mine.blocks[end] for end in sorted(mine.blocks)]
    return PlanInput(
        name,
        title,
        max(USUAL_INFLATION, own_inflation(blocks)),
        "times",
        MEASURED,
        mine.rate.source,
        mine.rate.query,
        observed_at=mine.rate.observed_at,
        reason=f"long-run over independent, of {len(blocks)} blocks; {USUAL_INFLATION:g} at least",
        option="--overdispersion",
    )


def _effect(settings: Settings) -> PlanInput:
    name = "AB_MINIMUM_EFFECT_POINTS"
    origin = GIVEN if name in settings.given else SETTING
    return PlanInput(
        EFFECT, "effect to find", float(settings[name]), "points", origin, name, option="--effect"
    )


def _given(name: str, title: str, value: float, unit: str, option: str = "") -> PlanInput:
    named = option or _OPTIONS[name]
    return PlanInput(name, title, value, unit, GIVEN, named, option=named)


def _unknown(name: str, title: str, unit: str, reason: str) -> PlanInput:
    return PlanInput(name, title, None, unit, MEASURED, reason=reason, option=_OPTIONS.get(name, ""))


def _measured(name: str, title: str, found: Measurement) -> PlanInput:
    """What a source said, with Wilson's interval where its n is known."""
    if found.value is None:
        return _unknown(name, title, found.unit, found.reason or "not measured")
    interval = found.interval
    if interval is None and found.n:
        counts = Counts(min(found.n, round(found.value / 100 * found.n)), found.n)
        interval = Interval(*(100 * limit for limit in wilson(counts)))
    return PlanInput(
        name,
        title,
        found.value,
        found.unit,
        MEASURED,
        found.source,
        found.query,
        found.n,
        interval,
        found.observed_at,
        found.reason or "",
        _OPTIONS.get(name, ""),
    )


def _ask_for_missing(found: tuple[PlanInput | None, ...], settings: Settings) -> None:
    lacking = [each for each in found if each is not None and each.value is None and each.name in _NEEDED]
    if not lacking:
        return
    of_each = "; ".join(f"{each.title} ({each.reason})" for each in lacking)
    options = ", ".join(each.option for each in lacking)
    baseline = settings["AB_BASELINE_VARIANT"]
    raise UsageError(f"what {baseline} does is not known: {of_each}; give {options}")
