"""Since when the test runs, and what is left out of it: what is judged has accumulated from a fixed start,
never over the rolling window.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.model.judgement import Excluded, Period
from live_dashboards.model.measurement import Origin
from live_dashboards.model.moment import format_duration
from live_dashboards.model.snapshot import Accumulated, Answer, Timeline

Stretch = tuple[datetime, datetime]

_NOT_EXACT = (
    "it may be up to an hour earlier, or more, as a question about the first traffic failed: set "
    "AB_START, or let Prometheus answer all questions"
)
_SURELY_KEPT_SHARE = 0.9  # a server deletes whole blocks: data may be somewhat younger than its retention
# as far back as traffic is looked for, less the two coarse steps at its edge
_LONGEST_LOOK_SECONDS = 90 * 86_400.0 - 7200


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
    slices = counted.slices
    if slices is not None:
        kept = tuple(_kept(answer, begins, stretches) for answer in slices.blocks)
        slices = replace(slices, blocks=kept)
    return replace(counted, totals=totals, blocks=tuple(blocks.values()), slices=slices), found


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

    def kept(several: Iterable[Timeline]) -> tuple[Timeline, ...]:
        return tuple(
            replace(
                series,
                points=tuple(
                    (end, value)
                    for end, value in series.points
                    if not _touches(begins.get(end, end), end, stretches)
                ),
            )
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


def period_of(page: PageFacts, challenger: str | None) -> tuple[Period, Accumulated | None]:
    """The analysis period of a challenger, and what Prometheus counted in it (None where it did not).

    From AB_START, else the first sample at which baseline and challenger both had traffic, else the
    challenger's first run; without the stretches of AB_EXCLUDE.
    """
    period, counted = whole_period_of(page, challenger)
    stretches = page.settings["AB_EXCLUDE"]
    if counted is None or not stretches:
        return period, counted
    counted, excluded = without_stretches(counted, stretches)
    return replace(period, excluded=excluded), counted


def whole_period_of(page: PageFacts, challenger: str | None) -> tuple[Period, Accumulated | None]:
    """The same with all that AB_EXCLUDE leaves out."""
    first = _first_traffic(page)
    if page.settings.start is not None:
        return _from_setting(page, page.settings.start)
    if challenger in first and page.roles.baseline in first:
        seconds = max(first[challenger], first[page.roles.baseline])
        counted = _counted_since(page, seconds)
        words = "first sample at which baseline and challenger both had traffic"
        if any(
            first[variant] == seconds
            for variant in _inexact(page)
            if variant in {challenger, page.roles.baseline}
        ):
            return Period(
                datetime.fromtimestamp(seconds, UTC), page.at, f"{words}; {_NOT_EXACT}", is_whole=False
            ), counted
        return _judged(page, Period(datetime.fromtimestamp(seconds, UTC), page.at, words), counted), counted
    runs = [
        run.started_at
        for run in page.counted.mlflow.runs
        if challenger and run.variant == challenger and run.started_at is not None
    ]
    if runs and page.counted.mlflow.origin is Origin.LIVE:
        return Period(min(runs), page.at, "first run of the challenger"), None
    return Period(None, page.at, "the start of the test is unknown: set AB_START", is_whole=False), None


def _first_traffic(page: PageFacts) -> dict[str, float]:
    """Of each variant, the earliest of its models."""
    return {
        page.roles.by_model.get(model, model): seconds
        for model, seconds in sorted(page.counted.prometheus.first_traffic, key=lambda each: -each[1])
    }


def _inexact(page: PageFacts) -> set[str]:
    """The variants whose first traffic may have been earlier."""
    return {page.roles.by_model.get(model, model) for model in page.counted.prometheus.inexact_starts}


def _from_setting(page: PageFacts, start: datetime) -> tuple[Period, Accumulated | None]:
    if start >= page.at:
        return Period(
            None,
            page.at,
            "AB_START is not before the page's moment: correct it or choose a later --at",
            is_whole=False,
        ), None
    counted = _counted_since(page, start.timestamp())
    return _judged(page, Period(start, page.at, "AB_START"), counted), counted


def _counted_since(page: PageFacts, start_seconds: float) -> Accumulated | None:
    return next(
        (each for each in page.counted.prometheus.accumulated if each.start_seconds == start_seconds), None
    )


def _judged(page: PageFacts, period: Period, counted: Accumulated | None) -> Period:
    """The period, with what Prometheus may have forgotten of it."""
    if counted is None or period.start is None or page.is_simulated:
        return period
    span_seconds = (page.at - period.start).total_seconds()
    retention_seconds = page.counted.prometheus.retention_seconds
    is_chosen = page.settings.start is not None
    if not is_chosen and span_seconds > _LONGEST_LOOK_SECONDS:
        return Period(
            period.start,
            period.end,
            "the test began more than 90 days ago, and traffic is looked for no further back: set AB_START",
            is_whole=False,
        )
    if counted.is_remembered or (
        retention_seconds is not None and span_seconds < _SURELY_KEPT_SHARE * retention_seconds
    ):
        return period
    if counted.lack:
        return Period(period.start, period.end, f"{period.reason}; {counted.lack}", is_whole=False)
    kept = f" (it keeps {format_duration(retention_seconds)})" if retention_seconds else ""
    lack = f"Prometheus holds nothing from before{kept}, so what was counted earlier may be forgotten"
    fix = (
        "keep samples longer than the test"
        if is_chosen
        else "set AB_START, and keep samples longer than the test"
    )
    return Period(period.start, period.end, f"{period.reason}; {lack}: {fix}", is_whole=False)
