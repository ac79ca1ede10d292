"""What was asked and what was counted, as named answers: an empty reply gets the reason why, a model that
never failed its 0; totals, blocks, rates and percentiles are all sums of the same blocks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from live_dashboards.errors import SourceError
from live_dashboards.model.buckets import bucket_quantile
from live_dashboards.model.moment import format_duration, format_exact_duration
from live_dashboards.model.snapshot import Answer, Timeline
from live_dashboards.sources.prometheus.counting.growth import Growth, Row
from live_dashboards.sources.prometheus.grid import SAME_MOMENT_SECONDS, Edges, Grid, edges_of
from live_dashboards.sources.prometheus.reply import Labels, Outcome, Reply, only_possible, without
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import AbQuery

# how long an instant query still answers with a sample, unless its target is gone; one of just that age only
# before Prometheus 3
LOOKBACK_SECONDS = 300.0
_FINEST_LOOK_SECONDS = 1.0
_LOOKS_IN_WINDOW = 1440  # one a minute over a day: finer costs a second and more on busy machines

P95 = 0.95
T = TypeVar("T")


def totals_answer(query: AbQuery, promql: str, outcome: Outcome, grid: Grid | None = None) -> Answer:
    """The answer to an instant question, or on a grid; series without a finite value are left out."""
    if isinstance(outcome, SourceError):
        return Answer(query.name, promql, query.unit, reason=outcome.reason)
    placed = outcome.series if grid is None else map(grid.spread, outcome.series)
    shown = (series for series in placed if any(value is not None for _, value in series.points))
    return Answer(query.name, promql, query.unit, tuple(sorted(shown, key=lambda series: series.labels)))


def timeline_answer(name: str, query: AbQuery, promql: str, outcome: Outcome, grid: Grid) -> Answer:
    """The answer to a question over time, its gaps spelt out."""
    answer = totals_answer(query, promql, outcome, grid)
    return replace(answer, name=name, step_seconds=grid.step_seconds)


def with_zero_events(answer: Answer, requests: Answer, scope: Scope, query: AbQuery) -> Answer:
    """A total of errors, or of other events, with a 0 for each model that has requests and no series of it,
    where one would be counted: nothing has happened there yet. Any other total as it is.
    """
    found = scope.events(query)
    if found is None or answer.reason is not None:
        return answer
    named = {series.label("model_name") for series in answer.series}
    spotless = sorted({series.label("model_name") for series in requests.series} - named - {*found.uncounted})
    zeros = tuple(Timeline((("model_name", model),), ((scope.at_seconds, 0.0),)) for model in spotless)
    assumed = tuple(model for model in spotless if model in found.assumed)
    told = tuple(each for each in found.of_models if each[0] in {*assumed, *found.uncounted})
    counted = tuple((model, found.events.none) for model in spotless if model not in assumed)
    return replace(
        answer,
        series=(*answer.series, *zeros),
        note=found.note,
        of_models=(*told, *counted),
        assumed=assumed,
    )


def without_uncounted(answer: Answer, scope: Scope) -> Answer:
    """A timeline of errors without the models of whose errors nobody knows: its 0 would be invented."""
    return replace(
        answer,
        series=tuple(
            series for series in answer.series if series.label("model_name") not in scope.errors.uncounted
        ),
    )


def merged(newest: Answer, wide: Outcome | None) -> Answer:
    """The newest samples with those that a look over the whole window found; of two the newer one."""
    if wide is None:
        return newest
    if isinstance(wide, SourceError):
        return replace(newest, note=f"older samples could not be looked for: {wide.reason}")
    by_labels = {
        series.labels: series for series in (*wide.series, *newest.series) if series.last is not None
    }
    return replace(newest, series=tuple(by_labels[labels] for labels in sorted(by_labels)))


def last_seen(selector: str, window_seconds: float) -> str:
    """The PromQL for the time of the newest sample in the window, of whatever value."""
    looks = f"[{format_duration(window_seconds)}:{look_step_seconds(window_seconds)}s]"
    return f"max(max_over_time(timestamp({selector}){looks}))"


def look_step_seconds(window_seconds: float) -> int:
    """How finely samples are looked for: a target that is gone hides its last sample after one scrape
    interval.
    """
    return round(max(_FINEST_LOOK_SECONDS, window_seconds / _LOOKS_IN_WINDOW))


def with_reason(answer: Answer, selector: str, scope: Scope, outcomes: Mapping[str, Outcome]) -> Answer:
    """An empty answer with why it is empty; any other one as it is."""
    if answer.series or answer.reason is not None:
        return answer
    outcome, span = outcomes.get(f"seen {selector}"), format_duration(scope.window_seconds)
    if isinstance(outcome, SourceError):
        return replace(answer, reason=f"{selector} gave nothing, and why cannot be told: {outcome.reason}")
    if outcome is None or not outcome.series:
        return replace(answer, reason=f"{selector} has no series in the last {span}")
    newest_seconds = outcome.series[0].last
    age_seconds = 0.0 if newest_seconds is None else scope.at_seconds - newest_seconds
    if answer.step_seconds is None and age_seconds >= LOOKBACK_SECONDS:
        return replace(
            answer,
            reason=f"{selector} was last seen {format_duration(age_seconds)} before; is "
            "its exporter still scraped?",
        )
    return replace(
        answer,
        reason=f"{selector} has samples in the last {span}, but no number to show: only "
        "NaN, or what cannot be, or too few for a rate",
    )


def total_answer(growth: Growth) -> tuple[Answer, tuple[str, ...]]:
    """The growth of the whole range, and what is told of values that cannot be."""
    edges, query = growth.edges, growth.query
    span = format_exact_duration(edges.end_seconds - edges.start_seconds)
    step = format_exact_duration(edges.step_seconds)
    promql = f"sum_over_time(({growth.promql})[{span}:{step}])" if growth.promql else ""
    if growth.reason is not None:
        return Answer(query.name, promql, query.unit, reason=growth.reason), ()
    totals = by_edge(growth.totals, sum)
    found = Reply(tuple(Timeline(labels, ((edges.end_seconds, value),)) for labels, value in totals.items()))
    reply = only_possible(found, query.unit)
    series = tuple(
        sorted((each for each in reply.series if each.last is not None), key=lambda each: each.labels)
    )
    more = by_edge({labels: sum(row) for labels, row in growth.more.items()}, sum)
    most = tuple(
        Timeline(each.labels, ((edges.end_seconds, each.last + more[each.labels]),))
        for each in series
        if more.get(each.labels) and each.last is not None
    )
    return Answer(query.name, promql, query.unit, series, most=most), reply.warnings


def block_answer(growth: Growth, step_seconds: float) -> Answer:
    """The growth in blocks of that length, a multiple of the counted ones; a block without samples is a gap.
    `most` are series that may have grown by more.
    """
    coarse = edges_of(growth.edges.start_seconds, growth.edges.end_seconds, step_seconds)
    rows = {labels: _with_bridged(growth, labels) for labels in growth.rows}
    most = {
        labels: tuple(_sum(pair) for pair in zip(rows[labels], more, strict=True))
        for labels, more in growth.more.items()
        if any(more) and labels in rows
    }
    least, most = (
        _possible(
            {labels: _in_blocks(row, growth.edges, coarse) for labels, row in each.items()},
            coarse,
            growth.query.unit,
        )
        for each in (rows, most)
    )
    found, more = (
        _over_time(growth.query.name, growth.promql, growth.query.unit, each, coarse, reason=growth.reason)
        for each in (least, most)
    )
    return replace(found, most=more.series)


def rate_answer(
    name: str, unit: str, requests: Growth, span_seconds: float, scraped: Mapping[Labels, Row]
) -> Answer:
    """Requests a second over the span before each block's end, by the time between the scrapes that counted
    them.

    `scraped` are the moments of the newest scrapes before each edge, the mean over a model's instances; the
    blocks' own time stands where they are not known.
    """
    edges = requests.edges
    rows = {
        labels: tuple(_rates(row, edges, span_seconds, scraped.get(labels, (None,) * len(edges.moments))))
        for labels, row in requests.rows.items()
    }
    return _over_time(name, requests.promql, unit, rows, edges, reason=requests.reason)


def _rates(row: Row, edges: Edges, span_seconds: float, scraped: Row) -> Iterator[float | None]:
    for block, point in enumerate(_rolled(row, edges, span_seconds)):
        first = _first_block(edges, block, span_seconds)
        between = None if None in row[first : block + 1] else _between(scraped[first], scraped[block + 1])
        yield None if point is None else point[0] / (between or point[1])


def _between(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None or end <= begin else end - begin


def share_answer(name: str, unit: str, errors: Growth, requests: Growth, span_seconds: float) -> Answer:
    """Failed requests in percent of all, at most 100, over the span before each block's end; 0 while none has
    failed.
    """
    reason, promql = errors.reason or requests.reason, f"100 * ({errors.promql}) / ({requests.promql})"
    rows: dict[Labels, Row] = {}
    for labels, row in requests.rows.items():
        failed = _rolled(errors.rows.get(labels, (None,) * len(row)), errors.edges, span_seconds)
        counted = _rolled(row, requests.edges, span_seconds)
        rows[labels] = tuple(_percent(part, whole) for part, whole in zip(failed, counted, strict=True))
    return _over_time(name, promql, unit, rows, requests.edges, reason=reason)


def quantile_answer(name: str, unit: str, buckets: Growth, span_seconds: float) -> Answer:
    """The 95th percentile in milliseconds over the span before each block's end, as `histogram_quantile`
    computes it.
    """
    promql = f"1000 * histogram_quantile({P95:g}, {buckets.promql})"
    by_model: dict[Labels, dict[float, Row]] = {}
    for labels, row in by_edge(dict(buckets.rows), _added).items():
        rest = without(labels, ("le",))
        by_model.setdefault(rest, {})[float(dict(labels)["le"])] = row
    rows = {
        labels: _quantiles(dict(sorted(of_edges.items())), buckets.edges, span_seconds)
        for labels, of_edges in by_model.items()
    }
    return _over_time(name, promql, unit, rows, buckets.edges, reason=buckets.reason)


def by_edge(values: Mapping[Labels, T], add: Callable[[list[T]], T]) -> dict[Labels, T]:
    """Values of a bucket edge that is spelt in several ways as one, under its shortest spelling."""
    groups: dict[tuple[Labels, float], list[Labels]] = {}
    for labels in values:
        groups.setdefault((without(labels, ("le",)), float(dict(labels).get("le", "inf"))), []).append(labels)
    return {
        min(group, key=lambda labels: (len(dict(labels).get("le", "")), labels)): add(
            [values[labels] for labels in group]
        )
        for group in groups.values()
    }


def _added(rows: Iterable[Row]) -> Row:
    return tuple(_sum(values) for values in zip(*rows, strict=True))


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _with_bridged(growth: Growth, labels: Labels) -> Row:
    row, bridged = growth.rows[labels], growth.bridged.get(labels)
    return (
        row
        if bridged is None
        else tuple(_sum((value, more or None)) for value, more in zip(row, bridged, strict=True))
    )


def _in_blocks(row: Row, fine: Edges, coarse: Edges) -> Row:
    found: list[float | None] = [None] * len(coarse.ends)
    for end, value in zip(fine.ends, row, strict=True):
        block = coarse.block_of(end)
        if block is not None and value is not None:
            found[block] = (found[block] or 0.0) + value
    return tuple(found)


def _possible(rows: Mapping[Labels, Row], edges: Edges, unit: str) -> dict[Labels, Row]:
    found = only_possible(
        Reply(
            tuple(Timeline(labels, tuple(zip(edges.ends, row, strict=True))) for labels, row in rows.items())
        ),
        unit,
    )
    return {series.labels: tuple(value for _, value in series.points) for series in found.series}


def _rolled(row: Row, edges: Edges, span_seconds: float) -> Iterator[tuple[float, float] | None]:
    """At each block's end what was counted in at least the span before it, and in how many seconds; None
    where there is nothing to tell.

    Nor is there where the range holds less than the span: a few seconds between two scrapes hold one scrape's
    growth or none.
    """
    for block, end in enumerate(edges.ends):
        first = _first_block(edges, block, span_seconds)
        known = [
            (value, edges.length_seconds(index))
            for index in range(first, block + 1)
            if (value := row[index]) is not None
        ]
        is_whole = edges.moments[first] <= end - span_seconds + SAME_MOMENT_SECONDS
        yield (
            (sum(value for value, _ in known), sum(length for _, length in known))
            if known and is_whole
            else None
        )


def _first_block(edges: Edges, block: int, span_seconds: float) -> int:
    """The last block that begins so long before a block's end; the first one where none does."""
    return max(0, bisect_right(edges.moments, edges.ends[block] - span_seconds + SAME_MOMENT_SECONDS) - 1)


def _percent(part: tuple[float, float] | None, whole: tuple[float, float] | None) -> float | None:
    if whole is None or whole[0] <= 0:
        return None
    return min(100.0, max(0.0, 100 * (0.0 if part is None else part[0]) / whole[0]))


def _quantiles(of_edges: Mapping[float, Row], edges: Edges, span_seconds: float) -> Row:
    rolled = [_rolled(row, edges, span_seconds) for row in of_edges.values()]
    bounds = tuple(of_edges)
    found = (
        bucket_quantile(bounds, [0.0 if point is None else point[0] for point in points], P95)
        for points in zip(*rolled, strict=True)
    )
    return tuple(None if quantile is None else 1000 * quantile.point for quantile in found)


def _over_time(
    name: str, promql: str, unit: str, rows: Mapping[Labels, Row], edges: Edges, *, reason: str | None = None
) -> Answer:
    """The rows as series at the blocks' ends, from the first to the last number of each."""
    if reason is not None:
        return Answer(name, promql, unit, reason=reason, step_seconds=edges.step_seconds)
    series = (Timeline(labels, _shown(row, edges)) for labels, row in rows.items())
    return Answer(
        name,
        promql,
        unit,
        tuple(sorted((each for each in series if each.points), key=lambda each: each.labels)),
        step_seconds=edges.step_seconds,
    )


def _shown(row: Row, edges: Edges) -> tuple[tuple[float, float | None], ...]:
    known = [block for block, value in enumerate(row) if value is not None]
    return tuple((edges.ends[block], row[block]) for block in range(known[0], known[-1] + 1)) if known else ()
