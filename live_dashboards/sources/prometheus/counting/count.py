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
from live_dashboards.sources.prometheus.promql import unseen_form
from live_dashboards.sources.prometheus.reply import Labels, Outcome, failure_in, series_in
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import AbQuery

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
        return Counted(seen, with_unseen(repair.ask, self.scope, repair.repaired(seen)))

    def seen(self, repair: Repair, outcomes: Sequence[Outcome]) -> Seen:
        """What the first outcomes and what else has to be asked say, not yet put right."""
        asked = len(self._growing.questions())
        growths, summed = self._growing.growths(repair.ask, outcomes[:asked])
        return repair.seen(self._looking, outcomes[asked:], growths, summed)

    @property
    def _growing(self) -> GrowthQuestions:
        return GrowthQuestions(self.scope, self.queries, self.edges)

    @property
    def _looking(self) -> Looking:
        return Looking(self.scope, self.queries, self.edges)


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
