"""How the evidence grew: what accumulates, judged at moments since the start of the test as the page of each
moment judged it, and where a part of the test differs from the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from live_dashboards.analysis.facts.ends import around_rows, without_interval
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.facts.period import block_begin, period_of
from live_dashboards.analysis.verdict.blocks import Paired, shared
from live_dashboards.analysis.verdict.changes import changes
from live_dashboards.analysis.verdict.effect import (
    ComparedCounts,
    countings,
    joined,
    judged_until,
    margins,
    mean_counting,
    within_bucket,
)
from live_dashboards.analysis.verdict.guardrails import other_pages
from live_dashboards.analysis.verdict.latency import BY_MEAN, latency_of
from live_dashboards.analysis.verdict.mean_difference import ComparedMeans, judged_means
from live_dashboards.analysis.verdict.shifts import BlocksInTime, shift_of
from live_dashboards.model.evidence import DifferenceAt, DifferenceLine
from live_dashboards.model.judgement import HARM, Guardrail, MetricDifference
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.metrics import ERROR_RATE, ONLINE_ACCURACY, OVER_OBJECTIVE, metric_of
from live_dashboards.model.moment import multiple_step_seconds
from live_dashboards.model.number import format_age, format_signed
from live_dashboards.model.report import EvidencePanel, Head
from live_dashboards.model.snapshot import PROMETHEUS, Accumulated

_MOST_POINTS = 60
_SAME_MOMENT_SECONDS = 1.0

Ends = Sequence[Sequence[tuple[ComparedCounts, Paired]]]
"""What was counted, and its blocks, first by the lower and then by the other ends of what may have been."""


def evidence_panel(page: PageFacts, guardrails: Sequence[Guardrail]) -> EvidencePanel:
    """Every difference that accumulates; drawn is that of a guardrail that is harmed, else of the success
    metric where it accumulates, else of the error rate.
    """
    is_stand_in = page.origin(PROMETHEUS) is Origin.SIMULATED
    shown = replace(page, counted=page.drawn) if is_stand_in else page
    lines = _lines(shown)
    harmed = [each.comparison.metric for each in guardrails if each.outcome == HARM]
    known = [line.metric for line in lines if line.points]
    metric = next((each for each in (*harmed, _success(page), ERROR_RATE, *known) if each in known), "")
    return EvidencePanel(
        _head(page, [line for line in lines if line.metric == metric and line.points], lines),
        lines,
        metric,
        changes(shown) if metric else (),
    )


def _lines(page: PageFacts) -> tuple[DifferenceLine, ...]:
    """A line a challenger and metric that accumulates, that of AB_SUCCESS_METRIC first."""
    challengers = [name for name in page.roles.names if name != page.roles.baseline]
    pages = (page, *other_pages(page))
    return tuple(
        _mean_line(page, [mean_counting(each, name, len(challengers)) for each in pages])
        if metric == OVER_OBJECTIVE and latency_of(page, name) == BY_MEAN
        else _line(
            page,
            [
                [(found, found.pair) for found in countings(each, name, metric, len(challengers))]
                for each in pages
            ],
        )
        for metric in _metrics(page)
        for name in challengers
    )


def _metrics(page: PageFacts) -> tuple[str, ...]:
    counted = (ONLINE_ACCURACY,) if page.settings["AB_ONLINE_CORRECT_METRIC"] is not None else ()
    return tuple(sorted((*counted, *margins(page)), key=lambda each: each != _success(page)))


def _success(page: PageFacts) -> str:
    return ERROR_RATE if page.settings["AB_SUCCESS_METRIC"] == ERROR_RATE else ONLINE_ACCURACY


def _mean_line(page: PageFacts, ends: Sequence[ComparedMeans]) -> DifferenceLine:
    """The difference of mean latencies; no part of it is tested against the rest."""
    first = ends[0]
    line = _bare(first.row, first.inputs)
    if not first.is_whole:
        return replace(line, reason=period_of(page, first.row.treatment)[0].reason)
    rows = (
        (moment, _widest([judged_means(each.until(seconds), seconds) for each in ends]))
        for moment in moments(first.counted, page.at)
        for seconds in (moment.timestamp(),)
    )
    points = tuple(_point(moment, row) for moment, row in rows if row.estimate is not None)
    return replace(line, points=points, reason="" if points else "no block of time compares the two")


def _bare(row: MetricDifference, inputs: tuple[Measurement, Measurement]) -> DifferenceLine:
    return DifferenceLine(
        row.metric,
        row.treatment,
        row.control,
        row.origin,
        source=joined(each.source for each in inputs),
        query=joined(each.query for each in inputs),
    )


def _line(page: PageFacts, ends: Ends) -> DifferenceLine:
    first, pair = ends[0][0]
    row = first.row
    line = _bare(row, first.inputs)
    if any(arm.counts is None for arm in first.arms):
        return replace(line, reason=row.reason or "not counted")
    if not first.is_whole and row.origin is not Origin.SIMULATED:
        return replace(line, reason=period_of(page, row.treatment)[0].reason)
    points = tuple(_points(ends, moments(first.counted, page.at)))
    return replace(
        line,
        points=points,
        shift=shift_of(_stretch(first, pair), first.levels) if points else None,
        reason="" if points else "no block of time compares the two",
    )


def moments(since: Accumulated, at: datetime) -> tuple[datetime, ...]:
    """At most 60 ends of blocks since the start of the test, a step apart that people use, on the absolute
    grid: of a test of up to 60 days each day at least; and the page's own moment.
    """
    block_seconds = since.block("requests").step_seconds or 1.0
    span_seconds = at.timestamp() - since.start_seconds
    step_seconds = multiple_step_seconds(span_seconds / _MOST_POINTS, block_seconds)
    first = int((since.start_seconds + _SAME_MOMENT_SECONDS) // step_seconds) + 1
    last = int((at.timestamp() - _SAME_MOMENT_SECONDS) // step_seconds)
    before = (datetime.fromtimestamp(index * step_seconds, UTC) for index in range(first, last + 1))
    return (*before, at)


def _points(ends: Ends, at: Sequence[datetime]) -> Iterator[DifferenceAt]:
    for moment in at:
        row = _row_at(ends, moment.timestamp())
        if row is not None and row.estimate is not None:
            yield _point(moment, row)


def _point(moment: datetime, row: MetricDifference) -> DifferenceAt:
    return DifferenceAt(
        moment,
        row.estimate or 0.0,
        row.low,
        row.high,
        row.harm_low,
        row.harm_high,
        row.n_treatment,
        row.n_control,
    )


def _row_at(ends: Ends, at_seconds: float) -> MetricDifference | None:
    """The comparison at a moment, with the limits that hold at every end; None where nothing is compared at
    one.
    """
    found = [[judged_until(each, pair, at_seconds) for each, pair in edges] for edges in ends]
    rows = [
        within_bucket([row for row in edges if row is not None])
        for edges in found
        if all(row is not None for row in edges)
    ]
    if len(rows) < len(ends):
        return None
    return _widest(rows)


def _widest(rows: Sequence[MetricDifference]) -> MetricDifference:
    """The first one with the limits that hold at every end."""
    row, *others = rows
    if not others:
        return row
    return around_rows(row, others) or without_interval(row, "no interval at one of the ends")


def _stretch(counting: ComparedCounts, pair: Paired) -> BlocksInTime:
    """The blocks that both arms share, with their times."""
    blocks, counted = shared(pair), counting.counted
    step_seconds = counted.block("requests").step_seconds
    times = tuple(
        (block_begin(group[0], step_seconds, counted.start_seconds), group[-1]) for group in blocks.groups
    )
    return BlocksInTime(times, blocks.counts)


def _head(page: PageFacts, drawn: Sequence[DifferenceLine], lines: Sequence[DifferenceLine]) -> Head:
    gap = "" if drawn else next((line.reason for line in lines), "there is no challenger")
    what = metric_of(drawn[0].metric) if drawn else None
    unit = drawn[0].unit if drawn else "points"
    subtitle = f"challenger − baseline, {what.words if what else 'differences'}, {unit}, since the start"
    has_harm = len(drawn) == 1 and any(point.harm_low is not None for point in drawn[0].points)
    where = "shade" if len(drawn) < 3 else "vertical lines"
    note = f"{where}: 95 % limits that hold at every look{'; darker: limits for harm' if has_harm else ''}"
    return page.head(
        PROMETHEUS,
        _title(page, drawn) if drawn else "",
        subtitle,
        what="evidence over time",
        note=note,
        asked=page.settings.serving.asked("requests"),
        gap=gap,
    )


def _title(page: PageFacts, drawn: Sequence[DifferenceLine]) -> str:
    """What became of the difference of the page's challenger."""
    line = next((each for each in drawn if each.treatment == page.roles.challenger), drawn[0])
    name = metric_of(line.metric).title
    if len(drawn) > 1:
        name = f"{line.treatment}: {metric_of(line.metric).words}"
    if line.shift is not None:
        part = "the beginning" if line.shift.is_early else "the last third"
        return f"{name}, {part} tells of {format_signed(line.shift.within, 'points')}"
    since = _decided_since(line)
    if since is None:
        return f"{name} not told apart in {format_age((page.at - line.points[0].at).total_seconds())}"
    better = metric_of(line.metric).is_higher_better == (line.points[-1].estimate > 0)
    return f"{name} {'better' if better else 'worse'} since {since:%-d %b %H:%M}"


def _decided_since(line: DifferenceLine) -> datetime | None:
    """From when on the limits have excluded 0; None where they hold it now."""
    found = None
    for point in reversed(line.points):
        if point.low is None or point.high is None or point.low <= 0 <= point.high:
            break
        found = point.at
    return found


def shift_words(line: DifferenceLine) -> str:
    """What is told of a part that differs from the rest, with the AB_START that leaves a beginning out; empty
    where none does.
    """
    shift = line.shift
    if shift is None:
        return ""
    within, elsewhere = (format_signed(each, "points") for each in (shift.within, shift.elsewhere))
    whose = f"{metric_of(line.metric).words} of {line.treatment}"
    if not shift.is_early:
        return (
            f"{whose}: {within} in the last third of the test (since {shift.begin:%-d %b %H:%M} UTC), "
            f"{elsewhere} before: no one difference describes the whole"
        )
    return (
        f"{whose}: {within} until {shift.end:%-d %b %H:%M} UTC, {elsewhere} from then on; "
        f"AB_START={shift.end:%Y-%m-%dT%H:%MZ} leaves the beginning out, chosen after looking: only what "
        "comes from now on is evidence then"
    )
