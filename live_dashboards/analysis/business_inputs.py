"""The measured part of the business case: challenger against baseline in accuracy, mean latency and error ratio, and the requests of a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from live_dashboards.analysis.block_means import difference_standard_error, event_blocks, latency_blocks
from live_dashboards.analysis.dispersion import overdispersion
from live_dashboards.analysis.page import Facts
from live_dashboards.analysis.proportions import Counts, difference, normal_quantile
from live_dashboards.analysis.variants import Roles
from live_dashboards.model.business_case import BusinessInputs, EffectInput, LevelInterval
from live_dashboards.model.measurement import Interval, Measurement, derive, missing

LEVELS = (0.5, 0.8, 0.9, 0.95)
NO_TEST_ROWS = "no interval: log the number of test rows as AB_TEST_COUNT_PARAM"
_DAY_SECONDS = 86_400.0


def business_inputs(facts: Facts, roles: Roles, window_seconds: float, test_count_param: str) -> BusinessInputs:
    """The inputs with their intervals; what cannot be told is missing, with the reason."""
    return BusinessInputs(
        accuracy_improvement=_accuracy(facts, roles, test_count_param),
        latency_increase=_latency(facts, roles),
        error_rate_improvement=_errors(facts, roles),
        requests_per_day=_requests_per_day(facts, window_seconds),
    )


def _requests_per_day(facts: Facts, window_seconds: float) -> Measurement:
    """All traffic of the window scaled to 24 hours; that of both variants must have been counted."""

    def scaled(requests_count: float) -> float:
        return requests_count * _DAY_SECONDS / window_seconds

    whole = facts.traffic.totals["total_requests"]
    if whole.value == 0:
        return missing("requests_per_day", "count", "no request in the window", source=whole.source, query=whole.query, inputs=(whole,))
    return derive(scaled, "requests_per_day", "count", requests_count=whole)


def _pair(facts: Facts, roles: Roles, name: str) -> tuple[Measurement, Measurement]:
    """The fact of baseline and challenger; missing where there is no challenger."""
    baseline: Measurement = getattr(facts.of(roles.baseline), name)
    if roles.challenger is None:
        return baseline, missing(name, baseline.unit, "there is no challenger: name it with AB_CHALLENGER_VARIANT")
    challenger: Measurement = getattr(facts.of(roles.challenger), name)
    return baseline, challenger


def _accuracy(facts: Facts, roles: Roles, test_count_param: str) -> EffectInput:
    baseline, challenger = _pair(facts, roles, "accuracy")

    def improvement(challenger_percent: float, baseline_percent: float) -> float:
        return (challenger_percent - baseline_percent) / 100

    found = derive(improvement, "accuracy_improvement", "fraction", challenger_percent=challenger, baseline_percent=baseline)
    if found.value is None:
        return EffectInput(replace(found, variant=roles.challenger), baseline, challenger)
    if not (baseline.n and challenger.n):
        is_online = facts.mlflow.status.source not in {baseline.source, challenger.source}
        reason = "no interval: the online gauge is exported without its number of requests" if is_online else _no_rows(test_count_param, baseline, challenger)
        return EffectInput(replace(found, variant=roles.challenger, reason=reason), baseline, challenger)
    ours, theirs = _counts(challenger, 1.0), _counts(baseline, 1.0)
    return _with_intervals(found, baseline, challenger, lambda level: _limits(ours, theirs, level), _joined("Newcombe's interval of two test sets", found.reason))


def _no_rows(test_count_param: str, *sides: Measurement) -> str:
    """What to log, and what each run has logged instead."""
    found = dict.fromkeys(str(side.reason).removeprefix("no interval: ") for side in sides if not side.n and side.reason)
    return f"{NO_TEST_ROWS} ({'; '.join(found) or test_count_param})"


def _errors(facts: Facts, roles: Roles) -> EffectInput:
    baseline, challenger = _pair(facts, roles, "error_rate")

    def improvement(baseline_percent: float, challenger_percent: float) -> float:
        return (baseline_percent - challenger_percent) / 100

    found = derive(improvement, "error_rate_improvement", "fraction", baseline_percent=baseline, challenger_percent=challenger)
    if found.value is None or not (baseline.n and challenger.n):
        return EffectInput(replace(found, variant=roles.challenger), baseline, challenger)
    clusters = overdispersion([event_blocks(facts.prometheus, roles.by_model.get, name) for name in roles.pair])
    ours, theirs = _counts(challenger, max(1.0, clusters)), _counts(baseline, max(1.0, clusters))
    words = "Newcombe's interval" + (f" of n / {clusters:.3g}, as errors cluster" if clusters > 1 else "")
    return _with_intervals(found, baseline, challenger, lambda level: _around(found.value, _limits(theirs, ours, level)), _joined(words, found.reason))


def _latency(facts: Facts, roles: Roles) -> EffectInput:
    baseline, challenger = _pair(facts, roles, "mean_latency_ms")

    def increase(challenger_ms: float, baseline_ms: float) -> float:
        return challenger_ms - baseline_ms

    found = derive(increase, "latency_increase_ms", "ms", challenger_ms=challenger, baseline_ms=baseline)
    if found.value is None or roles.challenger is None:
        return EffectInput(replace(found, variant=roles.challenger), baseline, challenger)
    ours, theirs = (latency_blocks(facts.prometheus, roles.by_model.get, name) for name in (roles.challenger, roles.baseline))
    error = difference_standard_error(ours, theirs)
    if error.value is None:
        return EffectInput(replace(found, variant=roles.challenger, reason=f"no interval: {error.reason}"), baseline, challenger)
    centre, spread = found.value, error.value
    words = f"spread between {error.blocks} paired blocks of the window"
    return _with_intervals(found, baseline, challenger, lambda level: Interval(*(centre + sign * normal_quantile(level) * spread for sign in (-1, 1))), words)


def _with_intervals(found: Measurement, baseline: Measurement, challenger: Measurement, limits: Callable[[float], Interval], words: str) -> EffectInput:
    """The difference with its limits at every level; the sum of both n as its own."""
    intervals = tuple(LevelInterval(level, limits(level)) for level in LEVELS)
    n = baseline.n + challenger.n if baseline.n and challenger.n else None
    whole = replace(found, variant=challenger.variant, interval=intervals[-1].interval, drawn_interval=intervals[-1].interval, n=n, reason=words)
    return EffectInput(whole, baseline, challenger, intervals)


def _joined(words: str, notes: str | None) -> str:
    """How the interval was made, and what is to be known of the values."""
    return "; ".join(filter(None, (words, notes)))


def _limits(ours: Counts, theirs: Counts, level: float) -> Interval:
    """Newcombe's limits of ours minus theirs, as fractions."""
    found = difference(ours, theirs, level)
    return Interval(found.low, found.high)


def _around(value: float | None, limits: Interval) -> Interval:
    """The limits, wide enough for the value: fewer effective requests round the counts behind it."""
    if value is None or limits.low is None or limits.high is None:
        return limits
    return Interval(min(limits.low, value), max(limits.high, value))


def _counts(rate: Measurement, clusters: float) -> Counts:
    """The counts behind a rate in percent, as many as they are worth where events come in clusters."""
    n = max(1, round((rate.n or 0) / clusters))
    return Counts(min(n, round((rate.value or 0.0) / 100 * n)), n)
