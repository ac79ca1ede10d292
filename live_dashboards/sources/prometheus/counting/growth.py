"""What counters grew by in each block: the value at a block's end less the one at its beginning, summed over
instances.

A value at a moment is the newest sample before it. Nothing is extrapolated, so blocks add up to any range
that they make up. What begins, restarts or pauses within a range is put right by `seams`.

A shorter block is asked as each series' difference. Of whole blocks the sums at their edges are asked, which
costs a server a quarter as much; their differences are the same wherever the same series are there at both
edges, and what comes or goes in between is known from `moves`.

Copies of one scrape are one counter that was seen at more moments. Its newest value is the greatest of the
copies' newest ones, and grows as the counter does, whichever copy is scraped, misses a scrape, or is down.
After a restart a copy that has not seen it yet is ahead for some minutes: see `repair`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any

from live_dashboards.model.moment import format_exact_duration
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.exchange import Ask, Question, instant, over_time
from live_dashboards.sources.prometheus.grid import Edges
from live_dashboards.sources.prometheus.promql import QUOTED, once
from live_dashboards.sources.prometheus.promql import joined as all_of
from live_dashboards.sources.prometheus.reply import (
    Labels,
    Outcome,
    failure_in,
    is_upper_bound,
    series_in,
    without,
)
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import LATENCY, AbQuery, render

Row = tuple[float | None, ...]

COUNTER_LABEL = "counter"  # tells apart what is asked for in one question
_GROWS = re.compile(rf"increase\((?P<selector>(?:[^\"\[\]]|{QUOTED})+)\[")
_BUCKETS, _COUNT = f"{LATENCY}_bucket", f"{LATENCY}_count"
_EDGES = re.compile(r'\ble=~"(?:[^"\\]|\\.)*"(?:, ?)?')
_ONE_BLOCK = 1.5  # of a step: sums further apart have a gap between them
_ROUNDING = 64  # units in the last place: a server adds up many series, not always in the same order
_LARGEST_SUMS = {"count": 2.0**44}  # whole numbers up to here differ by more than rounding
_LARGEST_SUM = 2.0**30  # of seconds and all else: a billion, told to microseconds
# a recorded step that lies on an edge belongs to the block that it ends: not every engine leaves out a
# window's beginning
_HALF_OPEN_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Growth:
    """What one counter grew by: for each set of labels a number a block, None where there is no sample to
    tell; or why it could not be asked.

    `bridged` is what lies within pauses of its series, and is counted in the blocks that end them; `more` is
    what it may have grown by beyond, where the beginning of a series leaves it open. `promql` is the question
    of a whole block.
    """

    query: AbQuery
    promql: str
    edges: Edges
    rows: Mapping[Labels, Row]
    more: Mapping[Labels, tuple[float, ...]] = field(default_factory=dict)
    bridged: Mapping[Labels, tuple[float, ...]] = field(default_factory=dict)
    reason: str | None = None

    @property
    def totals(self) -> dict[Labels, float]:
        """The whole range's growth of each set of labels that has any block, pauses included."""
        known = {labels: [value for value in row if value is not None] for labels, row in self.rows.items()}
        return {
            labels: sum(values) + sum(self.bridged.get(labels, ()))
            for labels, values in known.items()
            if values
        }


def increase_promql(scope: Scope, query: AbQuery, selector: str, length_seconds: float) -> str:
    """The server's own growth of these series in a block of a length, of copies the greatest: extrapolated,
    and over any number of restarts.
    """
    grown = once(f"increase({selector}[{format_exact_duration(length_seconds)}])", scope.copy_labels)
    return f"sum by ({', '.join(query.labels)}) ({grown})"


def differences_promql(
    scope: Scope, query: AbQuery, selector: str, back_seconds: float, length_seconds: float
) -> str:
    """What each of these series has grown by in a block of a length, of those that were there before it."""
    newest = newest_promql(scope, selector, back_seconds)
    before = newest_promql(scope, selector, back_seconds, length_seconds)
    return f"sum by ({', '.join(query.labels)}) ({newest} - {before})"


def newest_promql(scope: Scope, selector: str, back_seconds: float, ago_seconds: float = 0.0) -> str:
    """The newest value of each series in a while that ends that long ago.

    Of copies it is that of the greatest; where one of them was seen in the last minutes, of those that were,
    as one that has been silent for longer may have missed a restart.
    """
    spans = (
        (scope.shortest_rate_seconds, back_seconds)
        if scope.copy_labels and back_seconds > scope.shortest_rate_seconds
        else (back_seconds,)
    )
    newest = " or ".join(_newest_of_span(scope, selector, span, ago_seconds) for span in spans)
    return f"({newest})" if len(spans) > 1 else newest


def _newest_of_span(scope: Scope, selector: str, span_seconds: float, ago_seconds: float) -> str:
    newest = _last_promql(selector, span_seconds, ago_seconds)
    if not scope.copy_labels:
        return newest
    labels = ", ".join(scope.copy_labels)
    if scope.native is None or not selector.startswith(_BUCKETS):
        return f"max without ({labels}) ({newest})"
    # a server knows no greatest of histograms
    counted = _last_promql(
        _COUNT + _EDGES.sub("", selector.removeprefix(_BUCKETS)), span_seconds, ago_seconds
    )
    return (
        f"avg without ({labels}) ({newest} and ignoring (le) ({counted} == ignoring ({labels}) "
        f"group_left () max without ({labels}) ({counted})))"
    )


def _last_promql(selector: str, span_seconds: float, ago_seconds: float) -> str:
    ago = f" offset {format_exact_duration(ago_seconds)}" if ago_seconds else ""
    return f"last_over_time({selector}[{format_exact_duration(span_seconds)}]{ago})"


def whole_question(edges: Edges, promql: Callable[[float], str]) -> list[Question]:
    """The question of all whole blocks, by the PromQL of a block's length; none where there is no such
    block.
    """
    if edges.whole is None:
        return []
    first, last = edges.whole
    return [over_time(promql(edges.step_seconds), edges.ends[first], edges.ends[last], edges.step_seconds)]


def shorter_questions(edges: Edges, promql: Callable[[float], str]) -> list[Question]:
    """The questions of the shorter blocks."""
    return [instant(promql(edges.length_seconds(block)), edges.ends[block]) for block in edges.shorter]


def block_questions(edges: Edges, promql: Callable[[float], str]) -> list[Question]:
    """The questions of all blocks."""
    return [*whole_question(edges, promql), *shorter_questions(edges, promql)]


def by_block(several: Iterable[Timeline], edges: Edges) -> Iterator[tuple[Timeline, int, float]]:
    """Each number of these series in the block that holds its moment."""
    for series in several:
        for seconds, value in series.points:
            block = edges.block_of(seconds)
            if block is not None and value is not None:
                yield series, block, value


def of_edge(growth: Growth, name: str, edge_seconds: float) -> Growth:
    """The growth of the buckets that end at an edge alone, under another name, all spellings of it as one."""
    others = {labels for labels in growth.rows if float(dict(labels)["le"]) != edge_seconds}
    kept = without_rows(growth, others)
    return replace(
        growth,
        query=replace(
            growth.query, name=name, labels=tuple(label for label in growth.query.labels if label != "le")
        ),
        rows=_merged(kept.rows),
        more=_merged(kept.more),
        bridged=_merged(kept.bridged),
    )


def without_rows(growth: Growth, left_out: Collection[Labels]) -> Growth:
    """The growth without these sets of labels."""
    return replace(
        growth,
        rows={labels: row for labels, row in growth.rows.items() if labels not in left_out},
        more={labels: row for labels, row in growth.more.items() if labels not in left_out},
        bridged={labels: row for labels, row in growth.bridged.items() if labels not in left_out},
    )


def _merged(rows: Mapping[Labels, tuple[Any, ...]]) -> dict[Labels, tuple[Any, ...]]:
    found: dict[Labels, tuple[Any, ...]] = {}
    for labels, row in rows.items():
        rest = without(labels, ("le",))
        found[rest] = tuple(
            one if other is None else other if one is None else one + other
            for one, other in zip(found.get(rest, (None,) * len(row)), row, strict=True)
        )
    return found


def lacking(growth: Growth, reason: str) -> Growth:
    """The growth as one that is not known."""
    return replace(growth, rows={}, more={}, bridged={}, reason=reason)


def whole_blocks(growth: Growth) -> Growth:
    """The growth in its whole blocks alone, where there is any: a shorter one may hold a whole recorded step,
    or none.
    """
    whole = growth.edges.whole
    if whole is None:
        return growth
    first, last = whole
    edges = Edges(growth.edges.moments[first : last + 2], growth.edges.step_seconds)
    return replace(
        growth, edges=edges, rows={labels: row[first : last + 1] for labels, row in growth.rows.items()}
    )


def lookback_seconds(scope: Scope, edges: Edges) -> float:
    """How far before a moment its value is looked for: a block, and longer than the pause between two
    scrapes.
    """
    return max(edges.step_seconds, scope.shortest_rate_seconds)


def counted_selector(scope: Scope, query: AbQuery) -> str:
    """The selector of the instances' own series that a counter's query adds up."""
    found = _GROWS.search(query.promql)
    assert found is not None, query.promql  # noqa: S101 totals() makes no others
    return render(
        found["selector"],
        matchers=scope.matchers,
        errors=render(scope.errors.selector, matchers=scope.matchers),
    )


def is_summed(scope: Scope, query: AbQuery) -> bool:
    """Whether a counter's sums are asked at the edges of whole blocks: recorded steps are growth already."""
    return not scope.counts_steps(query)


def block_promql(scope: Scope, query: AbQuery, length_seconds: float, back_seconds: float) -> str:
    """The growth in the block that ends at the question's moment."""
    if scope.counts_steps(query):
        return replace(scope, window_seconds=length_seconds - _HALF_OPEN_SECONDS).render(query)
    return differences_promql(scope, query, counted_selector(scope, query), back_seconds, length_seconds)


def _sum_differences(sums: Timeline, edges: Edges) -> list[float | None]:
    """The blocks of sums at the edges of the whole ones; None in the others, and where there is no sum at
    both edges.
    """
    row: list[float | None] = [None] * len(edges.ends)
    for (sooner, before), (later, after) in pairwise(sums.points):
        block = edges.block_of(later)
        if (
            block is not None
            and before is not None
            and after is not None
            and later - sooner < _ONE_BLOCK * edges.step_seconds
        ):
            row[block] = rounded(after - before, max(before, after))
    return row


def rounded(difference: float, of: float) -> float:
    """A difference of sums of that size; what only rounding leaves is nothing."""
    return 0.0 if abs(difference) < _ROUNDING * math.ulp(of) else difference


@dataclass(frozen=True, slots=True)
class GrowthQuestions:
    """The questions that count some counters in the blocks of a range: one for the whole blocks of each, one
    for each shorter block of all together.

    Sums that are too great to be told apart are asked again as differences.
    """

    scope: Scope
    queries: tuple[AbQuery, ...]
    edges: Edges

    def questions(self) -> list[Question]:
        """In the order that `growths` takes their outcomes."""
        whole = [question for query in self.queries for question in self._whole(query)]
        shorter = shorter_questions(
            self.edges,
            lambda length_seconds: joined(
                (query.name, self.promql(query, length_seconds)) for query in self.queries
            ),
        )
        return [*whole, *shorter]

    def growths(self, ask: Ask, outcomes: Sequence[Outcome]) -> tuple[dict[str, Growth], frozenset[str]]:
        """What each counter grew by, by the name of its query, and which of them are differences of sums."""
        has_whole = self.edges.whole is not None
        whole, shorter = (
            (outcomes[: len(self.queries)], outcomes[len(self.queries) :])
            if has_whole
            else ((None,) * len(self.queries), outcomes)
        )
        by_query = dict(zip(self.queries, whole, strict=True))
        summed = {
            query
            for query, outcome in by_query.items()
            if is_summed(self.scope, query) and (outcome is None or _is_exact(outcome, query.unit))
        }
        inexact = [query for query in self.queries if is_summed(self.scope, query) and query not in summed]
        again = (
            ask(
                [
                    question
                    for query in inexact
                    for question in whole_question(self.edges, partial(self.promql, query))
                ]
            )
            if inexact
            else ()
        )
        by_query |= dict(zip(inexact, again, strict=True))
        growths = {
            query.name: self._growth(query, outcome, shorter, is_summed=query in summed)
            for query, outcome in by_query.items()
        }
        return growths, frozenset(query.name for query in summed)

    def promql(self, query: AbQuery, length_seconds: float | None = None) -> str:
        """The question of one block; of a whole one where no length is given."""
        return block_promql(
            self.scope,
            query,
            length_seconds or self.edges.step_seconds,
            lookback_seconds(self.scope, self.edges),
        )

    def _whole(self, query: AbQuery) -> list[Question]:
        if not is_summed(self.scope, query) or self.edges.whole is None:
            return whole_question(self.edges, partial(self.promql, query))
        first, last = self.edges.whole
        newest = newest_promql(
            self.scope, counted_selector(self.scope, query), lookback_seconds(self.scope, self.edges)
        )
        promql = f"sum by ({', '.join(query.labels)}) ({newest})"
        return [over_time(promql, self.edges.moments[first], self.edges.ends[last], self.edges.step_seconds)]

    def _growth(
        self, query: AbQuery, whole: Outcome | None, shorter: Sequence[Outcome], *, is_summed: bool
    ) -> Growth:
        found = Growth(query, self.scope.as_asked(self.promql(query)), self.edges, {})
        failure = failure_in((whole, *shorter))
        if failure is not None:
            return replace(found, reason=failure)
        sums, blocks = (series_in(whole), ()) if is_summed else ((), series_in(whole))
        rows = {each.labels: _sum_differences(each, self.edges) for each in sums}
        own = (series for series in series_in(*shorter) if series.label(COUNTER_LABEL) == query.name)
        for series, block, value in by_block((*blocks, *own), self.edges):
            rows.setdefault(labels_of(series.labels), [None] * len(self.edges.ends))[block] = value
        return replace(
            found, rows={labels: tuple(row) for labels, row in rows.items() if has_edge(query, labels)}
        )


def _is_exact(outcome: Outcome, unit: str) -> bool:
    """Whether differences of these sums tell what instances counted: next to an enormous number a small one
    is lost.
    """
    largest = _LARGEST_SUMS.get(unit, _LARGEST_SUM)
    points = (point for series in series_in(outcome) for point in series.points)
    return all(value is None or abs(value) <= largest for _, value in points)


def with_matchers(selector: str, matchers: Iterable[str]) -> str:
    """The selector with more matchers."""
    metric, _, inner = selector.rstrip("}").partition("{")
    return f"{metric}{{{all_of(inner, *matchers)}}}"


def has_edge(query: AbQuery, labels: Labels) -> bool:
    """Whether a bucket's upper bound can be one, of seconds or +Inf; True of what is no bucket."""
    if "le" not in query.labels:
        return True
    try:
        return is_upper_bound(float(dict(labels).get("le", "")))
    except ValueError:
        return False


def joined(parts: Iterable[tuple[str, str]]) -> str:
    """Several questions as one, each series with its counter's name as a label."""
    return " or ".join(
        f'label_replace({promql}, "{COUNTER_LABEL}", "{name}", "", "")' for name, promql in parts
    )


def labels_of(labels: Labels) -> Labels:
    """Without the name of the counter."""
    return without(labels, (COUNTER_LABEL,))
