"""Which series come and go between the edges of whole blocks, where sums alone are asked of them: few ever
do, and only of these more is asked.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.counting.growth import COUNTER_LABEL, Growth, Row, has_edge, rounded
from live_dashboards.sources.prometheus.counting.seams import (
    BUCKETS,
    COUNT,
    EDGES_LABEL,
    FINEST_SECONDS,
    Appearance,
    Looking,
    Target,
    group_of,
    target_of,
    targets_in,
)
from live_dashboards.sources.prometheus.exchange import Ask, over_time
from live_dashboards.sources.prometheus.grid import Edges
from live_dashboards.sources.prometheus.reply import Labels, without
from live_dashboards.sources.queries import AbQuery

_MOST_SLICES = 6
# times as long as a series is looked for: after so long one that was away is seen to return
_LONGEST_TURNS = 2
# more targets than this are not named one by one: the question would be longer than what it saves
_MOST_NAMED = 300

# of each counter's targets at how many edges series are there that are not at all of them
Lacking = dict[str, dict[Target, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Moves:
    """The series that appear in whole blocks, and those that vanish, each with its last value before the
    block.
    """

    appeared: tuple[Appearance, ...] = ()
    vanished: tuple[Appearance, ...] = ()


def find_moves(
    ask: Ask, looking: Looking, presence: Sequence[Timeline], growths: Mapping[str, Growth]
) -> Moves:
    """The moves of all counters, by where series are not at every edge.

    Series of sums and buckets that are there at as many edges as one of their target's leads come and go with
    it, so they are looked for in its blocks alone. Of buckets it is not asked how often they are there,
    unless they then do not grow as the number of what they hold.
    """
    lacking = _lacking(presence)
    if looking.told_by_count and COUNT in lacking:
        lacking[BUCKETS] = lacking[COUNT]
    led = _by_target(lacking.get(query.name, {}) for query in looking.leads)
    every = _every_block(looking.edges)
    found = _found(ask, looking, [(looking.leads, led, every)])
    own = {
        query: {
            target
            for target, edges in lacking.get(query.name, {}).items()
            if not edges <= led.get(target, frozenset())
        }
        for query in looking.followers
    }
    alone = [query for query in looking.followers if own[query]]
    with_leads = [query for query in looking.followers if lacking.get(query.name, {}).keys() - own[query]]
    more = _found(
        ask,
        looking,
        [
            (alone, set(chain.from_iterable(own.values())), every),
            *((with_leads, *part) for part in _slices(found)),
        ],
    )
    moves = Moves(
        found.appeared + tuple(dict.fromkeys(more.appeared)),
        found.vanished + tuple(dict.fromkeys(more.vanished)),
    )
    return moves if _is_told(looking, growths, moves) else _with_own_buckets(ask, looking, moves)


def buckets_agree(buckets: Growth, count: Growth) -> bool:
    """Whether the buckets grow as the number of what they hold, in whole blocks: then a target that has one
    of both has the other.

    The last bucket of a histogram holds all, and none more than the next one. Where counters fall only the
    first can be seen.
    """
    by_model: dict[Labels, dict[float, Row]] = {}
    for labels, row in buckets.rows.items():
        of_edges = by_model.setdefault(without(labels, ("le",)), {})
        edge = float(dict(labels)["le"])
        if edge in of_edges:
            return False  # spelt in two ways
        of_edges[edge] = row
    if by_model.keys() != count.rows.keys():
        return False
    return all(
        _agree(dict(sorted(of_edges.items())), count.rows[labels], count.edges)
        for labels, of_edges in by_model.items()
    )


def _agree(of_edges: Mapping[float, Row], count: Row, edges: Edges) -> bool:
    if math.inf not in of_edges:
        return False
    for block in _every_block(edges):
        total, values = count[block], [row[block] for row in of_edges.values()]
        if values[-1] != total:
            return False
        if total is not None and total >= 0:
            known = [value for value in values if value is not None]
            if len(known) < len(values) or known[0] < 0 or known != sorted(known):
                return False
    return True


def _is_told(looking: Looking, growths: Mapping[str, Growth], moves: Moves) -> bool:
    """Whether the moves of the buckets are known by those of the number of what they hold, or are no
    matter.
    """
    if not looking.is_summed or not looking.told_by_count:
        return True
    found = with_moves(growths, (BUCKETS, COUNT), moves)
    return buckets_agree(found[BUCKETS], found[COUNT])


def _with_own_buckets(ask: Ask, looking: Looking, moves: Moves) -> Moves:
    """The moves with those of the buckets asked of them alone."""
    (outcome,) = ask([looking.presence_question(looking.told_by_count)])
    own = _found(ask, looking, [(looking.told_by_count, targets_in(outcome), _every_block(looking.edges))])
    others = [
        tuple(move for move in several if move.counter != BUCKETS)
        for several in (moves.appeared, moves.vanished)
    ]
    return Moves(others[0] + own.appeared, others[1] + own.vanished)


def _slices(found: Moves) -> Iterator[tuple[set[Target], set[int]]]:
    """A few spans of blocks in which some targets move each: what moves with them is looked for there
    alone.
    """
    by_block: dict[int, set[Target]] = {}
    for move in (*found.appeared, *found.vanished):
        by_block.setdefault(move.block, set()).add(move.target)
    blocks = sorted(by_block)
    length = math.ceil(len(blocks) / _MOST_SLICES)
    for start in range(0, len(blocks), max(1, length)):
        part = blocks[start : start + length]
        yield set().union(*(by_block[block] for block in part)), set(part)


def with_moves(growths: Mapping[str, Growth], summed: Collection[str], moves: Moves) -> dict[str, Growth]:
    """Differences of sums as what series grew by that are there at both edges: without what appeared, and
    with what vanished.
    """
    signs = [(-1.0, move) for move in moves.appeared] + [(1.0, move) for move in moves.vanished]
    return dict(growths) | {
        name: _moved(growths[name], [(sign, move) for sign, move in signs if move.counter == name])
        for name in {move.counter for _, move in signs} & set(summed)
    }


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
        # with no series on one side none is there at both
        if before is not None and has_edge(growth.query, labels):
            rows[labels][block] = rounded(before + value, max(abs(before), sizes[labels, block]))
    return replace(growth, rows={labels: tuple(row) for labels, row in rows.items()})


def returns_after_turns(looking: Looking, moves: Moves) -> Iterator[tuple[Target, float]]:
    """Around when a short-lived series is gone: if it stood for another one, that one is back, and was away
    too shortly to be seen to go or to return.
    """
    edges, back_seconds = looking.edges, looking.back_seconds
    if edges.step_seconds > FINEST_SECONDS:
        return
    born: dict[tuple[str, Labels], list[float]] = {}
    for move in moves.appeared:
        born.setdefault((move.counter, move.labels), []).append(edges.ends[move.block])
    for move in moves.vanished:
        gone = edges.ends[move.block] - back_seconds
        if any(
            gone - _LONGEST_TURNS * back_seconds <= begun <= gone + back_seconds
            for begun in born.get((move.counter, move.labels), ())
        ):
            yield from (
                (move.target, moment)
                for moment in (gone, gone + looking.scope.pause_seconds)
                if edges.start_seconds < moment < edges.end_seconds
            )


def _lacking(presence: Sequence[Timeline]) -> Lacking:
    counters = dict.fromkeys(series.label(COUNTER_LABEL) for series in presence)
    told = [
        (series.label(COUNTER_LABEL), {target_of(series.labels): frozenset({series.label(EDGES_LABEL)})})
        for series in presence
    ]
    return {counter: _by_target(edges for name, edges in told if name == counter) for counter in counters}


def _by_target(several: Iterable[Mapping[Target, frozenset[str]]]) -> dict[Target, frozenset[str]]:
    """The numbers of edges of each target, of several counters or series together."""
    found: dict[Target, frozenset[str]] = {}
    for target, edges in chain.from_iterable(each.items() for each in several):
        found[target] = found.get(target, frozenset()) | edges
    return found


def _found(
    ask: Ask,
    looking: Looking,
    wanted: Sequence[tuple[Sequence[AbQuery], Collection[Target], Collection[int]]],
) -> Moves:
    """The moves of some counters, at some targets, in some blocks each."""
    asked = [
        (queries, targets if len(targets) <= _MOST_NAMED else None, (min(blocks), max(blocks)))
        for queries, targets, blocks in wanted
        if queries and targets
    ]
    if not asked:
        return Moves()
    edges = looking.edges
    outcomes = ask(
        [
            over_time(
                looking.appearing_promql(
                    queries, edges.step_seconds, looking.back_seconds, targets, is_vanishing=is_vanishing
                ),
                edges.ends[first],
                edges.ends[last],
                edges.step_seconds,
            )
            for is_vanishing in (False, True)
            for queries, targets, (first, last) in asked
        ]
    )
    return Moves(looking.appearances(outcomes[: len(asked)]), looking.appearances(outcomes[len(asked) :]))


def _every_block(edges: Edges) -> range:
    return range(0) if edges.whole is None else range(edges.whole[0], edges.whole[1] + 1)
