"""How sure a mean latency is: neither its total nor its buckets hold a variance, but the blocks of the window
do.

The other ends of counts that are known only to be at least something: what Prometheus' answer would be
there, and limits that hold at every end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product

from live_dashboards.model.judgement import MetricDifference
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.notices import AT_LEAST_AND_AT_MOST, WHY
from live_dashboards.model.number import format_interval
from live_dashboards.model.snapshot import COUNTS, Accumulated, Answer, PrometheusAnswer, Timeline
from live_dashboards.model.variants import Roles

FEWEST_BLOCKS = 20  # below, a normal interval from so few blocks would be too narrow
Blocks = Mapping[float, tuple[float, float]]
"""By the block's end (unix seconds): what was added up in it, and over how many."""

# one may be at its most where the other is at its least: they may be counted by series that began apart.
# Errors and events of other guardrails are never compared with each other, so that one end serves all
_EVENTS, _OTHERS = "events", "others"
_GROUPS = (_EVENTS, _OTHERS)

Limit = float | None


@dataclass(frozen=True, slots=True)
class StandardError:
    """Of a mean, in the unit of the sums; None where there are too few blocks, for the reason."""

    value: float | None
    blocks: int
    reason: str = ""


def latency_blocks(answer: PrometheusAnswer, variant_of: Callable[[str], str | None], variant: str) -> Blocks:
    """Milliseconds and requests of a variant by block, over all models that are this variant; blocks without
    a request are left out.
    """
    seconds, counts = (
        by_block(answer.block(name), variant_of, variant) for name in ("latency_sum", "latency_count")
    )
    return {end: (1000 * seconds[end], counts[end]) for end in sorted(seconds) if counts.get(end, 0.0) > 0}


def by_block(blocks: Answer, variant_of: Callable[[str], str | None], variant: str) -> dict[float, float]:
    """What an answer by blocks adds up to over the models that are this variant, by the block's end (unix
    seconds).
    """
    sums: dict[float, float] = {}
    for series in blocks.series:
        if variant_of(series.label("model_name")) == variant:
            for end, value in series.points:
                if value is not None:
                    sums[end] = sums.get(end, 0.0) + value
    return sums


def mean_standard_error(blocks: Blocks) -> StandardError:
    """Of a ratio of sums over blocks (Cochran 1977, Sampling Techniques, 6.4): from the residuals' sum of
    squares, widened where neighbouring blocks go together.

    With a lag-1 correlation r above 2/√T the effective number of blocks is T(1-r)/(1+r) (Bayley & Hammersley
    1946, J. R. Stat. Soc. 8:184).
    """
    residuals, count = _residuals(blocks), len(blocks)
    if count < FEWEST_BLOCKS:
        return StandardError(
            None,
            count,
            f"the window holds {count} blocks with requests, and "
            f"{FEWEST_BLOCKS} are needed: choose a longer window",
        )
    squares = math.fsum(each * each for each in residuals.values())
    together = math.fsum(one * other for one, other in pairwise(residuals.values()))
    correlation = together / squares if squares > 0 else 0.0
    widening = (1 + correlation) / (1 - correlation) if 2 / math.sqrt(count) < correlation < 1 else 1.0
    return StandardError(math.sqrt(count / (count - 1) * squares * widening), count)


def _residuals(blocks: Blocks) -> dict[float, float]:
    """What each block adds to the error of the ratio: (sum - ratio x count) / all counts."""
    total, count = (
        math.fsum(added for added, _ in blocks.values()),
        math.fsum(each for _, each in blocks.values()),
    )
    return {end: (added - total / count * each) / count for end, (added, each) in blocks.items()}


def other_ends(answer: PrometheusAnswer, roles: Roles) -> tuple[PrometheusAnswer, ...]:
    """The answer with each mixture of upper ends: of the baseline's and the other variants' errors, and of
    their other counters; none where all is known.
    """
    sides = (
        [model for model, variant in roles.by_model.items() if variant == roles.baseline],
        [model for model, variant in roles.by_model.items() if variant != roles.baseline],
    )
    open_ended = [
        [group for group in _GROUPS if _is_open(answer, group, models)] for models in map(frozenset, sides)
    ]
    choices = [tuple(_subsets(groups)) for groups in open_ended]
    raised = (
        {
            (model, group)
            for models, groups in zip(sides, chosen, strict=True)
            for model in models
            for group in groups
        }
        for chosen in product(*choices)
        if any(chosen)
    )
    return tuple(_raised(answer, frozenset(each)) for each in raised)


def _subsets(groups: list[str]) -> Iterator[frozenset[str]]:
    for kept in product((False, True), repeat=len(groups)):
        yield frozenset(group for group, is_kept in zip(groups, kept, strict=True) if is_kept)


def _is_open(answer: PrometheusAnswer, group: str, models: frozenset[str]) -> bool:
    several = (*answer.instants, *(total for counted in answer.accumulated for total in counted.totals))
    return any(
        _group(each) == group and most.label("model_name") in models for each in several for most in each.most
    )


def _group(answer: Answer) -> str:
    return _OTHERS if answer.name in COUNTS else _EVENTS


def _raised(answer: PrometheusAnswer, ends: frozenset[tuple[str, str]]) -> PrometheusAnswer:
    return replace(
        answer,
        instants=tuple(_raised_answer(each, ends) for each in answer.instants),
        accumulated=tuple(_raised_counts(counted, ends) for counted in answer.accumulated),
    )


def _raised_counts(counted: Accumulated, ends: frozenset[tuple[str, str]]) -> Accumulated:
    requests = counted.block("requests")
    blocks = tuple(
        _spread_events(each, requests, ends) if _group(each) == _EVENTS else _raised_answer(each, ends)
        for each in counted.blocks
    )
    return replace(
        counted, totals=tuple(_raised_answer(each, ends) for each in counted.totals), blocks=blocks
    )


def _raised_answer(answer: Answer, ends: frozenset[tuple[str, str]]) -> Answer:
    most = {
        series.labels: series
        for series in answer.most
        if (series.label("model_name"), _group(answer)) in ends
    }
    return (
        replace(answer, series=tuple(most.get(series.labels, series) for series in answer.series), most=())
        if answer.most
        else answer
    )


def _spread_events(events: Answer, requests: Answer, ends: frozenset[tuple[str, str]]) -> Answer:
    """Errors, or other events, by block at their most: what was already there when a series was first seen
    happened some time before, at no moment that is told.

    It is spread over the requests of its model up to then, as whole events; in the one block of the first
    sight it would look like a burst.
    """
    if not events.most:
        return events
    most = {series.labels: series for series in events.most if (series.label("model_name"), _EVENTS) in ends}
    by_model = {series.label("model_name"): series for series in requests.series}
    return replace(
        events,
        series=tuple(
            _spread(series, most[series.labels], by_model.get(series.label("model_name")))
            if series.labels in most
            else series
            for series in events.series
        ),
        most=(),
    )


def _spread(least: Timeline, most: Timeline, requests: Timeline | None) -> Timeline:
    found = {end: value or 0.0 for end, value in least.points}
    for end, value in most.points:
        more = (value or 0.0) - found.get(end, 0.0)
        if more <= 0:
            continue
        weights = [
            (each, n) for each, n in (requests.points if requests is not None else ()) if each <= end and n
        ] or [(end, 1.0)]
        whole, so_far, given = sum(n for _, n in weights), 0.0, 0
        for each, n in weights:
            so_far += n
            share = round(more * so_far / whole) - given
            given += share
            found[each] = found.get(each, 0.0) + share
    return replace(least, points=tuple(sorted(found.items())))


def widest(found: Measurement, others: Iterable[Measurement]) -> Measurement:
    """The measurement with limits around all of these; where none has limits, and the values are unlike,
    around the values. As it is where all are the same.
    """
    ends = [other for other in others if other.value is not None]
    if found.value is None or all(
        (other.value, other.interval) == (found.value, found.interval) for other in ends
    ):
        return found
    every = (found, *ends)
    values = [each.value for each in every if each.value is not None]
    words = (
        None
        if not found.inputs
        else "between "
        f"{format_interval(min(values), max(values), found.unit).replace(' to ', ' and ')}, "
        f"{WHY}"
    )
    inputs = tuple(
        widest(each, [end.inputs[index] for end in ends if len(end.inputs) == len(found.inputs)])
        for index, each in enumerate(found.inputs)
    )
    return replace(
        found,
        interval=around([(each.value, each.interval) for each in every]),
        drawn_interval=around([(each.value, each.drawn_interval or each.interval) for each in every]),
        inputs=inputs,
        reason="; ".join(filter(None, (_without_counts(found), words))) or None,
    )


def _without_counts(found: Measurement) -> str | None:
    """What is told of a measurement, without how much more was counted of its inputs: that is another number,
    in another unit.
    """
    if not found.inputs:
        return found.reason
    return (
        "; ".join(
            part for part in (found.reason or "").split("; ") if not part.startswith(AT_LEAST_AND_AT_MOST)
        )
        or None
    )


def around(several: Sequence[tuple[Limit, Interval | None]]) -> Interval:
    """The limits around values and their intervals, where they have one."""
    lows = [value if interval is None else interval.low for value, interval in several]
    highs = [value if interval is None else interval.high for value, interval in several]
    return Interval(outermost(lows, min), outermost(highs, max))


def around_rows(row: MetricDifference, others: Iterable[MetricDifference]) -> MetricDifference | None:
    """The comparison with limits around those of all, and the greatest p; None where one has no limits."""
    every = (row, *others)
    low, high = outermost([each.low for each in every], min), outermost([each.high for each in every], max)
    if low is None or high is None:
        return None
    return replace(
        row,
        low=low,
        high=high,
        harm_low=outermost([each.harm_low for each in every], min),
        harm_high=outermost([each.harm_high for each in every], max),
        p_value=outermost([each.p_value for each in every], max),
    )


def without_interval(row: MetricDifference, reason: str | None) -> MetricDifference:
    """The comparison as one of which nothing is judged."""
    return replace(row, low=None, high=None, harm_low=None, harm_high=None, p_value=None, reason=reason)


def outermost(limits: Sequence[Limit], furthest: Callable[[Iterable[float]], float]) -> Limit:
    """The furthest limit; None where one is open or not known."""
    known = [limit for limit in limits if limit is not None]
    return furthest(known) if len(known) == len(limits) else None
