"""What the test can see and how long it takes, and what time has changed meanwhile, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from statistics import NormalDist

from live_dashboards.analysis.facts.arms import request_blocks, share_of_requests
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.facts.period import period_of, seconds_left_out, whole_period_of
from live_dashboards.analysis.verdict.changes import split_steps
from live_dashboards.analysis.verdict.decision import carried_words
from live_dashboards.analysis.verdict.effect import DEFAULT_PLANNED_REQUESTS, ComparedRates
from live_dashboards.model.judgement import MetricDifference, Period, Power
from live_dashboards.model.measurement import Interval, Measurement, Origin, missing
from live_dashboards.model.number import format_count, format_number, format_percent, format_signed
from live_dashboards.model.snapshot import Accumulated

_MOST_NAMED = 4
_ASTRAY = 0.25  # of half the interval: rates that differ by less than that disagree in nothing but noise

POWER = 0.8
LONGEST_DAYS = 180.0
_DAY_SECONDS, _RECENT_DAYS = 86_400.0, 7


def time_words(page: PageFacts, rows: Sequence[ComparedRates]) -> tuple[str, ...]:
    """What is left out; where the rates of all requests say another thing than those within blocks of time,
    then the moments at which the challenger's share changed.
    """
    period, counted = period_of(page, page.roles.challenger)
    if counted is None or page.roles.challenger is None or period.start is None:
        return ()
    astray = (_astray_words(each.row) for each in rows if each.row.sequential and is_astray(each.row))
    excluded = page.settings["AB_EXCLUDE"] or ()
    carried = (
        f"{row.what.words} of {row.treatment}: {text}"
        for row in (each.row for each in rows)
        for text in carried_words(row, excluded)
    )
    descriptive = (
        f"{row.what.words} of {row.treatment} decides nothing: {row.descriptive}"
        for row in (each.row for each in rows)
        if row.descriptive
    )
    capped = (
        f"{each.row.what.words} of {side.variant}: {side.reason}"
        for each in rows
        for side in each.inputs
        if each.row.sequential and side.value is not None and side.reason
    )
    return (
        *_excluded_words(period),
        *dict.fromkeys(capped),
        *astray,
        *carried,
        *descriptive,
        *_split_words(page, counted, page.roles.challenger),
    )


def _excluded_words(period: Period) -> Iterator[str]:
    """The stretches that are left out, each with its share of the requests since the start; of one that holds
    nothing, that it does.
    """
    parts = [
        f"{_moment(each.begin.timestamp())} to {_moment(each.end.timestamp())} "
        f"({format_percent(each.share_percent) if each.share_percent else 'nothing of this test'})"
        for each in period.excluded
    ]
    if parts:
        yield f"left out of all arms by AB_EXCLUDE, of the requests since the start: {', '.join(parts)}"


def is_astray(row: MetricDifference) -> bool:
    """Whether the difference over all requests leaves the interval of that within blocks, or has another sign
    and is far from it.
    """
    if row.pooled is None or row.estimate is None or row.low is None or row.high is None:
        return False
    off = abs(row.pooled - row.estimate)
    return not row.low <= row.pooled <= row.high or (
        row.pooled * row.estimate < 0 and off > _ASTRAY * (row.high - row.low) / 2
    )


def _astray_words(row: MetricDifference) -> str:
    pooled, within = (format_signed(value or 0.0, "points") for value in (row.pooled, row.estimate))
    which = f"{within} at the same time, which counts; {pooled} over all requests"
    return f"{row.what.words} of {row.treatment}: {which}, as the arms' traffic changed while the rate moved"


def _split_words(page: PageFacts, counted: Accumulated, challenger: str) -> Iterator[str]:
    steps = split_steps(page, counted, challenger)
    if not steps:
        return
    told = [
        f"{format_percent(100 * step.after)} from {_moment(step.at_seconds)}" for step in steps[:_MOST_NAMED]
    ]
    more = f" and {len(steps) - _MOST_NAMED} more changes" if len(steps) > _MOST_NAMED else ""
    yield (
        f"the split changed: {challenger} had {format_percent(100 * steps[0].before)} of the pair's "
        f"requests, {', '.join(told)}{more}"
    )


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%-d %b %H:%M} UTC"


def power_of(page: PageFacts, success: ComparedRates | None) -> Power:
    """The detectable effect of the success metric, and the days left to AB_PLANNED_REQUESTS."""
    detectable = _detectable(success)
    days_left = _days_left(page)
    sees = "what it can see is unknown"
    if detectable.value is not None and success is not None:
        sees = (
            f"sees differences from {format_number(detectable.value, 'points')} in "
            f"{success.row.metric.replace('_', ' ')} at {100 * POWER:.0f} % power"
        )
    return Power(detectable, days_left, f"{sees}; {_plan_words(page, days_left)}")


def _detectable(success: ComparedRates | None) -> Measurement:
    """The true difference whose interval would exclude 0 with 80 % chance: half the interval's width and as
    many standard errors as 80 % take.

    Never observed power, which only restates the p-value (Hoenig & Heisey 2001, Am. Stat. 55:19).
    """
    name = "detectable_difference"
    if success is None or not success.row.has_interval or success.row.low is None or success.row.high is None:
        reason = (success.row.reason if success else None) or "the success metric has no interval"
        return missing(name, "points", reason)
    row = success.row
    if not row.what.is_share:
        return missing(name, "points", f"{row.what.words} is a value: what is seen of it depends on its runs")
    half = (row.high - row.low) / 2  # type: ignore[operator]  # has_interval
    spread = math.sqrt(sum(_variance(rate, row.overdispersion) for rate in success.inputs))
    value = half + NormalDist().inv_cdf(POWER) * spread
    kind = "always-valid" if row.sequential else "fixed"
    moments = [rate.observed_at for rate in success.inputs if rate.observed_at]
    return Measurement(
        name,
        value,
        "points",
        row.origin,
        row.treatment,
        source=success.inputs[0].source,
        query=success.inputs[0].query,
        observed_at=min(moments, default=None),
        reason=f"half the {kind} interval and {NormalDist().inv_cdf(POWER):.3g} standard errors, of "
        f"{row.metric.replace('_', ' ')}",
        inputs=success.inputs,
        stale=row.stale,
    )


def _variance(rate: Measurement, overdispersion: float) -> float:
    """Of a rate in percent."""
    p, n = (rate.value or 0.0) / 100, rate.n or 1
    return 100 * 100 * p * (1 - p) * overdispersion / n


def _days_left(page: PageFacts) -> Measurement:
    """Days to the planned requests at the slowest and quickest of the last days."""
    planned = page.settings["AB_PLANNED_REQUESTS"]
    _, counted = period_of(page, page.roles.challenger)
    if planned is None or counted is None:
        return missing(
            "days_left",
            "days",
            "no plan set: AB_PLANNED_REQUESTS"
            if planned is None
            else "what was counted since the start is unknown",
        )
    parts = [share_of_requests(page, counted, name)[1] for name in page.roles.names]
    known = [part for part in parts if part.value is not None]
    seen = sum(part.value or 0.0 for part in known)
    daily = requests_a_day(page, counted)
    left = max(0.0, float(str(planned)) - seen)
    if not known or (left and (not daily or max(daily) <= 0)):
        return missing("days_left", "days", "there is no traffic to tell by")
    low = left / max(daily) if left else 0.0
    high = None if left and min(daily) <= 0 else left / min(daily) if left else 0.0
    middle = left / (sum(daily) / len(daily)) if left else 0.0
    first = known[0]
    words = (
        f"at the slowest and quickest of the last {len(daily)} days"
        if len(daily) > 1
        else "at the traffic so far"
    )
    return Measurement(
        "days_left",
        middle,
        "days",
        first.origin if first.origin is not Origin.MISSING else Origin.LIVE,
        interval=Interval(low, high),
        source=first.source,
        query=first.query,
        observed_at=first.observed_at,
        reason=words,
        inputs=tuple(known),
        stale=first.stale,
    )


def requests_a_day(page: PageFacts, counted: Accumulated) -> list[float]:
    """Requests of all variants on each of the last whole days of the period, oldest first; of a younger test
    its whole traffic scaled to a day.
    """
    step_seconds = counted.block("requests").step_seconds or 0.0
    by_end: dict[float, float] = {}
    for name in page.roles.names:
        for end, value in request_blocks(page, counted, name).items():
            by_end[end] = by_end.get(end, 0.0) + value
    if not by_end or not step_seconds:
        return []
    last = max(by_end)
    whole_days = int((last - counted.start_seconds + 1) // _DAY_SECONDS)
    if whole_days < 1:
        return [sum(by_end.values()) * _DAY_SECONDS / (last - counted.start_seconds)]
    days = [0.0] * min(whole_days, _RECENT_DAYS)
    for end, value in by_end.items():
        back = int((last - end + 1) // _DAY_SECONDS)
        if back < len(days):
            days[len(days) - 1 - back] += value
    return [
        value * _DAY_SECONDS / told
        for value, told in zip(days, _told_seconds(page, last, len(days)), strict=True)
        if told >= _DAY_SECONDS / 2
    ]


def _told_seconds(page: PageFacts, last: float, days: int) -> list[float]:
    """How much of each of the last days before that moment counts, oldest first: all but what AB_EXCLUDE
    leaves out.
    """
    stretches, whole = page.settings["AB_EXCLUDE"], whole_period_of(page, page.roles.challenger)[1]
    if not stretches or whole is None:
        return [_DAY_SECONDS] * days
    edges = ((last - (back + 1) * _DAY_SECONDS, last - back * _DAY_SECONDS) for back in reversed(range(days)))
    return [_DAY_SECONDS - seconds_left_out(whole, stretches, begin, end) for begin, end in edges]


def _plan_words(page: PageFacts, days_left: Measurement) -> str:
    planned = page.settings["AB_PLANNED_REQUESTS"]
    if planned is None:
        return (
            "no plan set (AB_PLANNED_REQUESTS): intervals are tuned to "
            f"{format_count(DEFAULT_PLANNED_REQUESTS)} requests"
        )
    if days_left.value is None or days_left.interval is None:
        return f"{format_count(float(str(planned)))} requests planned, {days_left.reason}"
    if days_left.value <= 0:
        return f"the planned {format_count(float(str(planned)))} requests are reached"
    return f"{days_words(days_left)} to the planned {format_count(float(str(planned)))} requests"


def days_words(days_left: Measurement) -> str:
    """`5 to 8 days (2 weeks)`, whole weeks as traffic has a weekly rhythm; `never at this rate` beyond half a
    year.
    """
    interval, value = days_left.interval, days_left.value
    if value is None or interval is None or interval.low is None:
        return "unknown"
    if value > LONGEST_DAYS:
        return "never at this rate (over 180 days)"
    weeks = math.ceil(value / 7)
    return f"{days_range(interval.low, interval.high)} ({weeks} week{'s' if weeks > 1 else ''})"


def days_range(low_days: float, high_days: float | None) -> str:
    """`5 to 8 days`, in whole days; an end of None is beyond half a year."""
    longest = high_days if high_days is not None else math.inf
    low, high = math.ceil(low_days), math.ceil(min(longest, LONGEST_DAYS))
    if low != high:
        return f"{low} to {'over 180' if longest > LONGEST_DAYS else high} days"
    return "1 day" if low == 1 else f"{low} days"
