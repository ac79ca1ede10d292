"""The server's differences put right at their seams: with what a series held when it was first seen, and what
a counter held when it fell.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise

from live_dashboards.sources.prometheus.counting.births import Birth, Restart, Rules, Unseen
from live_dashboards.sources.prometheus.counting.growth import (
    Growth,
    block_questions,
    by_block,
    counted_selector,
    differences_promql,
    has_edge,
    increase_promql,
    lacking,
)
from live_dashboards.sources.prometheus.counting.moves import find_moves, returns_after_turns, with_moves
from live_dashboards.sources.prometheus.counting.raw import RawReader
from live_dashboards.sources.prometheus.counting.samples import SeriesKey
from live_dashboards.sources.prometheus.counting.seams import (
    Appearance,
    Looking,
    Seams,
    Target,
    counted_by,
    group_of,
    metric_of,
    narrowed,
    target_of,
)
from live_dashboards.sources.prometheus.counting.stretches import Seen, Stretch, affordable, find_stretches
from live_dashboards.sources.prometheus.exchange import Ask, Question
from live_dashboards.sources.prometheus.grid import SAME_MOMENT_SECONDS
from live_dashboards.sources.prometheus.reply import Labels, Outcome, failure_in, series_in, without
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import AbQuery

Rows = dict[Labels, dict[int, float]]


class Repair:
    """Puts right what the growths of a scope's ranges miss; raw samples that were read for one range serve
    the next.
    """

    def __init__(self, ask: Ask, scope: Scope, queries: Iterable[AbQuery]) -> None:
        self.ask = ask
        self._ask = _Watched(ask)
        self._scope = scope
        self._reader = RawReader(
            self._ask, scope, [query for query in queries if query.is_growth and scope.can_ask(query)]
        )
        self.estimated: dict[Target, None] = {}

    def seen(
        self,
        looking: Looking,
        outcomes: Sequence[Outcome],
        growths: Mapping[str, Growth],
        summed: Collection[str],
    ) -> Seen:
        """What there is to be put right, by the outcomes of the first look, with the raw samples read;
        `summed` names growths that are differences of sums.
        """
        seams = looking.found(self._ask, outcomes)
        if seams.failure is not None:
            return Seen(looking, growths, failure=seams.failure)
        moves = find_moves(self._ask, looking, seams.presence, growths)
        growths = with_moves(growths, summed, moves)
        respelt = [
            query for query in looking.raw if "le" in query.labels and _is_respelt(growths[query.name])
        ]
        appearances = seams.appearances + moves.appeared + self._followers(looking, seams, respelt)
        if not appearances and not seams.restless:
            return Seen(looking, growths)
        returns = [*returns_after_turns(looking, moves)]
        stretches, too_restless = affordable(
            find_stretches(self._ask, looking, appearances, seams.restless, respelt, returns=returns),
            self._scope.pause_seconds,
        )
        self._reader.read(looking, stretches, with_births=bool(appearances))
        estimated = {
            query.name: self._estimated(looking, query, too_restless, growths[query.name])
            for query in looking.raw
        }
        return Seen(looking, {**growths, **estimated}, appearances, stretches)

    def repaired(self, seen: Seen) -> dict[str, Growth]:
        """The growths with what the seams add to them in that range; what could not be looked at makes them
        unknown, as they may be wrong.
        """
        failure = seen.failure or self._ask.failure
        if failure is not None:
            raw, reason = (
                {query.name for query in seen.looking.raw},
                f"where its series begin and restart could not be asked: {failure}",
            )
            return {
                name: lacking(growth, reason) if name in raw and growth.reason is None else growth
                for name, growth in seen.growths.items()
            }
        if not seen.appearances and not seen.stretches:
            return dict(seen.growths)
        added = {query.name: _Added() for query in seen.looking.raw}
        rules = Rules(self._reader.samples, seen.looking.edges.start_seconds, self._reader.remembered)
        born = self._add_births(seen.looking, rules, seen.appearances, added)
        for query in seen.looking.raw:
            own = added[query.name]
            taken = self._add_turns(seen.looking, rules, query, seen.stretches, born, added=own)
            self._add_restarts(seen.looking, rules, query, seen.stretches, born | taken, added=own)
            if self._scope.copy_labels:
                self._add_late_news(seen.looking, query, seen.stretches, own)
        return {
            name: _with(growth, added[name]) if name in added else growth
            for name, growth in seen.growths.items()
        }

    def _estimated(
        self, looking: Looking, query: AbQuery, targets: frozenset[Target], growth: Growth
    ) -> Growth:
        """With the server's own, extrapolated `increase` of each block of targets that restart so often that
        their samples are too many to be read.
        """
        if not targets:
            return growth
        added = _Added()
        self.estimated.update(dict.fromkeys(sorted(targets)))
        scope, selector = self._scope, narrowed(counted_selector(self._scope, query), targets)
        for sign, promql in (
            (1.0, partial(increase_promql, scope, query, selector)),
            (-1.0, partial(differences_promql, scope, query, selector, looking.back_seconds)),
        ):
            found = series_in(*self._ask(block_questions(looking.edges, promql)))
            for series, block, value in by_block(found, looking.edges):
                if has_edge(query, series.labels):
                    _add(added.low, series.labels, block, sign * value)
        return _with(growth, added)

    def _followers(
        self, looking: Looking, seams: Seams, respelt: Sequence[AbQuery]
    ) -> tuple[Appearance, ...]:
        """The appearances of sums and buckets, where their targets have new series or their edges are spelt
        anew.
        """
        targets = {appearance.target for appearance in seams.appearances}
        following = [query for query in looking.followers if query not in respelt]
        questions = looking.appearance_questions(following, targets) if targets and following else []
        if respelt:
            questions += looking.appearance_questions(respelt)
        return looking.appearances(self._ask(questions)) if questions else ()

    def _add_births(
        self,
        looking: Looking,
        rules: Rules,
        appearances: Sequence[Appearance],
        added: Mapping[str, _Added],
    ) -> set[tuple[SeriesKey, float]]:
        queries = {query.name: query for query in looking.raw}
        born: set[tuple[SeriesKey, float]] = set()
        for appearance in (each for each in appearances if has_edge(queries[each.counter], each.labels)):
            query = queries[appearance.counter]
            begin, end = looking.edges.moments[appearance.block : appearance.block + 2]
            birth = self._birth(SeriesKey(metric_of(query, self._scope), appearance.labels), begin, end)
            if birth is not None:
                born.add((birth.key, birth.seconds))
            seconds, grown, unseen = (
                (end, 0.0, Unseen(0.0, appearance.value))
                if birth is None
                else (birth.seconds, appearance.value - birth.value, rules.unseen(birth))
            )
            block, labels = looking.edges.block_of(seconds), group_of(query, appearance.labels)
            if block is not None:
                is_bridged = birth is not None and birth.before is not None
                _place(added[query.name], labels, block, grown, unseen, is_bridged=is_bridged)
        return born

    def _birth(self, key: SeriesKey, begin_seconds: float, end_seconds: float) -> Birth | None:
        first = next(iter(self._reader.samples.between(key, begin_seconds, end_seconds)), None)
        if first is None:
            return None
        return Birth(key, *first, before=self._reader.seen_before(key, first[0] - SAME_MOMENT_SECONDS))

    def _add_restarts(
        self,
        looking: Looking,
        rules: Rules,
        query: AbQuery,
        stretches: Sequence[Stretch],
        seen: set[tuple[SeriesKey, float]],
        *,
        added: _Added,
    ) -> None:
        """What each counter held just before it fell or its process may have begun anew, in the block in
        which it was seen again.
        """
        restarts_of: dict[SeriesKey, tuple[float, ...]] = {}
        for key, stretch in self._counted_in(query, stretches):
            is_returning = target_of(key.labels) in stretch.returning
            if key not in restarts_of:
                restarts_of[key] = rules.restarts(key)
            restarts = restarts_of[key]
            for (sooner, before), (later, after) in pairwise(self._points(key, stretch)):
                may_restart = is_returning or any(sooner < moment <= later for moment in restarts)
                restart = (
                    Restart.SURE
                    if after < before
                    else rules.restarted(key, sooner, later)
                    if may_restart
                    else Restart.NONE
                )
                block = None if restart is Restart.NONE else looking.edges.block_of(later)
                if block is not None and before > 0 and (key, later) not in seen:
                    seen.add((key, later))
                    rows = added.low if restart is Restart.SURE else added.more
                    _add(rows, group_of(query, key.labels), block, before)

    def _add_turns(
        self,
        looking: Looking,
        rules: Rules,
        query: AbQuery,
        stretches: Sequence[Stretch],
        born: set[tuple[SeriesKey, float]],
        *,
        added: _Added,
    ) -> set[tuple[SeriesKey, float]]:
        """Where a series was away for so short a while that the server took it to be there, and another one
        stood in its place: both have counted the while.
        """
        taken: set[tuple[SeriesKey, float]] = set()
        for key, stretch in self._counted_in(query, stretches):
            neighbours_seconds = rules.neighbours_seconds(key)
            for before, (later, after) in pairwise(self._points(key, stretch)):
                if (
                    later - before[0] <= neighbours_seconds
                    or after < before[1]
                    or (key, later) in born
                    or (key, later) in taken
                ):
                    continue
                block, since = (
                    looking.edges.block_of(later),
                    rules.since_meanwhile(Birth(key, later, after, before), *before),
                )
                if block is not None and since is not None:
                    taken.add((key, later))
                    _add(added.low, group_of(query, key.labels), block, since.low - (after - before[1]))
                    _add(added.more, group_of(query, key.labels), block, since.high - since.low)
        return taken

    def _counted_in(
        self, query: AbQuery, stretches: Sequence[Stretch]
    ) -> Iterator[tuple[SeriesKey, Stretch]]:
        """The series that a counter adds up, with each stretch in which they were read."""
        is_counted = counted_by(query, self._scope)
        by_target: dict[Target, list[Stretch]] = {}
        for stretch in stretches:
            for target in stretch.targets:
                by_target.setdefault(target, []).append(stretch)
        for key in self._reader.samples.of_metric(metric_of(query, self._scope)):
            if is_counted(key) and has_edge(query, key.labels):
                yield from ((key, stretch) for stretch in by_target.get(target_of(key.labels), ()))

    def _add_late_news(
        self, looking: Looking, query: AbQuery, stretches: Sequence[Stretch], added: _Added
    ) -> None:
        """Where a copy had not seen a restart yet at an edge between two blocks, the server took its value
        for the newest one: in both blocks it is another.
        """
        samples, moments, seen = self._reader.samples, looking.edges.moments, set[tuple[SeriesKey, int]]()
        for key, stretch in self._counted_in(query, stretches):
            for index in range(
                bisect_left(moments, stretch.begin_seconds), bisect_right(moments, stretch.end_seconds)
            ):
                since = moments[index] - self._scope.shortest_rate_seconds
                newest, said = (
                    samples.newest(key, moments[index]),
                    samples.greatest_newest(key, since, moments[index]),
                )
                if (
                    newest is None
                    or newest[0] <= since
                    or said is None
                    or said == newest[1]
                    or (key, index) in seen
                ):
                    continue
                seen.add((key, index))
                for block, value in self._at_edge(looking, key, index, newest[1] - said):
                    _add(added.low, group_of(query, key.labels), block, value)

    def _at_edge(
        self, looking: Looking, key: SeriesKey, index: int, more: float
    ) -> Iterator[tuple[int, float]]:
        """What the blocks at an edge grew by if a series' value there was more: the one that ends there by so
        much more, the one that begins there by less.
        """
        if index > 0:
            yield index - 1, more
        if index < len(looking.edges.ends):
            end = looking.edges.ends[index]
            newest = self._reader.samples.newest(key, end)
            # else it is not there any more, and the block does not count it
            if newest is not None and newest[0] > end - looking.back_seconds:
                yield index, -more

    def _points(self, key: SeriesKey, stretch: Stretch) -> list[tuple[float, float]]:
        """The samples of a stretch; of a target that returns in it also what was seen last before its
        pause.
        """
        points = self._reader.samples.between(
            key, stretch.first_seconds - SAME_MOMENT_SECONDS, stretch.end_seconds
        )
        if (
            not points
            or target_of(key.labels) not in stretch.returning
            or points[0][0] < stretch.begin_seconds
        ):
            return points
        before = self._reader.seen_before(key, points[0][0] - SAME_MOMENT_SECONDS)
        return points if before is None else [before, *points]


class _Watched:
    """Asks as `ask` does, and keeps the reason of the first failure: raw samples are read once for all
    ranges, so it is one of all of them.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.failure: str | None = None

    def __call__(self, questions: list[Question]) -> tuple[Outcome, ...]:
        outcomes = self._ask(questions)
        self.failure = self.failure or failure_in(outcomes)
        return outcomes


@dataclass(frozen=True, slots=True)
class _Added:
    """What is added to a counter, by labels and block: for sure, maybe more, and within pauses."""

    low: Rows = field(default_factory=dict)
    more: Rows = field(default_factory=dict)
    bridged: Rows = field(default_factory=dict)


def _place(
    added: _Added, labels: Labels, block: int, grown: float, unseen: Unseen, *, is_bridged: bool
) -> None:
    """Add a series' growth after its first sample, and what it had counted unseen, maybe in a pause."""
    _add(added.low, labels, block, grown + (0.0 if is_bridged else unseen.low))
    if is_bridged:
        _add(added.bridged, labels, block, unseen.low)
    if unseen.high > unseen.low:
        _add(added.more, labels, block, unseen.high - unseen.low)


def _add(rows: Rows, labels: Labels, block: int, value: float) -> None:
    row = rows.setdefault(labels, {})
    row[block] = row.get(block, 0.0) + value


def _is_respelt(growth: Growth) -> bool:
    """Whether one bucket edge of a model stands there in two spellings."""
    edges = {(without(labels, ("le",)), float(dict(labels)["le"])) for labels in growth.rows}
    return len(edges) < len(growth.rows)


def _with(growth: Growth, added: _Added) -> Growth:
    if growth.reason is not None:
        return growth
    blocks = len(growth.edges.ends)
    rows = {labels: list(row) for labels, row in growth.rows.items()}
    for labels, low in added.low.items():
        row = rows.setdefault(labels, [None] * blocks)
        for block, value in low.items():
            row[block] = (row[block] or 0.0) + value
    return replace(
        growth,
        rows={labels: tuple(row) for labels, row in rows.items()},
        more=_dense(added.more, blocks),
        bridged=_dense(added.bridged, blocks),
    )


def _dense(rows: Rows, blocks: int) -> dict[Labels, tuple[float, ...]]:
    return {labels: tuple(row.get(block, 0.0) for block in range(blocks)) for labels, row in rows.items()}
