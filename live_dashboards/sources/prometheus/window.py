"""The window in blocks: what its counters grew by as totals, blocks and timelines, so that all of them add
up.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from live_dashboards.model.moment import multiple_step_seconds, nice_step_seconds
from live_dashboards.model.snapshot import Answer
from live_dashboards.sources.prometheus.answers import (
    block_answer,
    quantile_answer,
    rate_answer,
    share_answer,
    total_answer,
)
from live_dashboards.sources.prometheus.counting.count import Count, Counted
from live_dashboards.sources.prometheus.counting.growth import Row, whole_blocks
from live_dashboards.sources.prometheus.exchange import Question, instant
from live_dashboards.sources.prometheus.grid import (
    MOST_POINTS,
    SAME_MOMENT_SECONDS,
    Edges,
    edges_of,
)
from live_dashboards.sources.prometheus.promql import MODEL_LABEL, STEP_SECONDS
from live_dashboards.sources.prometheus.reply import Labels, Outcome, series_in
from live_dashboards.sources.prometheus.scope import DAY_SECONDS, Scope
from live_dashboards.sources.queries import AB_QUERIES, REQUESTS, AbQuery, render

DAY_TOTAL = "requests_24h"
RATE, SHARE, QUANTILE = (AB_QUERIES[name].promql for name in ("request_rate", "error_rate", "response_time"))
# what is told of them without asking: a question of somebody's own under their names is asked
COUNTED_TIMELINES = frozenset({RATE, SHARE, QUANTILE})
_BLOCKS = 96  # a day in quarters of an hour
_USUAL_PAUSES_SECONDS = (1, 5, 10, 15, 20, 30, 45, 60, 90, 100, 120, 150, 180, 240, 300, 600)
_LIKE = 0.08  # an hour holds one scrape more or less than it should
_LONGEST_RATE_SECONDS = 3600.0
_IN_BLOCKS = ("requests", "errors", "latency_sum", "latency_count")


@dataclass(frozen=True, slots=True)
class WindowAnswers:
    """The window's totals by name, its blocks, and its counters for timelines; `told` names values that
    cannot be.

    `scraped` is when the newest samples of each model's instances were scraped, their mean in unix seconds at
    each edge of the counted blocks.
    """

    scope: Scope
    counted: Counted
    totals: Mapping[str, Answer]
    blocks: tuple[Answer, ...]
    told: tuple[str, ...]
    scraped: Mapping[Labels, Row]

    def timeline(self, name: str, query: AbQuery) -> Answer:
        """The rate, share or percentile that a built-in query asks for."""
        span_seconds = max(self.scope.shortest_rate_seconds, self.counted.edges.step_seconds)
        growths = {
            name: whole_blocks(growth) if self.scope.is_recorded else growth
            for name, growth in self.counted.growths.items()
        }
        if query.promql == RATE:
            return rate_answer(
                name,
                query.unit,
                growths["requests"],
                rate_span_seconds(self.scope, self.counted.edges),
                self.scraped,
            )
        if query.promql == SHARE:
            return share_answer(name, query.unit, growths["errors"], growths["requests"], span_seconds)
        return quantile_answer(name, query.unit, growths["latency_buckets"], span_seconds)


def window_count(scope: Scope, queries: tuple[AbQuery, ...]) -> Count:
    """The window's counters, in as many blocks as a timeline has points."""
    asked = tuple(
        query for query in queries if query.is_growth and query.name != DAY_TOTAL and scope.can_ask(query)
    )
    step_seconds = nice_step_seconds(
        max(scope.window_seconds / MOST_POINTS, STEP_SECONDS if scope.is_recorded else 0.0)
    )
    return Count(
        scope,
        asked,
        edges_of(scope.counts_at_seconds - scope.window_seconds, scope.counts_at_seconds, step_seconds),
    )


def day_count(scope: Scope, queries: tuple[AbQuery, ...]) -> Count | None:
    """The requests of the last 24 hours, whatever the window is; None where it is just that."""
    if scope.window_seconds == DAY_SECONDS:
        return None
    asked = tuple(query for query in queries if query.name == DAY_TOTAL)
    step_seconds = nice_step_seconds(max(DAY_SECONDS / _BLOCKS, scope.shortest_rate_seconds))
    return Count(
        scope, asked, edges_of(scope.counts_at_seconds - DAY_SECONDS, scope.counts_at_seconds, step_seconds)
    )


def scrape_questions(scope: Scope, edges: Edges) -> list[Question]:
    """When the newest samples were scraped before the ends of the first and of the last span that a rate is
    taken over.

    In between spans are whole numbers of scrapes, as long as these. A look at every edge would cost a server
    more than all counts: `timestamp` finds each sample by itself. None of recorded steps, which end where
    blocks do.
    """
    if scope.is_recorded:
        return []
    newest = f"timestamp({REQUESTS}{{$experiment}})"
    once = f"max without ({', '.join(scope.copy_labels)}) ({newest})" if scope.copy_labels else newest
    promql = render(f"avg by ({MODEL_LABEL}) ({once})", matchers=scope.matchers)
    span_seconds = rate_span_seconds(scope, edges)
    first = next(
        (end for end in edges.ends if end - span_seconds >= edges.start_seconds - SAME_MOMENT_SECONDS),
        edges.end_seconds,
    )
    last = max(
        (
            moment
            for moment in edges.moments
            if moment <= edges.end_seconds - span_seconds + SAME_MOMENT_SECONDS
        ),
        default=edges.start_seconds,
    )
    return [
        instant(promql, seconds)
        for seconds in dict.fromkeys((edges.start_seconds, first, last, edges.end_seconds))
    ]


def rate_span_seconds(scope: Scope, edges: Edges) -> float:
    """How long the span is that a rate is taken over: blocks and scrapes go into it without a rest, where
    that is not too long.
    """
    shortest_seconds = max(scope.shortest_rate_seconds, edges.step_seconds)
    pause_seconds = min(_USUAL_PAUSES_SECONDS, key=lambda each: abs(each - scope.pause_seconds))
    if scope.is_recorded or abs(pause_seconds - scope.pause_seconds) > _LIKE * pause_seconds:
        return shortest_seconds
    whole_seconds = math.lcm(round(edges.step_seconds), pause_seconds)
    span_seconds = math.ceil(shortest_seconds / whole_seconds) * whole_seconds
    return span_seconds if span_seconds <= max(shortest_seconds, _LONGEST_RATE_SECONDS) else shortest_seconds


def scraped_at(outcomes: Iterable[Outcome], edges: Edges) -> dict[Labels, Row]:
    """The answers to these questions by the blocks' edges; None where there is none, or it could not be
    asked.
    """
    found: dict[Labels, list[float | None]] = {}
    for series in series_in(*outcomes):
        row = found.setdefault(series.labels, [None] * len(edges.moments))
        for seconds, value in series.points:
            row[bisect_left(edges.moments, seconds - SAME_MOMENT_SECONDS)] = value
    return {labels: tuple(row) for labels, row in found.items()}


def window_answers(
    counted: Counted,
    day: Counted | None,
    queries: tuple[AbQuery, ...],
    scope: Scope,
    scraped: Mapping[Labels, Row],
) -> WindowAnswers:
    """What the growths say, by the names that the queries have; what was not asked has the reason why failed
    requests are not counted.
    """
    found = {name: total_answer(growth) for name, growth in counted.growths.items()}
    found[DAY_TOTAL] = (
        total_answer(day.growths[DAY_TOTAL])
        if day is not None
        else (replace(found["requests"][0], name=DAY_TOTAL), ())
    )
    step_seconds = multiple_step_seconds(
        max(scope.window_seconds / _BLOCKS, scope.shortest_rate_seconds), counted.edges.step_seconds
    )
    not_asked = {
        query.name: Answer(query.name, "", query.unit, reason=scope.why_not(query))
        for query in queries
        if query.is_growth and query.name not in found
    }
    totals = {name: answer for name, (answer, _) in found.items()} | not_asked
    blocks = tuple(
        block_answer(counted.growths[name], step_seconds)
        if name in counted.growths
        else replace(not_asked[name], step_seconds=step_seconds)
        for name in _IN_BLOCKS
    )
    told = [text for _, texts in found.values() for text in texts]
    return WindowAnswers(scope, counted, totals, blocks, tuple(dict.fromkeys(told)), scraped)
