"""What was counted without the stretches that AB_EXCLUDE leaves out: an outage or a load test says nothing
about either arm.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from live_dashboards.model.judgement import Excluded
from live_dashboards.model.snapshot import Accumulated, Answer, Timeline

Stretch = tuple[datetime, datetime]


def without_stretches(
    counted: Accumulated, stretches: Sequence[Stretch]
) -> tuple[Accumulated, tuple[Excluded, ...]]:
    """The totals and blocks without every block that touches a stretch, in all arms, and each stretch with
    its share of the requests.

    A stretch that holds nothing of the test has a share of 0.
    """
    begins = block_begins(counted)
    found = tuple(_excluded(counted, begins, stretch) for stretch in stretches)
    blocks = {answer.name: _kept(answer, begins, stretches) for answer in counted.blocks}
    totals = tuple(
        _less(total, counted.block(total.name), blocks.get(total.name)) for total in counted.totals
    )
    return replace(counted, totals=totals, blocks=tuple(blocks.values())), found


def block_begins(counted: Accumulated) -> dict[float, float]:
    """When each block of requests begins, by its end; one after a gap also holds what was counted in the gap,
    so it begins where the last one ended.
    """
    requests = counted.block("requests")
    ends = sorted({end for series in requests.series for end, value in series.points if value is not None})
    before = zip(ends, [counted.start_seconds, *ends], strict=False)
    return {
        end: min(sooner, block_begin(end, requests.step_seconds, counted.start_seconds))
        for end, sooner in before
    }


def _excluded(counted: Accumulated, begins: Mapping[float, float], stretch: Stretch) -> Excluded:
    requests = counted.block("requests")
    whole, kept = (_sum(answer.series) for answer in (requests, _kept(requests, begins, (stretch,))))
    return Excluded(*stretch, 100 * (whole - kept) / whole if whole else 0.0)


def seconds_left_out(
    counted: Accumulated, stretches: Sequence[Stretch], first_seconds: float, last_seconds: float
) -> float:
    """How much of the time between two moments is in blocks that touch a stretch, or after the last block in
    a stretch itself.
    """
    begins = block_begins(counted)
    last_end = max(begins, default=counted.start_seconds)
    after = _union(
        [
            (max(begin.timestamp(), last_end, first_seconds), min(end.timestamp(), last_seconds))
            for begin, end in stretches
        ]
    )
    inside = (
        (max(begin, first_seconds), min(end, last_seconds))
        for end, begin in begins.items()
        if _touches(begin, end, stretches)
    )
    return math.fsum(max(0.0, end - begin) for begin, end in (*inside, *after))


def _union(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The spans, those that overlap as one."""
    found: list[tuple[float, float]] = []
    for begin, end in sorted(span for span in spans if span[0] < span[1]):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def _touches(begin: float, end: float, stretches: Iterable[Stretch]) -> bool:
    return any(first.timestamp() < end and begin < last.timestamp() for first, last in stretches)


def _kept(answer: Answer, begins: Mapping[float, float], stretches: Sequence[Stretch]) -> Answer:
    """Without the blocks that touch a stretch."""

    def is_kept(end: float) -> bool:
        return not _touches(begins.get(end, end), end, stretches)

    def kept(several: Iterable[Timeline]) -> tuple[Timeline, ...]:
        return tuple(
            replace(series, points=tuple(point for point in series.points if is_kept(point[0])))
            for series in several
        )

    return replace(answer, series=kept(answer.series), most=kept(answer.most))


def block_begin(end: float, step_seconds: float | None, start_seconds: float) -> float:
    """When the block begins that ends then: blocks lie on one absolute grid, but for the two ends of the
    period.
    """
    if not step_seconds:
        return start_seconds
    return max(start_seconds, (math.ceil(end / step_seconds - 1e-9) - 1) * step_seconds)


def _less(total: Answer, every: Answer, kept: Answer | None) -> Answer:
    """A total without what its left out blocks hold."""
    if kept is None:
        return total

    def less(
        several: Iterable[Timeline], before: Sequence[Timeline], after: Sequence[Timeline]
    ) -> tuple[Timeline, ...]:
        out = {series.labels: _sum((series,)) for series in before}
        rest = {series.labels: _sum((series,)) for series in after}
        return tuple(
            replace(
                series,
                points=tuple(
                    (end, value and value - out.get(series.labels, 0.0) + rest.get(series.labels, 0.0))
                    for end, value in series.points
                ),
            )
            for series in several
        )

    return replace(
        total,
        series=less(total.series, every.series, kept.series),
        most=less(total.most, every.most, kept.most),
    )


def _sum(several: Iterable[Timeline]) -> float:
    return math.fsum(value for series in several for _, value in series.points if value is not None)
