"""Traffic and differences of the analysis period for the business case, block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from live_dashboards.analysis.facts.arms import by_block, request_blocks, windowed
from live_dashboards.analysis.facts.page import PageFacts, failure
from live_dashboards.analysis.facts.period import (
    block_begins,
    seconds_left_out,
    whole_period_of,
    without_stretches,
)
from live_dashboards.analysis.statistics.means import Sums
from live_dashboards.analysis.statistics.proportions import Counts, normal_quantile
from live_dashboards.analysis.statistics.sequential import normal_sequence
from live_dashboards.analysis.statistics.stratified import (
    FEWEST_BLOCKS,
    fixed_of,
    long_run_of,
    long_run_variance,
    sequence_of,
    strata,
)
from live_dashboards.analysis.verdict.blocks import shared_blocks
from live_dashboards.model.judgement import Period
from live_dashboards.model.measurement import Measurement, Origin, derive, missing
from live_dashboards.model.number import format_number
from live_dashboards.model.snapshot import Accumulated

_ALPHA = 0.05
_EQUAL = 1e-9  # of the larger: a difference of two sums in another order

_DAY_SECONDS = 86_400.0
_MOST_DAYS = 7

Group = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TimedDifference:
    """Treatment minus control, with its 95 % limits that hold at every look and those for one look, None
    where the blocks are too few to tell.

    `residuals` are what each block adds to the error, in the order of time, 0 where an arm has nothing.
    `is_by_traffic`: blocks count by their requests, not by how much they tell.
    """

    estimate: float
    always: tuple[float, float] | None
    one_look: tuple[float, float] | None
    residuals: tuple[float, ...]
    is_by_traffic: bool = False


def error_difference(
    treatment: Sequence[Counts], control: Sequence[Counts], planned_n: int
) -> TimedDifference:
    """Of two error ratios, as `stratified_sequence` gives it; weighted by traffic where that differs by more
    than the interval (see `mean_difference`).

    ValueError for no blocks, or not as many of both.
    """
    found = strata(treatment, control)
    variance = long_run_of(found)
    always, fixed = sequence_of(found, planned_n, _ALPHA, variance), fixed_of(found, 1 - _ALPHA, variance)
    informed = TimedDifference(
        found.estimate, (always.low, always.high), (fixed.low, fixed.high), found.residuals
    )
    if found.has_few_events:  # no normal limits hold there
        return informed
    return _of_ratios(_unless_traffic_says_otherwise(informed, _sums(treatment), _sums(control), planned_n))


def mean_difference(
    treatment: Sequence[Sums], control: Sequence[Sums], planned_n: int
) -> TimedDifference | None:
    """Of two means, weighted by what each block tells, n1 n2 / (n1 + n2), with the long-run variance of batch
    means; None where no block has both arms.

    Where the mean of the blocks' differences weighted by their requests leaves the interval, that one is it:
    money comes with the traffic.
    """
    if not any(ours.n and theirs.n for ours, theirs in zip(treatment, control, strict=True)):
        return None
    informed = _weighted(treatment, control, lambda n2, n1: n1 * n2 / (n1 + n2), planned_n)
    return _unless_traffic_says_otherwise(informed, treatment, control, planned_n)


def _unless_traffic_says_otherwise(
    informed: TimedDifference, treatment: Sequence[Sums], control: Sequence[Sums], planned_n: int
) -> TimedDifference:
    by_traffic = _weighted(treatment, control, lambda n2, n1: n1 + n2, planned_n, is_by_traffic=True)
    if informed.always is None or by_traffic.always is None:
        return informed
    low, high = informed.always
    slack = _EQUAL * max(abs(low), abs(high))
    return informed if low - slack <= by_traffic.estimate <= high + slack else by_traffic


def _weighted(
    treatment: Sequence[Sums],
    control: Sequence[Sums],
    weigh: Callable[[int, int], float],
    planned_n: int,
    *,
    is_by_traffic: bool = False,
) -> TimedDifference:
    pairs = tuple(zip(treatment, control, strict=True))
    raw = [weigh(ours.n, theirs.n) if ours.n and theirs.n else 0.0 for ours, theirs in pairs]
    whole = math.fsum(raw)
    told = [
        (weight / whole, ours.mean - theirs.mean) if weight else (0.0, 0.0)
        for weight, (ours, theirs) in zip(raw, pairs, strict=True)
    ]
    estimate = math.fsum(weight * each for weight, each in told)
    residuals = tuple(weight * (each - estimate) for weight, each in told)
    if sum(weight > 0 for weight in raw) < FEWEST_BLOCKS:
        return TimedDifference(estimate, None, None, residuals, is_by_traffic)
    spread = math.sqrt(long_run_variance(residuals, 0.0))
    half, _ = normal_sequence(
        estimate, spread, sum(each.n for each in (*treatment, *control)), planned_n, _ALPHA
    )
    fixed = normal_quantile(1 - _ALPHA) * spread
    return TimedDifference(
        estimate,
        (estimate - half, estimate + half),
        (estimate - fixed, estimate + fixed),
        residuals,
        is_by_traffic,
    )


def _of_ratios(found: TimedDifference) -> TimedDifference:
    """With limits that a difference of two ratios can have."""
    always, one_look = (
        None if limits is None else (max(-1.0, limits[0]), min(1.0, limits[1]))
        for limits in (found.always, found.one_look)
    )
    return replace(found, always=always, one_look=one_look)


def _sums(arm: Sequence[Counts]) -> list[Sums]:
    return [Sums(each.events, each.n) for each in arm]


@dataclass(frozen=True, slots=True)
class PairTraffic:
    """What was counted over the analysis period, whole and without what AB_EXCLUDE leaves out; None for the
    reason.

    `groups` are the ends (unix seconds) of the blocks that are looked at together, in each of which both arms
    had requests. `days` are the last whole days of the period, 7 at most.
    """

    period: Period
    whole: Accumulated | None = None
    kept: Accumulated | None = None
    reason: str = ""
    groups: tuple[Group, ...] = ()
    days: int = 0


def traffic_of_test(page: PageFacts) -> PairTraffic:
    """The traffic of the page's pair; of a simulation, which has no test that began, its window stands for
    one.
    """
    answer = page.counted.prometheus
    if answer.origin is Origin.SIMULATED:
        window = windowed(
            answer,
            page.at.timestamp(),
            page.window_seconds,
            float(page.settings["AB_LATENCY_OBJECTIVE_MS"]) / 1000,
        )
        return PairTraffic(Period(None, page.at, "simulated"), window, window, groups=_groups(page, window))
    period, whole = whole_period_of(page, page.roles.challenger)
    if whole is None or period.start is None:
        return PairTraffic(period, reason=_why_nothing(page, period))
    stretches = page.settings["AB_EXCLUDE"]
    kept = without_stretches(whole, stretches)[0] if stretches else whole
    days = min(_MOST_DAYS, int((period.end.timestamp() - _first_request(page, whole)) // _DAY_SECONDS))
    return PairTraffic(period, whole, kept, groups=_groups(page, kept), days=days)


def _first_request(page: PageFacts, whole: Accumulated) -> float:
    """When the first block with a request begins (unix seconds): before it there is no traffic to take a mean
    of, however early AB_START is.
    """
    ends = [
        end
        for name in page.roles.names
        for end, n in request_blocks(page, whole, name).items()
        if round(n) > 0
    ]
    step_seconds = whole.block("requests").step_seconds or 0.0
    return max(whole.start_seconds, min(ends) - step_seconds) if ends else page.at.timestamp()


def _why_nothing(page: PageFacts, period: Period) -> str:
    if not page.counted.prometheus.status.has_answered:
        return failure(page.counted.prometheus.status)
    return (
        period.reason
        if period.start is None
        else "nothing has accumulated since the start of the test: its first blocks of traffic are not over"
    )


def _groups(page: PageFacts, counted: Accumulated) -> tuple[Group, ...]:
    if page.roles.challenger is None:
        return ()
    blocks = (request_blocks(page, counted, name) for name in (page.roles.challenger, page.roles.baseline))
    ours, theirs = ({end: Counts(0, round(n)) for end, n in each.items() if round(n) > 0} for each in blocks)
    return shared_blocks(ours, theirs).groups


def requests_per_day(page: PageFacts, traffic: PairTraffic) -> Measurement:
    """The mean of the last whole days of the test, counted back from the moment: all variants' requests,
    without the time that is left out.
    """
    name, window = "requests_per_day", page.counted.traffic.totals["total_requests"]
    if window.value is not None and window.origin is Origin.SIMULATED:
        return derive(
            lambda requests_count: requests_count * _DAY_SECONDS / page.window_seconds,
            name,
            "count",
            requests_count=window,
        )
    if traffic.whole is None:
        return missing(
            name, "count", traffic.reason, source=window.source, query=window.query, inputs=(window,)
        )
    query, source = traffic.whole.total("requests").query, page.counted.prometheus.status.source
    if traffic.days < 1:
        return missing(name, "count", _too_young(page, traffic), source=source, query=query)
    value = _mean_of_days(page, traffic)
    if not value:
        reason = (
            "all of the last whole days are left out (AB_EXCLUDE)"
            if value is None
            else f"no request in the last {format_number(traffic.days, 'days')}"
        )
        return missing(name, "count", reason, source=source, query=query)
    reason = (
        f"mean of the last {format_number(traffic.days, 'days')} of the test"
        if traffic.days > 1
        else "the last 24 h of the test"
    )
    is_old = window.stale or window.observed_at is None
    measured = Measurement(
        name,
        value,
        "count",
        page.counted.prometheus.origin,
        source=source,
        query=query,
        observed_at=window.observed_at,
        stale=is_old,
    )
    return replace(measured, reason="; ".join(filter(None, (reason, window.reason))))


def _too_young(page: PageFacts, traffic: PairTraffic) -> str:
    assert traffic.whole is not None  # noqa: S101 asked for only where it was counted
    hours = (page.at.timestamp() - _first_request(page, traffic.whole)) / 3600
    return f"the test is {hours:.3g} h old, and a year is told from whole days: from the first on"


def _mean_of_days(page: PageFacts, traffic: PairTraffic) -> float | None:
    """None where all of these days is left out; a block on their first edge counts by its part after it."""
    assert traffic.whole is not None and traffic.kept is not None  # noqa: S101, PT018 asked for only where it was counted
    last = page.at.timestamp()
    first = last - traffic.days * _DAY_SECONDS
    seconds = last - first - seconds_left_out(traffic.whole, page.settings["AB_EXCLUDE"] or (), first, last)
    if seconds <= 0:
        return None
    began = _first_request(page, traffic.whole)
    begins = {end: max(begin, min(began, end - 1.0)) for end, begin in block_begins(traffic.whole).items()}
    blocks = [
        each
        for name in page.roles.names
        for each in request_blocks(page, traffic.kept, name).items()
        if each[0] > first
    ]
    return (
        math.fsum(n * min(1.0, (end - first) / (end - begins[end])) for end, n in blocks)
        * _DAY_SECONDS
        / seconds
    )


def latency_sums(page: PageFacts, traffic: PairTraffic, variant: str) -> tuple[Sums, ...]:
    """Milliseconds and requests with a response time of each group of blocks."""
    assert traffic.kept is not None  # noqa: S101 asked for only where it was counted
    seconds, counts = (
        by_block(page, traffic.kept.block(name), variant) for name in ("latency_sum", "latency_count")
    )
    both = [end for end, n in counts.items() if n > 0 and end in seconds]
    sums, known = {end: seconds[end] for end in both}, {end: counts[end] for end in both}
    return tuple(Sums(1000 * _sum(sums, group), round(_sum(known, group))) for group in traffic.groups)


def _sum(values: Mapping[float, float], group: Group) -> float:
    return math.fsum(values.get(end, 0.0) for end in group)
