"""When each gate of a challenger can be decided, at the present rate and split: of what is not worse with a
true difference of 0, of what is better with one of AB_MINIMUM_EFFECT_POINTS, never with the estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from statistics import fmean

from live_dashboards.analysis.facts.arms import request_blocks
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.facts.period import period_of
from live_dashboards.analysis.facts.retraining import alpha_of_look
from live_dashboards.analysis.statistics.forecast import (
    POWER,
    USUAL_INFLATION,
    Claim,
    Forecast,
    Gathered,
    Leg,
    MeanClaim,
    first_told,
    is_mean_told,
    is_told,
    rounded_up,
)
from live_dashboards.analysis.statistics.proportions import required_n_per_arm
from live_dashboards.analysis.statistics.sequential import normal_sequence
from live_dashboards.analysis.verdict.decision import is_better, is_worse
from live_dashboards.analysis.verdict.effect import ComparedRates, planned_requests
from live_dashboards.analysis.verdict.latency import WAIVER
from live_dashboards.analysis.verdict.mean_difference import NEEDS
from live_dashboards.analysis.verdict.power import LONGEST_DAYS, days_range, requests_a_day
from live_dashboards.model.judgement import (
    BETTER,
    HARM,
    OPEN,
    SHOWN,
    WAIVED,
    WORSE,
    GateForecast,
    Guardrail,
    MetricDifference,
)
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.metrics import ACCURACY
from live_dashboards.model.number import format_count, format_number, format_percent, format_signed
from live_dashboards.model.setting_types import TrafficPlan
from live_dashboards.model.snapshot import Accumulated

SUCCESS = "success"
SURELY_NEVER_DAYS = 1e6
NEVER = "never at this rate (over 180 days)"
_ALPHA = 0.05
_DAY_SECONDS = 86_400.0


def decision_forecast(
    page: PageFacts, success: ComparedRates | None, watched: Sequence[tuple[Guardrail, ComparedRates]]
) -> tuple[GateForecast, ...]:
    """Every gate of the page's challenger: the success metric, then what is guarded; none on simulated data,
    and none where nothing is compared.
    """
    if page.is_simulated or page.roles.challenger is None:
        return ()
    found = [_success(page, success)] if success is not None else []
    return (*found, *(_guarded(page, guard, each) for guard, each in watched))


def more_words(gates: Iterable[GateForecast]) -> tuple[str, ...]:
    """What is needed to decide what is open, and how long it takes, in clauses."""
    told = [each for each in gates if not each.is_decided and each.words]
    timed = ", ".join(each.words for each in told if each.days is not None)
    others = [each.words for each in told if each.days is None]
    first = [f"more traffic, decidable in: {timed}"] if timed else [] if others else ["more traffic"]
    return (*first, *others)


def _success(page: PageFacts, success: ComparedRates) -> GateForecast:
    row, least = success.row, float(page.settings["AB_MINIMUM_EFFECT_POINTS"])
    signed = least if row.is_higher_better else -least
    side = "a lower limit above 0" if row.is_higher_better else "an upper limit below 0"
    gate = GateForecast(
        SUCCESS,
        row.treatment,
        row.metric,
        BETTER if is_better(row) else WORSE if is_worse(row) else OPEN,
        side,
        f"{_words(row)} truly {format_signed(signed, 'points')}" if row.what.is_share else "nothing",
    )
    if gate.is_decided or row.descriptive:
        return replace(gate, reason=row.descriptive or None)
    if not (row.what.is_share and row.what.is_direction_known):
        return _without_time(page, gate, row)
    known = _rates(success.inputs[1], signed)
    if known is None:
        return _without_rates(gate, success.inputs[1], row, signed)
    if known[0] == known[1]:
        reason = f"with AB_MINIMUM_EFFECT_POINTS={least:g} there is no effect to wait for"
        return replace(gate, reason=reason)
    name = f"{_words(row)} {format_signed(signed, 'points')}"
    if row.metric == ACCURACY:
        return _with_rows(gate, row, known, name)
    alpha = _ALPHA / row.family
    return _with_days(page, gate, row, Claim(*known, 0.0, alpha), name)


def _without_time(page: PageFacts, gate: GateForecast, row: MetricDifference) -> GateForecast:
    """What no more traffic decides: a value, and what nobody says which way is better."""
    if row.what.is_direction_known:
        return replace(gate, reason="runs do not come with time", words=f"{_words(row)} needs more runs")
    unknown = page.counted.model.quality.unknown_direction
    return replace(gate, needs="a direction", assumes="nothing", reason=unknown, words=unknown)


def _guarded(page: PageFacts, guard: Guardrail, each: ComparedRates) -> GateForecast:
    row = each.row
    gate = GateForecast(
        guard.name,
        row.treatment,
        row.metric,
        guard.outcome if row.sequential and guard.outcome in {SHOWN, HARM} else OPEN,
        f"an upper limit below {format_number(guard.margin, row.unit)}",
        "a true difference of 0",
    )
    if gate.is_decided:
        return gate
    if not guard.is_measured:
        return _without_latency(gate, guard)
    if not row.what.is_share:
        return _of_mean(page, gate, guard)
    known = _rates(each.inputs[1], 0.0)
    if known is None:
        return _without_rates(gate, each.inputs[1], row, 0.0)
    if guard.margin <= 0:
        return replace(gate, reason="with a margin of 0 no limit is ever below it")
    claim = Claim(*known, guard.margin / 100, _ALPHA)
    return _with_days(page, gate, row, claim, guard.name.replace("_", " "))


def _without_latency(gate: GateForecast, guard: Guardrail) -> GateForecast:
    """Time decides nothing here: response times do, or a waiver."""
    is_waived = guard.outcome == WAIVED
    words = "" if is_waived else f"response times of both arms for {guard.name}, or {WAIVER}"
    return replace(gate, assumes="nothing", reason=guard.words, words=words)


def _of_mean(page: PageFacts, gate: GateForecast, guard: Guardrail) -> GateForecast:
    """By the variance of the difference so far, as its blocks have told it: means have no other."""
    row, name = guard.comparison, guard.comparison.what.words
    if row.estimate is None or row.high is None:
        words = "" if row.estimate is None else f"{name} once there are {NEEDS}"
        return replace(gate, reason=row.reason, words=words)
    planned = planned_requests(page.settings, page.roles.names, (row.treatment, row.control))
    spread = (row.high - row.estimate) / normal_sequence(0.0, 1.0, _n(row), planned, _ALPHA)[0]
    if spread <= 0 or row.information is None:
        return replace(gate, reason="the blocks do not differ, so that nothing tells how sure the mean is")
    claim = MeanClaim(spread**2, row.information, guard.margin, planned, _ALPHA)
    rates = f"a standard error of {format_number(spread, row.unit)} so far"
    awaited = _Awaited(partial(is_mean_told, claim), rates, ", falling as requests come", _OF_EQUAL_ARMS)
    return _timed(page, gate, row, awaited, name)


def _words(row: MetricDifference) -> str:
    return row.what.words


def _rates(baseline: Measurement, effect_points: float) -> tuple[float, float] | None:
    """The baseline's rate and the challenger's that is assumed to be true, as fractions; None where one is
    not known or no rate.
    """
    if baseline.value is None:
        return None
    control, treatment = baseline.value / 100, (baseline.value + effect_points) / 100
    return (control, treatment) if 0 <= treatment <= 1 else None


def _without_rates(
    gate: GateForecast, baseline: Measurement, row: MetricDifference, effect_points: float
) -> GateForecast:
    if baseline.value is None:
        reason = str(row.reason or baseline.reason or "the baseline's rate is not known")
        words = "" if gate.gate == SUCCESS else f"{_words(row)} counted for both arms"
        return replace(gate, reason=reason, words=words)
    reason = (
        f"{_words(row)} of {baseline.variant}, {format_percent(baseline.value)}, cannot change by "
        f"{format_signed(effect_points, 'points')}: set a smaller AB_MINIMUM_EFFECT_POINTS"
    )
    return replace(gate, reason=reason, words=reason)


def _with_rows(
    gate: GateForecast, row: MetricDifference, known: tuple[float, float], name: str
) -> GateForecast:
    """Test rows of each of two test sets, at the level at which the next pair of them is judged: rows come
    with a new one.
    """
    look = row.looks + 1 if row.has_interval else row.looks
    needed = required_n_per_arm(*known, alpha_of_look(look, row.family), POWER)
    counts = (row.n_treatment, row.n_control)
    now = min(n for n in counts if n is not None) if None not in counts else None
    has_enough = now is not None and now >= needed
    beside = f" ({format_count(now)} now)" if now is not None else ""
    words = f"{name} needs {format_count(rounded_up(needed))} test rows an arm{beside}"
    return replace(
        gate,
        test_rows_needed=needed,
        test_rows_now=now,
        assumes=f"{gate.assumes}, from {format_percent(100 * known[0])}; pair {look} of test sets; "
        f"{_chance_words()}",
        reason=_OF_EFFECTS if has_enough else "test rows do not come with time",
        words=f"{name} not told by {format_count(now)} test rows an arm" if has_enough else words,
    )


_OF_EQUAL_ARMS = "of equal arms four of five are decided by now"
_OF_EFFECTS = "of such effects four of five are found by now"


def _chance_words() -> str:
    return f"{100 * POWER:.0f} % power"


@dataclass(frozen=True, slots=True)
class _Rate:
    """How trials of a metric come: of all requests a day, the pair's share and the treatment's share of that,
    and trials a request.
    """

    pair_share: float
    treatment_share: float
    trials_a_request: float


@dataclass(frozen=True, slots=True)
class _Awaited:
    """What is waited for: whether what was gathered tells it, what is assumed of its rates, of the split and
    of clusters in words, and what is said of it where it is due already.
    """

    is_told: Callable[[Gathered], bool]
    rates: str
    clusters: str
    due: str


def _with_days(
    page: PageFacts, gate: GateForecast, row: MetricDifference, claim: Claim, name: str
) -> GateForecast:
    """Requests and days of a share, whose rate says how sure it will be."""
    claim = replace(
        claim,
        inflation=max(USUAL_INFLATION, row.overdispersion),
        planned_n=planned_requests(page.settings, page.roles.names, (row.treatment, row.control)),
    )
    awaited = _Awaited(
        partial(is_told, claim),
        f"a rate of {format_percent(100 * claim.control_fraction)}",
        f", a variance x {claim.inflation:.3g}" if claim.inflation >= 1.005 else "",
        _OF_EQUAL_ARMS if claim.true_fraction == 0 else _OF_EFFECTS,
    )
    return _timed(page, gate, row, awaited, name)


def _timed(
    page: PageFacts, gate: GateForecast, row: MetricDifference, awaited: _Awaited, name: str
) -> GateForecast:
    """Requests and days, at the mean, quickest and slowest of the last days."""
    period, counted = period_of(page, row.treatment)
    if counted is None or not row.sequential or row.information is None:
        return replace(gate, reason=row.reason or f"nothing is counted since the start: {period.reason}")
    rate, daily = _rate(page, counted, row), requests_a_day(page, counted)
    gate = replace(
        gate,
        requests_now=_n(row),
        assumes=f"{gate.assumes}, {_assumed(awaited, rate)}; {_chance_words()}",
    )
    if rate is None or not daily or max(daily) <= 0:
        return replace(gate, reason="no traffic of both arms in the last day to tell by")
    steps = to_come(page.settings.traffic_plans, page.at)
    pair = (row.treatment, row.control)
    so_far = _gathered(row)

    def of(requests_a_day: float, most_days: float = LONGEST_DAYS) -> Forecast | None:
        return first_told(awaited.is_told, _course(rate, requests_a_day, steps, pair), so_far, most_days)

    needed = of(fmean(daily), SURELY_NEVER_DAYS)
    gate = replace(gate, requests_needed=None if needed is None else needed.trials)
    soonest, latest = of(max(daily)), of(min(daily)) if min(daily) > 0 else None
    if soonest is None:
        return replace(gate, reason=NEVER, words=f"{name} {NEVER}")
    if soonest.days == 0:
        return replace(gate, reason=awaited.due, words=f"{name} overdue: {awaited.due}")
    days = Interval(soonest.days, None if latest is None else latest.days)
    return replace(gate, days=days, words=f"{name} {days_range(soonest.days, days.high)}")


def _n(row: MetricDifference) -> int:
    return (row.n_treatment or 0) + (row.n_control or 0)


def _gathered(row: MetricDifference) -> Gathered:
    information = row.information or 0.0
    return Gathered(float(_n(row)), information, information * (row.n_treatment or 0) / max(1, _n(row)))


def _assumed(awaited: _Awaited, rate: _Rate | None) -> str:
    split = f", {format_percent(100 * rate.treatment_share)} of the pair's requests" if rate else ""
    return f"{awaited.rates}{split}{awaited.clusters}"


def _rate(page: PageFacts, counted: Accumulated, row: MetricDifference) -> _Rate | None:
    """From the last day's requests; the trials of each request from the whole test."""
    names = page.roles.names
    blocks = {name: request_blocks(page, counted, name) for name in names}
    last = max((end for each in blocks.values() for end in each), default=0.0)
    recent = {
        name: math.fsum(value for end, value in each.items() if end > last - _DAY_SECONDS)
        for name, each in blocks.items()
    }
    ours, theirs = recent.get(row.treatment, 0.0), recent.get(row.control, 0.0)
    both = blocks[row.treatment].keys() & blocks[row.control].keys()
    shared = [end for end in both if blocks[row.treatment][end] > 0 and blocks[row.control][end] > 0]
    whole = math.fsum(blocks[row.treatment][end] + blocks[row.control][end] for end in shared)
    if ours <= 0 or theirs <= 0 or whole <= 0:
        return None
    pair = ours + theirs
    return _Rate(pair / sum(recent.values()), ours / pair, min(1.0, _n(row) / whole))


@dataclass(frozen=True, slots=True)
class Step:
    """A planned split that begins so many days from now; `until` is when the next one does, None of the last
    one.
    """

    begin_days: float
    until_days: float | None
    plan: TrafficPlan


def to_come(plans: Sequence[TrafficPlan], at: datetime) -> tuple[Step, ...]:
    """The steps of a dated plan that begin after that moment."""
    later = [
        (each, (each.since - at).total_seconds() / _DAY_SECONDS)
        for each in plans
        if each.since is not None and each.since > at
    ]
    ends: list[float | None] = [days for _, days in later[1:]]
    return tuple(
        Step(days, end, plan) for (plan, days), end in zip(later, [*ends, None][: len(later)], strict=True)
    )


def _course(
    rate: _Rate, requests_a_day: float, steps: Sequence[Step], pair: tuple[str, str]
) -> tuple[Leg, ...]:
    trials_a_day = requests_a_day * rate.trials_a_request
    first = steps[0].begin_days if steps else math.inf
    return (
        Leg(first, trials_a_day * rate.pair_share, rate.treatment_share),
        *legs(steps, trials_a_day, pair),
    )


def legs(steps: Sequence[Step], trials_a_day: float, pair: tuple[str, str]) -> Iterator[Leg]:
    """What a pair (treatment, control) has of each step, of so many trials of all variants a day."""
    for step in steps:
        ours, theirs = (step.plan.share(name) for name in pair)
        both = ours + theirs
        days = math.inf if step.until_days is None else step.until_days - step.begin_days
        yield Leg(days, trials_a_day * both, ours / both if both else 0.0)
