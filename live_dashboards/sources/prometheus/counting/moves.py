"""Which series come and go between the edges of whole blocks, where sums alone are asked of them: few ever do, and only of these more is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.counting.counters import group_of
from live_dashboards.sources.prometheus.counting.edges import Edges
from live_dashboards.sources.prometheus.counting.growth import COUNTER_LABEL, Growth, has_edge, rounded
from live_dashboards.sources.prometheus.counting.samples import Labels
from live_dashboards.sources.prometheus.counting.seams import EDGES_LABEL, Appearance, Looking, Target, target_of
from live_dashboards.sources.prometheus.exchange import Question, over_time
from live_dashboards.sources.prometheus.failed_questions import Ask
from live_dashboards.sources.queries import AbQuery

_MOST_RUNS = 4
_MOST_NAMED = 300  # more targets than this are not named one by one: the question would be longer than what it saves

Lacking = dict[str, dict[Target, frozenset[str]]]  # of each counter's targets at how many edges series are there that are not at all of them


@dataclass(frozen=True, slots=True)
class Moves:
    """The series that appear in whole blocks, and those that vanish, each with its last value before the block."""

    appeared: tuple[Appearance, ...] = ()
    vanished: tuple[Appearance, ...] = ()


def find_moves(ask: Ask, looking: Looking, presence: Sequence[Timeline]) -> Moves:
    """The moves of all counters, by where series are not at every edge.

    Series of sums and buckets that are there at as many edges as one of their target's leads come and go with it, so they are looked for in its blocks alone.
    """
    lacking = _lacking(presence)
    if not lacking:
        return Moves()
    led: dict[Target, frozenset[str]] = {}
    for query in looking.leads:
        for target, edges in lacking.get(query.name, {}).items():
            led[target] = led.get(target, frozenset()) | edges
    own = {query: {target for target, edges in lacking.get(query.name, {}).items() if not edges <= led.get(target, frozenset())} for query in looking.followers}
    with_leads = [query for query in looking.followers if lacking.get(query.name, {}).keys() - own[query]]
    alone = [query for query in looking.followers if own[query]]
    every = _every_block(looking.edges)
    found = _found(ask, looking, [(looking.leads, led, every), (alone, set(chain.from_iterable(own.values())), every)])
    blocks = {move.block for move in (*found.appeared, *found.vanished)}
    more = _found(ask, looking, [(with_leads, led, blocks)])
    seen = {(move.counter, move.labels, move.block) for move in (*found.appeared, *found.vanished)}
    new = [tuple(move for move in moves if (move.counter, move.labels, move.block) not in seen) for moves in (more.appeared, more.vanished)]
    return Moves(found.appeared + new[0], found.vanished + new[1])


def with_moves(growths: Mapping[str, Growth], summed: Collection[str], moves: Moves) -> dict[str, Growth]:
    """Differences of sums as what series grew by that are there at both edges: without what appeared, and with what vanished."""
    signs = [(-1.0, move) for move in moves.appeared] + [(1.0, move) for move in moves.vanished]
    found = dict(growths)
    for name in {move.counter for _, move in signs} & set(summed):
        found[name] = _moved(growths[name], [(sign, move) for sign, move in signs if move.counter == name])
    return found


def _moved(growth: Growth, signs: Iterable[tuple[float, Appearance]]) -> Growth:
    rows = {labels: list(row) for labels, row in growth.rows.items()}
    added: dict[tuple[Labels, int], float] = {}
    sizes: dict[tuple[Labels, int], float] = {}
    for sign, move in signs:
        place = group_of(growth.query, move.labels), move.block
        added[place] = added.get(place, 0.0) + sign * move.value
        sizes[place] = sizes.get(place, 0.0) + abs(move.value)
    for (labels, block), value in added.items():
        before = rows[labels][block] if labels in rows else None
        if before is not None and has_edge(growth.query, labels):  # with no series on one side none is there at both
            rows[labels][block] = rounded(before + value, max(abs(before), sizes[labels, block]))
    return replace(growth, rows={labels: tuple(row) for labels, row in rows.items()})


def _lacking(presence: Sequence[Timeline]) -> Lacking:
    found: Lacking = {}
    for series in presence:
        targets = found.setdefault(series.label(COUNTER_LABEL), {})
        target = target_of(series.labels)
        targets[target] = targets.get(target, frozenset()) | {series.label(EDGES_LABEL)}
    return found


def _found(ask: Ask, looking: Looking, wanted: Sequence[tuple[Sequence[AbQuery], Collection[Target], Collection[int]]]) -> Moves:
    """The moves of some counters, at some targets, in some blocks each."""
    asked = [(queries, targets if len(targets) <= _MOST_NAMED else None, run) for queries, targets, blocks in wanted if queries and targets for run in _runs(blocks)]
    if not asked:
        return Moves()
    edges, back_seconds = looking.edges, looking.back_seconds
    appearing = [_over(edges, run, looking.appearing_promql(queries, edges.step_seconds, back_seconds, targets)) for queries, targets, run in asked]
    vanishing = [_over(edges, run, looking.vanishing_promql(queries, targets)) for queries, targets, run in asked]
    outcomes = ask([*appearing, *vanishing])
    return Moves(looking.appearances(outcomes[: len(asked)]), looking.appearances(outcomes[len(asked) :]))


def _over(edges: Edges, run: tuple[int, int], promql: str) -> Question:
    return over_time(promql, edges.ends[run[0]], edges.ends[run[1]], edges.step_seconds)


def _every_block(edges: Edges) -> range:
    return range(0) if edges.whole is None else range(edges.whole[0], edges.whole[1] + 1)


def _runs(blocks: Collection[int]) -> list[tuple[int, int]]:
    """The first and last block of a few runs that hold all blocks, with as little between them as can be."""
    several = sorted(blocks)
    widest = sorted((pair for pair in pairwise(several)), key=lambda pair: pair[0] - pair[1])[: _MOST_RUNS - 1]
    gaps = sorted((sooner, later) for sooner, later in widest if later - sooner > 1)
    starts, ends = [*several[:1], *(later for _, later in gaps)], [*(sooner for sooner, _ in gaps), *several[-1:]]
    return list(zip(starts, ends, strict=True))
