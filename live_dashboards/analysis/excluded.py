"""What was counted without the stretches that AB_EXCLUDE leaves out: an outage or a load test says nothing about either arm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from live_dashboards.model.judgement import Excluded
from live_dashboards.model.snapshot import Accumulated, Answer, Timeline

Stretch = tuple[datetime, datetime]


def without_stretches(counted: Accumulated, stretches: Sequence[Stretch]) -> tuple[Accumulated, tuple[Excluded, ...]]:
    """The totals and blocks without every block that touches a stretch, in all arms, and each stretch with its share of the requests.

    Stretches that hold nothing of the test are not named.
    """
    found = tuple(each for each in (_excluded(counted, stretch) for stretch in stretches) if each is not None)
    if not found:
        return counted, ()
    blocks = {answer.name: _kept(answer, counted.start_seconds, stretches) for answer in counted.blocks}
    totals = tuple(_less(total, counted.block(total.name), blocks.get(total.name)) for total in counted.totals)
    return replace(counted, totals=totals, blocks=tuple(blocks.values())), found


def _excluded(counted: Accumulated, stretch: Stretch) -> Excluded | None:
    requests = counted.block("requests")
    whole, kept = (_sum(answer.series) for answer in (requests, _kept(requests, counted.start_seconds, (stretch,))))
    return None if whole <= kept else Excluded(*stretch, 100 * (whole - kept) / whole)


def _kept(answer: Answer, start_seconds: float, stretches: Iterable[Stretch]) -> Answer:
    seconds = [(begin.timestamp(), end.timestamp()) for begin, end in stretches]

    def is_kept(end: float) -> bool:
        begin = block_begin(end, answer.step_seconds, start_seconds)
        return not any(first < end and begin < last for first, last in seconds)

    def kept(several: Iterable[Timeline]) -> tuple[Timeline, ...]:
        return tuple(replace(series, points=tuple(point for point in series.points if is_kept(point[0]))) for series in several)

    return replace(answer, series=kept(answer.series), most=kept(answer.most))


def block_begin(end: float, step_seconds: float | None, start_seconds: float) -> float:
    """When the block begins that ends then: blocks lie on one absolute grid, but for the two ends of the period."""
    if not step_seconds:
        return start_seconds
    return max(start_seconds, (math.ceil(end / step_seconds - 1e-9) - 1) * step_seconds)


def _less(total: Answer, every: Answer, kept: Answer | None) -> Answer:
    """A total without what its left out blocks hold."""
    if kept is None:
        return total

    def less(several: Iterable[Timeline], before: Sequence[Timeline], after: Sequence[Timeline]) -> tuple[Timeline, ...]:
        out = {series.labels: _sum((series,)) for series in before}
        rest = {series.labels: _sum((series,)) for series in after}
        return tuple(
            replace(series, points=tuple((end, value and value - out.get(series.labels, 0.0) + rest.get(series.labels, 0.0)) for end, value in series.points))
            for series in several
        )

    return replace(total, series=less(total.series, every.series, kept.series), most=less(total.most, every.most, kept.most))


def _sum(several: Iterable[Timeline]) -> float:
    return math.fsum(value for series in several for _, value in series.points if value is not None)
