"""What a value can be at all, by its unit: one that cannot be is no value, and that is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from live_dashboards.model.moment import is_on_calendar
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.reply import Reply

ANY_NUMBER = "any number"
_LARGEST_COUNT = 1e15  # a billion a second for eleven days; whole numbers beyond are no longer exact
_LARGEST = 1e100  # of anything: products and squares stay finite


def _is_count(value: float) -> bool:
    return 0 <= value <= _LARGEST_COUNT


_BY_UNIT: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "count": (_is_count, "counts"),
    "seconds": (_is_count, "seconds"),
    "unix_seconds": (is_on_calendar, "moments"),
}


def only_possible(reply: Reply, unit: str) -> Reply:
    """The reply with each value that its unit cannot have as a gap, which its warnings tell; without a unit,
    as it is.

    Of any other unit, and ANY_NUMBER, only what is too large to be counted with cannot be.
    """
    if not unit:
        return reply
    is_possible, words = _BY_UNIT.get(unit, (lambda value: abs(value) <= _LARGEST, "values"))
    odd = next(
        (
            value
            for series in reply.series
            for _, value in series.points
            if value is not None and not is_possible(value)
        ),
        None,
    )
    if odd is None:
        return reply
    series = tuple(_kept(each, is_possible) for each in reply.series)
    return replace(
        reply,
        series=series,
        warnings=(*reply.warnings, f"{words} that cannot be, such as {odd:g}, are left out"),
    )


def is_upper_bound(seconds: float) -> bool:
    """Whether a bucket of latencies can end there."""
    return seconds == math.inf or abs(seconds) <= _LARGEST_COUNT


def _kept(series: Timeline, is_possible: Callable[[float], bool]) -> Timeline:
    points = (
        (seconds, value if value is not None and is_possible(value) else None)
        for seconds, value in series.points
    )
    return Timeline(series.labels, tuple(points))
