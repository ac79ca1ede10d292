"""How many requests and days a test takes for its effect and for each guardrail, before it starts: by the
formulas of `decision_forecast`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from live_dashboards.analysis.facts.retraining import alpha_of_look
from live_dashboards.analysis.planning.inputs import CLUSTERS, EFFECT, LABELLED, REQUESTS_A_DAY
from live_dashboards.analysis.planning.words import told
from live_dashboards.analysis.statistics.forecast import (
    Claim,
    Gathered,
    Leg,
    forecast,
    rounded_up,
    settled_plan,
)
from live_dashboards.analysis.statistics.proportions import required_n_per_arm
from live_dashboards.analysis.verdict.effect import planned_requests
from live_dashboards.analysis.verdict.forecast import NEVER, SUCCESS, SURELY_NEVER_DAYS, Step, legs, to_come
from live_dashboards.analysis.verdict.power import LONGEST_DAYS
from live_dashboards.errors import UsageError
from live_dashboards.model.guarded import Guarded
from live_dashboards.model.measurement import Interval
from live_dashboards.model.metrics import ACCURACY, ERROR_RATE, ONLINE_ACCURACY, OVER_OBJECTIVE, metric_of
from live_dashboards.model.number import format_number, format_percent, format_signed
from live_dashboards.model.planning import REQUESTS, TEST_ROWS, AbPlan, Given, Need, PlanInput, PlannedGate
from live_dashboards.model.setting_types import TrafficPlan
from live_dashboards.model.variants import PREFERRED_CHALLENGER
from live_dashboards.settings import Settings

_ALPHA = 0.05
# of what may have none; those of AB_GUARDRAILS are above 0
_MARGINS = {ERROR_RATE: "AB_ERROR_MARGIN_POINTS", OVER_OBJECTIVE: "AB_LATENCY_MARGIN_POINTS"}


def ab_plan(
    inputs: tuple[PlanInput, ...], given: Given, settings: Settings, *, at: datetime, experiment: str | None
) -> AbPlan:
    """The plan of a test that starts at AB_START where that is to come, else at that moment.

    UsageError for an effect that the baseline has no room for, and for a split without the baseline or
    without a challenger.
    """
    course = _course_of(inputs, settings, at)
    asked = _asked(inputs, given, settings, len(course.challengers))
    planned, reason = _planned(asked, course, settings)
    gates = tuple(_gate(each, course, planned, settings) for each in asked)
    slowest = [each.sequential.days for each in gates if each.sequential.amount and each.unit == REQUESTS]
    return told(
        AbPlan(
            at,
            experiment,
            course.baseline,
            course.challengers,
            tuple(_split_words(step, course) for step in course.steps),
            given.power_percent,
            float(settings["AB_MINIMUM_DAYS"]),
            gates,
            inputs,
            planned,
            _longest(slowest),
            reason,
        )
    )


def _longest(found: Sequence[Interval | None]) -> Interval | None:
    """Until the last gate; None where one takes longer than half a year on every day."""
    known = [each for each in found if each is not None]
    if not known or len(known) < len(found):
        return None
    ends = [each.high for each in known]
    low = max(each.low or 0.0 for each in known)
    return Interval(low, None if None in ends else max(end for end in ends if end is not None))


@dataclass(frozen=True, slots=True)
class _Course:
    """Who is compared, how traffic is to be split from the start on, and requests a day."""

    baseline: str
    challengers: tuple[str, ...]
    steps: tuple[Step, ...]
    mean: float
    least: float
    most: float


def _course_of(inputs: tuple[PlanInput, ...], settings: Settings, at: datetime) -> _Course:
    baseline = str(settings["AB_BASELINE_VARIANT"])
    start = settings.start if settings.start is not None and settings.start > at else at
    plans = settings.traffic_plans or (_even_split(settings),)
    names = tuple(dict.fromkeys(name for plan in plans for name, _ in plan.shares))
    challengers = tuple(name for name in names if name != baseline)
    if baseline not in names or not challengers:
        raise UsageError(
            f"the split names {', '.join(names)}, but a test compares {baseline} (AB_BASELINE_VARIANT) with "
            f"another variant; give --split {baseline}=50,challenger=50"
        )
    later = to_come(plans, start)
    held = [plan for plan in plans if plan.since is None or plan.since <= start] or list(plans[:1])
    first = Step(0.0, later[0].begin_days if later else None, held[-1])
    found = next(each for each in inputs if each.name == REQUESTS_A_DAY)
    mean, interval = found.value or 0.0, found.interval
    least, most = (interval.low, interval.high) if interval is not None else (mean, mean)
    return _Course(baseline, challengers, (first, *later), mean, least or 0.0, most or mean)


def _even_split(settings: Settings) -> TrafficPlan:
    challenger = str(settings["AB_CHALLENGER_VARIANT"] or PREFERRED_CHALLENGER)
    return TrafficPlan(None, ((str(settings["AB_BASELINE_VARIANT"]), 0.5), (challenger, 0.5)))


def _split_words(step: Step, course: _Course) -> str:
    names = (course.baseline, *course.challengers)
    shares = ", ".join(f"{name} {format_percent(100 * step.plan.share(name))}" for name in names)
    return shares if step.begin_days == 0 else f"from day {format_number(step.begin_days)}: {shares}"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A gate with what it claims, not yet tuned; `claim` is None for the reason. `trials_a_request` of its
    metric.
    """

    gate: str
    metric: str
    title: str
    baseline_percent: float | None
    difference_points: float
    claim: Claim | None
    trials_a_request: float = 1.0
    reason: str = ""


def _asked(
    inputs: tuple[PlanInput, ...], given: Given, settings: Settings, family: int
) -> tuple[_Asked, ...]:
    by_name = {each.name: each for each in inputs}
    guards = (_guard(by_name, each, given) for each in settings.guarded)
    return (_success(by_name, given, family), *guards)


def _success(by_name: dict[str, PlanInput], given: Given, family: int) -> _Asked:
    """The effect, on what counts: the error rate where no accuracy is planned with."""
    metric = next((name for name in (ONLINE_ACCURACY, ACCURACY) if name in by_name), ERROR_RATE)
    points = (by_name[EFFECT].value or 0.0) * (1 if metric_of(metric).is_higher_better else -1)
    percent = by_name[metric].value or 0.0
    if not 0 <= percent + points <= 100:
        raise UsageError(
            f"the effect to find is {format_number(abs(points), 'points')}, but {metric_of(metric).words} of "
            f"{format_percent(percent)} has no room for it; give a smaller --effect"
        )
    if percent + points == percent:
        raise UsageError(
            f"the effect to find is {abs(points):g} points, which no test finds; give a larger --effect"
        )
    claim = replace(_claim(by_name, metric, given, points, 0.0), alpha=_ALPHA / family)
    labelled = by_name[LABELLED].value if metric == ONLINE_ACCURACY and LABELLED in by_name else None
    title = f"{metric_of(metric).title} {format_signed(points, 'points')}"
    share = 1.0 if labelled is None else labelled / 100
    return _Asked(SUCCESS, metric, title, percent, abs(points), claim, share)


def _guard(by_name: dict[str, PlanInput], guarded: Guarded, given: Given) -> _Asked:
    metric, name, margin = guarded.metric, guarded.name, guarded.margin
    rate = by_name[metric]
    title = f"{metric_of(metric).title} within {format_signed(margin, 'points')}"
    asked = _Asked(name, metric, title, rate.value, margin, None)
    if rate.value is None:
        give = f"; give {rate.option}" if rate.option else ""
        return replace(asked, reason=f"{rate.title} is not known ({rate.reason}){give}")
    if margin <= 0:
        return replace(asked, reason=f"with {_MARGINS[metric]}=0 no limit is ever below it")
    return replace(asked, claim=_claim(by_name, metric, given, 0.0, margin))


def _claim(by_name: dict[str, PlanInput], metric: str, given: Given, effect: float, bound: float) -> Claim:
    """Of the baseline's rate and one that is `effect` points off, whose difference is to be beyond `bound`
    points.
    """
    percent, clusters = by_name[metric].value or 0.0, by_name.get(f"{CLUSTERS}_{metric}")
    return Claim(
        percent / 100,
        (percent + effect) / 100,
        bound / 100,
        _ALPHA,
        given.power_percent / 100,
        1.0 if clusters is None else max(1.0, clusters.value or 1.0),
    )


def _planned(asked: Sequence[_Asked], course: _Course, settings: Settings) -> tuple[int | None, str]:
    """The requests of all arms after which every gate that accumulates is told, with a sequence that is tuned
    to them.
    """
    counted = [each for each in asked if each.claim is not None and each.metric != ACCURACY]
    if not counted:
        return None, "nothing that accumulates can be planned"

    def needed(planned: float | None) -> float | None:
        amounts = [_amount(each, course, course.mean, _tuning(planned, course, settings)) for each in counted]
        known = [each for each in amounts if each is not None]
        return max(known) if len(known) == len(amounts) else None

    found = settled_plan(needed)
    if found is None:
        never = next(each for each in counted if _amount(each, course, course.mean, {}) is None)
        return None, f"{never.title}: never with this split and these requests"
    return rounded_up(found), ""


def _tuning(planned: float | None, course: _Course, settings: Settings) -> dict[str, float]:
    """N* of each challenger's pair where so many requests of all arms are planned; none for fixed looks."""
    if planned is None:
        return {}
    own = settings.changed({"AB_PLANNED_REQUESTS": str(max(1, round(planned)))})
    names = (course.baseline, *course.challengers)
    return {name: planned_requests(own, names, (name, course.baseline)) for name in course.challengers}


def _amount(asked: _Asked, course: _Course, a_day: float, tuning: dict[str, float]) -> float | None:
    """Requests of all arms until the claim is told of every challenger, as so many come a day."""
    days = [_days(asked, course, name, a_day, tuning.get(name)) for name in course.challengers]
    return None if None in days else a_day * max(each for each in days if each is not None)


def _days(asked: _Asked, course: _Course, name: str, a_day: float, planned_n: float | None) -> float | None:
    if asked.claim is None or a_day <= 0:
        return None
    way: list[Leg] = [*legs(course.steps, a_day * asked.trials_a_request, (name, course.baseline))]
    found = forecast(replace(asked.claim, planned_n=planned_n), way, Gathered(), SURELY_NEVER_DAYS)
    return None if found is None else found.days


def _gate(asked: _Asked, course: _Course, planned: int | None, settings: Settings) -> PlannedGate:
    unit = TEST_ROWS if asked.metric == ACCURACY else REQUESTS
    frame = PlannedGate(
        asked.gate,
        asked.metric,
        asked.title,
        unit,
        asked.baseline_percent,
        asked.difference_points,
        Need(None, reason=asked.reason),
        Need(None, reason=asked.reason),
        asked.reason,
    )
    if asked.claim is None:
        return frame
    if unit == TEST_ROWS:
        first, one = (_rows(asked.claim, alpha) for alpha in _levels(len(course.challengers)))
        return replace(frame, sequential=first, fixed=one)
    return replace(
        frame,
        sequential=_need(asked, course, _tuning(planned, course, settings)),
        fixed=_need(asked, course, {}),
    )


def _levels(family: int) -> tuple[float, float]:
    """At which the first pair of test sets is judged, as others may follow, and at which one look is."""
    return alpha_of_look(1, family), _ALPHA / family


def _rows(claim: Claim, alpha: float) -> Need:
    power = claim.power_fraction
    rows = required_n_per_arm(claim.control_fraction, claim.treatment_fraction, alpha, power)
    return Need(rows, reason="test rows do not come with time")


def _need(asked: _Asked, course: _Course, tuning: dict[str, float]) -> Need:
    amount = _amount(asked, course, course.mean, tuning)
    if amount is None:
        return Need(None, reason="never with this split and these requests")
    ends: list[float | None] = []
    for a_day in (course.most, course.least):
        found = _amount(asked, course, a_day, tuning)
        ends.append(None if found is None or found / a_day > LONGEST_DAYS else found / a_day)
    if ends[0] is None:
        return Need(amount, reason=NEVER)
    return Need(amount, Interval(*ends))
