"""Numbers that follow from counts of which only the least is known: the value at the least, with the limits
that hold at every end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from live_dashboards.model.judgement import Comparison
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.notices import AT_LEAST_AND_AT_MOST, WHY
from live_dashboards.model.number import format_interval

Limit = float | None


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
    interval = around([(each.value, each.interval) for each in every])
    drawn = around([(each.value, each.drawn_interval or each.interval) for each in every])
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
        interval=interval,
        drawn_interval=drawn,
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


def around_rows(row: Comparison, others: Iterable[Comparison]) -> Comparison | None:
    """The comparison with limits around those of all, and the greatest p; None where one has no limits."""
    every = (row, *others)
    low, high = outermost([each.low for each in every], min), outermost([each.high for each in every], max)
    if low is None or high is None:
        return None
    harm = (
        outermost([each.harm_low for each in every], min),
        outermost([each.harm_high for each in every], max),
    )
    return replace(
        row,
        low=low,
        high=high,
        harm_low=harm[0],
        harm_high=harm[1],
        p_value=outermost([each.p_value for each in every], max),
    )


def without_interval(row: Comparison, reason: str | None) -> Comparison:
    """The comparison as one of which nothing is judged."""
    return replace(row, low=None, high=None, harm_low=None, harm_high=None, p_value=None, reason=reason)


def outermost(limits: Sequence[Limit], furthest: Callable[[Iterable[float]], float]) -> Limit:
    """The furthest limit; None where one is open or not known."""
    known = [limit for limit in limits if limit is not None]
    return furthest(known) if len(known) == len(limits) else None
