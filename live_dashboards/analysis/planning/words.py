"""A plan in words: what each gate takes, what to set, and where each number comes from."""

from __future__ import annotations

import math
from dataclasses import replace

from live_dashboards.analysis.facts.page import SOURCE_TITLES
from live_dashboards.analysis.statistics.forecast import rounded_up
from live_dashboards.analysis.verdict.power import days_range
from live_dashboards.model.measurement import Interval
from live_dashboards.model.moment import format_second
from live_dashboards.model.number import format_count, format_interval, format_number, format_percent
from live_dashboards.model.planning import (
    ASSUMED,
    GIVEN,
    MEASURED,
    REQUESTS,
    AbPlan,
    Need,
    PlanInput,
    PlannedGate,
)


def told(plan: AbPlan) -> AbPlan:
    """The plan with its words: a sentence a gate, then what to set, then what it starts from."""
    inputs = tuple(
        replace(each, value_words=value_words(each), origin_words=origin_words(each)) for each in plan.inputs
    )
    gates = tuple(
        replace(
            gate,
            sequential_words=need_words(gate.sequential, gate.unit),
            fixed_words=need_words(gate.fixed, gate.unit),
        )
        for gate in plan.gates
    )
    words = (*map(_gate, gates), set_words(plan), from_words(inputs))
    return replace(plan, inputs=inputs, gates=gates, words=words)


def _gate(gate: PlannedGate) -> str:
    if gate.reason:
        return f"{gate.title} is not planned: {gate.reason}"
    start = f"{gate.title} from {format_percent(gate.baseline_percent)}"
    often = "however often one looks" if gate.unit == REQUESTS else "as the first pair of many"
    return f"{start}: {gate.sequential_words} {often}; {gate.fixed_words} at one look"


def need_words(need: Need, unit: str) -> str:
    """`714,000 requests, 21 to 29 days (5 weeks)`; or why there are none."""
    if need.amount is None:
        return need.reason
    amount = f"{format_count(rounded_up(need.amount))} {unit}"
    if unit != REQUESTS:
        return amount
    return f"{amount}, {need.reason if need.days is None else days_words(need.days)}"


def days_words(days: Interval) -> str:
    """`21 to 29 days (5 weeks)`: in whole weeks, as traffic has a weekly rhythm."""
    told = days_range(days.low or 0.0, days.high)
    if days.high is None:
        return told
    weeks = math.ceil(days.high / 7)
    return f"{told} ({weeks} week{'s' if weeks > 1 else ''})"


def set_words(plan: AbPlan) -> str:
    """What to set before the test starts, and how long it then takes."""
    if plan.planned_requests is None:
        return f"No AB_PLANNED_REQUESTS to set: {plan.reason}"
    requests = plan.value("requests_a_day").value
    days = "never at this rate (over 180 days)" if plan.days is None else days_words(plan.days)
    longer = plan.days is not None and (plan.days.low or 0.0) < plan.minimum_days
    least = f"; AB_MINIMUM_DAYS={plan.minimum_days:g} is the least" if longer else ""
    at = f"{format_count(requests)} requests a day, {'; '.join(plan.splits)}, {plan.power_percent:g} % power"
    return f"Set AB_PLANNED_REQUESTS={plan.planned_requests} before the test starts: {days} at {at}{least}"


def from_words(inputs: tuple[PlanInput, ...]) -> str:
    """Every number that the plan starts from, with where it is from."""
    return f"From {'; '.join(f'{each.title} {each.value_words} ({each.origin_words})' for each in inputs)}"


def value_words(found: PlanInput) -> str:
    """The value with its unit."""
    if found.value is None:
        return "not known"
    if found.unit == "times":
        return f"x {found.value:.3g}"
    return format_number(found.value, found.unit)


def range_words(found: PlanInput) -> str:
    """Its 95 % interval, or the least and the most of the days; empty where there is none."""
    interval = found.interval
    if interval is None or interval.low == interval.high:
        return ""
    return format_interval(interval.low, interval.high, found.unit)


def origin_words(found: PlanInput) -> str:
    """Where it is from: an option, a setting, a source with its moment, or what is assumed."""
    if found.origin == GIVEN:
        return f"given: {found.source}"
    if found.origin == ASSUMED or found.value is None:
        return f"assumed {found.reason}" if found.origin == ASSUMED else found.reason
    if found.origin != MEASURED:
        return f"setting {found.source}"
    parts = (
        SOURCE_TITLES.get(found.source, found.source),
        range_words(found),
        f"n {format_count(found.n)}" if found.n else "",
        found.reason,
        f"to {format_second(found.observed_at)}" if found.observed_at else "",
    )
    return ", ".join(filter(None, parts))
