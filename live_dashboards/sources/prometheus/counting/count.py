"""Counters counted over ranges of time: the server's differences and a look for seams in one go, then what
the seams add.

Recorded steps have no seams, but may hold more than what they count: series that began with a value of which
nothing tells when it was counted. Bucket edges that not all instances of a model have, all the time, are left
out: below such a one not all of its requests are counted, however slow they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from live_dashboards.model.moment import multiple_step_seconds
from live_dashboards.model.names import listed
from live_dashboards.model.notices import EDGES_LEFT_OUT, NO_SUM
from live_dashboards.sources.prometheus.counting.growth import (
    COUNTER_LABEL,
    Growth,
    GrowthQuestions,
    block_promql,
    block_questions,
    by_block,
    counted_selector,
    has_edge,
    joined,
    labels_of,
    lacking,
    lookback_seconds,
    newest_promql,
    without_rows,
)
from live_dashboards.sources.prometheus.counting.repair import Repair
from live_dashboards.sources.prometheus.counting.seams import Looking
from live_dashboards.sources.prometheus.counting.stretches import Seen
from live_dashboards.sources.prometheus.exchange import Ask, Question, over_time
from live_dashboards.sources.prometheus.grid import Edges
from live_dashboards.sources.prometheus.promql import TAKEN, unseen_form
from live_dashboards.sources.prometheus.reply import Labels, Outcome, failure_in, series_in
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import LATENCY, AbQuery

Rows = dict[str, dict[Labels, list[float]]]

_LOOKS = 8


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted in a range, by the name of each counter's query, and what was seen of it."""

    seen: Seen
    growths: dict[str, Growth]

    @property
    def edges(self) -> Edges:
        """The blocks of the range."""
        return self.seen.looking.edges


@dataclass(frozen=True, slots=True)
class Count:
    """The counters of one range."""

    scope: Scope
    queries: tuple[AbQuery, ...]
    edges: Edges

    def questions(self) -> list[Question]:
        """All that is asked first."""
        return [*self._growing.questions(), *self._looking.questions()]

    def counted(self, repair: Repair, outcomes: Sequence[Outcome]) -> Counted:
        """What the first outcomes say, put right with what else has to be asked."""
        seen = self.seen(repair, outcomes)
        return Counted(seen, put_right(repair, self.scope, seen))

    def seen(self, repair: Repair, outcomes: Sequence[Outcome]) -> Seen:
        """What the first outcomes and what else has to be asked say, not yet put right."""
        asked = len(self._growing.questions())
        growths, summed = self._growing.growths(repair.ask, outcomes[:asked])
        return repair.seen(self._looking, outcomes[asked:], growths, summed)

    @property
    def _growing(self) -> GrowthQuestions:
        return GrowthQuestions(self.scope, with_taken(self.scope, self.queries), self.edges)

    @property
    def _looking(self) -> Looking:
        return Looking(self.scope, with_taken(self.scope, self.queries), self.edges)


def put_right(repair: Repair, scope: Scope, seen: Seen) -> dict[str, Growth]:
    """The growths of what was seen, by the names of the counters that were asked for."""
    growths = with_unseen(repair.ask, scope, repair.repaired(seen))
    return in_seconds(scope, without_taken(scope, growths))


def with_unasked(counted: Counted, scope: Scope, queries: Iterable[AbQuery]) -> Counted:
    """What was counted, and of counters that cannot be asked for why not."""
    unasked = {
        query.name: Growth(query, "", counted.edges, {}, reason=scope.why_not(query))
        for query in queries
        if query.is_growth and query.name not in counted.growths
    }
    return replace(counted, growths={**counted.growths, **unasked})


def with_taken(scope: Scope, queries: Iterable[AbQuery]) -> tuple[AbQuery, ...]:
    """The counters, and those that are taken away from them; rules record what is left of them."""
    found = []
    for query in queries:
        found.append(query)
        taken = scope.taken(query)
        if taken is not None:
            found.append(taken)
    return tuple(found)


def without_taken(scope: Scope, growths: Mapping[str, Growth]) -> dict[str, Growth]:
    """The growths of the counters, each less what is taken away from it, block by block: so a restart makes
    no difference greater than it is.
    """
    taken = {name: scope.taken(growth.query) for name, growth in growths.items()}
    return {
        name: _of_steps(scope, growth)
        if (other := taken[name]) is None
        else _less(growth, growths[other.name])
        for name, growth in growths.items()
        if growth.query.metric not in TAKEN.values()
    }


def _of_steps(scope: Scope, growth: Growth) -> Growth:
    """The growth; of recorded differences of counters without what is below 0 in a block."""
    if not scope.counts_steps(growth.query) or not scope.is_difference(growth.query):
        return growth
    return replace(growth, rows={labels: _taken_back(row) for labels, row in growth.rows.items()})


def _less(growth: Growth, taken: Growth) -> Growth:
    """What is left of a growth, at least and at most. Of the same events the second counter may tell later:
    what is below 0 in a block was counted too early in those before it.
    """
    found = replace(growth, promql=f"({growth.promql}) - ({taken.promql})")
    why = growth.reason or taken.reason or _why_unlike(growth, taken)
    if why:
        return lacking(found, why)
    nothing = (0.0,) * len(growth.edges.ends)
    rows, more = {}, {}
    for labels, row in growth.rows.items():
        bridged, less_bridged = growth.bridged.get(labels, nothing), taken.bridged.get(labels, nothing)
        whole = zip(row, bridged, taken.rows.get(labels, nothing), less_bridged, strict=True)
        left = [
            None if value is None else value + paused - (less or 0.0) - less_paused
            for value, paused, less, less_paused in whole
        ]
        least = _taken_back(_shifted(left, taken.more.get(labels, nothing), -1.0))
        most = _taken_back(_shifted(left, growth.more.get(labels, nothing), 1.0))
        rows[labels] = least
        more[labels] = tuple(
            max(0.0, (high or 0.0) - (low or 0.0)) for low, high in zip(least, most, strict=True)
        )
    kept = {labels: each for labels, each in more.items() if any(each)}
    return replace(found, rows=rows, more=kept, bridged={})


def _why_unlike(growth: Growth, taken: Growth) -> str:
    """Why one cannot be taken from the other; empty where it can."""
    if not growth.rows:
        return ""
    if not taken.rows:
        return f"{taken.query.metric}, which is taken away, has no series"
    names = {name for labels in growth.rows for name, _ in labels}
    absent = sorted(names - {name for labels in taken.rows for name, _ in labels})
    return f"{taken.query.metric}, which is taken away, has no label {absent[0]}" if absent else ""


def _shifted(row: Sequence[float | None], by: Sequence[float], sign: float) -> list[float | None]:
    return [None if value is None else value + sign * more for value, more in zip(row, by, strict=True)]


def _taken_back(row: Sequence[float | None]) -> tuple[float | None, ...]:
    """The row with what is below 0 taken from the blocks before it, the last one first."""
    found = list(row)
    for block, value in enumerate(row):
        owed = -value if value is not None and value < 0 else 0.0
        if not owed:
            continue
        found[block] = 0.0
        for sooner in range(block - 1, -1, -1):
            given = min(owed, found[sooner] or 0.0)
            if given:
                found[sooner] = (found[sooner] or 0.0) - given
                owed -= given
            if not owed:
                break
    return tuple(found)


def in_seconds(scope: Scope, growths: Mapping[str, Growth]) -> dict[str, Growth]:
    """The growths with sums of response times in seconds, whatever unit the server has them in."""
    unit_seconds = scope.serving.latency.unit_seconds if scope.serving.latency is not None else 1.0
    return {
        name: _scaled(growth, unit_seconds)
        if growth.query.metric == f"{LATENCY}_sum" and not scope.counts_steps(growth.query)
        else growth
        for name, growth in growths.items()
    }


def _scaled(growth: Growth, factor: float) -> Growth:
    if factor == 1:
        return growth
    return replace(
        growth,
        promql=f"{factor} * ({growth.promql})",
        rows={
            labels: tuple(None if value is None else factor * value for value in row)
            for labels, row in growth.rows.items()
        },
        more={labels: tuple(factor * value for value in row) for labels, row in growth.more.items()},
        bridged={labels: tuple(factor * value for value in row) for labels, row in growth.bridged.items()},
    )


def with_unseen(ask: Ask, scope: Scope, growths: Mapping[str, Growth]) -> dict[str, Growth]:
    """The growths with what each may have grown by beyond, of those whose steps rules have recorded; where
    that cannot be asked, they are not known.
    """
    recorded = {
        name: growth
        for name, growth in growths.items()
        if scope.counts_steps(growth.query) and growth.reason is None
    }
    if not recorded:
        return dict(growths)
    edges = next(iter(recorded.values())).edges
    outcomes = ask(_questions(scope, [growth.query for growth in recorded.values()], edges))
    failure = failure_in(outcomes)
    if failure is not None:
        reason = f"what its series held when they were first seen could not be asked: {failure}"
        return dict(growths) | {name: lacking(growth, reason) for name, growth in recorded.items()}
    more = _more(outcomes, edges)
    return dict(growths) | {
        name: replace(
            growth,
            more={
                labels: tuple(row)
                for labels, row in more.get(name, {}).items()
                if has_edge(growth.query, labels)
            },
        )
        for name, growth in recorded.items()
    }


def _questions(scope: Scope, queries: list[AbQuery], edges: Edges) -> list[Question]:
    """All counters in one question of the whole blocks, and in one of each shorter block."""

    def promql(length_seconds: float) -> str:
        return joined(
            (query.name, f"{unseen_form(block_promql(scope, query, length_seconds, length_seconds))} > 0")
            for query in queries
        )

    return block_questions(edges, promql)


def _more(outcomes: Iterable[Outcome], edges: Edges) -> Rows:
    found: Rows = {}
    for series, block, value in by_block(series_in(*outcomes), edges):
        rows = found.setdefault(series.label(COUNTER_LABEL), {})
        rows.setdefault(labels_of(series.labels), [0.0] * len(edges.ends))[block] = value
    return found


def edges_question(scope: Scope, query: AbQuery, edges: Edges) -> list[Question]:
    """How many series there are of each edge, at some moments of the range; none of recorded steps, which do
    not tell.
    """
    if scope.counts_steps(query):
        return []
    newest = newest_promql(scope, counted_selector(scope, query), lookback_seconds(scope, edges))
    step_seconds = multiple_step_seconds(
        (edges.end_seconds - edges.start_seconds) / _LOOKS, edges.step_seconds
    )
    looks = max(1, math.ceil((edges.end_seconds - edges.start_seconds) / step_seconds))
    return [
        over_time(
            f"count by ({', '.join(query.labels)}) ({newest})",
            edges.end_seconds - (looks - 1) * step_seconds,
            edges.end_seconds,
            step_seconds,
        )
    ]


def lacking_edges(outcomes: Iterable[Outcome]) -> dict[str, set[float]]:
    """Of each model the edges that not all its instances had at all of these moments; an edge is one however
    it is spelt.
    """
    counts: dict[str, dict[float, dict[float, float]]] = {}  # by model, moment and edge
    for series in (series for series in series_in(*outcomes) if series.label("le")):
        of_model = counts.setdefault(series.label("model_name"), {})
        for seconds, value in series.points:
            of_edges = of_model.setdefault(seconds, {})
            edge = _number(series.label("le"))
            of_edges[edge] = of_edges.get(edge, 0.0) + (value or 0.0)
    return {model: lacking for model, moments in counts.items() if (lacking := _lacking(moments))}


def _lacking(moments: Mapping[float, Mapping[float, float]]) -> set[float]:
    """Edges that fewer series have than the last one: others may be spelt anew, and then there are two series
    of each for a while.
    """
    every = {edge for of_edges in moments.values() for edge in of_edges}
    return {
        edge
        for of_edges in moments.values()
        for edge in every
        if of_edges.get(edge, 0.0) < of_edges.get(math.inf, 0.0)
    }


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def without_lacking(growth: Growth, lacking: Mapping[str, set[float]]) -> tuple[Growth, tuple[str, ...]]:
    """The growth of the edges that all instances have, and what is told of the others."""
    if growth.reason is not None or not lacking:
        return growth, ()

    left_out = {
        labels
        for labels in growth.rows
        if float(dict(labels)["le"]) in lacking.get(dict(labels).get("model_name", ""), set())
    }
    kept = without_rows(growth, left_out)
    told = (
        f"of the response times of {model} the buckets up to "
        f"{listed([f'{edge:g} s' for edge in sorted(edges)])} "
        f"{EDGES_LEFT_OUT}"
        for model, edges in sorted(lacking.items())
    )
    return kept, tuple(told)


def without_unknown_sums(sums: Growth, counts: Growth) -> tuple[Growth, tuple[str, ...]]:
    """The sums of the models that have one wherever there is a count: one observation that is no number makes
    every later sum none, and a mean of the rest false.
    """
    unknown = {
        labels
        for labels, row in sums.rows.items()
        if any(
            total is None and count
            for total, count in zip(row, counts.rows.get(labels, (None,) * len(row)), strict=True)
        )
    }
    told = (
        f"of the response times of {dict(labels).get('model_name', '')} the sum {NO_SUM}: their mean "
        "is missing"
        for labels in sorted(unknown)
    )
    return without_rows(sums, unknown), tuple(told)
