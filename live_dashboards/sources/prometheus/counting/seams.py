"""Where the server's differences miss something: the blocks in which a series appears, and the targets whose
counters fall or whose process begins anew; and which raw series a counter adds up there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from live_dashboards.model.guarded import EventCounter
from live_dashboards.model.moment import format_exact_duration
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.counting.growth import (
    COUNTER_LABEL,
    block_questions,
    by_block,
    counted_selector,
    joined,
    labels_of,
    lookback_seconds,
    newest_promql,
    shorter_questions,
    with_matchers,
)
from live_dashboards.sources.prometheus.counting.samples import PROCESS_START, TARGET_LABELS, SeriesKey
from live_dashboards.sources.prometheus.exchange import Ask, Question, instant
from live_dashboards.sources.prometheus.grid import Edges
from live_dashboards.sources.prometheus.promql import joined as all_of
from live_dashboards.sources.prometheus.promql import one_of
from live_dashboards.sources.prometheus.reply import Labels, Outcome, failure_in, series_in
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import AbQuery

FINEST_SECONDS = 300.0
EDGES_LABEL = "edges"  # at how many edges a series is there
BUCKETS, COUNT = "latency_buckets", "latency_count"
# begin and restart with the number of what they hold
FOLLOWERS = frozenset({"latency_sum", BUCKETS, "latency_within"})
_MOST_NAMED = 1000  # of more targets the jobs are named alone

Target = tuple[str, str]  # job, instance

_STATUS = re.compile(r'\bstatus="([^"]*)"')
_EDGES = re.compile(r'\ble=~"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Appearance:
    """A series of a counter that is there at the end of a block, with its value then, and was not at the
    block's beginning.
    """

    counter: str
    labels: Labels
    block: int
    value: float

    @property
    def target(self) -> Target:
        """Where it is scraped."""
        return target_of(self.labels)


@dataclass(frozen=True, slots=True)
class Seams:
    """What was found in a range: appearances, and the targets whose counters restart; or why it could not be
    asked.

    `presence` tells of counters and targets at how many edges series are there that are not at all of them.
    """

    appearances: tuple[Appearance, ...] = ()
    restless: frozenset[Target] = frozenset()
    presence: tuple[Timeline, ...] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Looking:
    """The questions after seams of some counters in a range, by blocks."""

    scope: Scope
    queries: tuple[AbQuery, ...]
    edges: Edges

    @property
    def raw(self) -> tuple[AbQuery, ...]:
        """The counters of which instances' own series are read."""
        return tuple(query for query in self.queries if not self.scope.counts_steps(query))

    @property
    def leads(self) -> tuple[AbQuery, ...]:
        """Those that are looked at first: the others begin and restart with them."""
        return tuple(query for query in self.raw if query.name not in FOLLOWERS)

    @property
    def is_summed(self) -> bool:
        """Whether it is asked first which targets have series that are not there at every edge of whole
        blocks (see `moves`).
        """
        return self.edges.whole is not None

    @property
    def followers(self) -> tuple[AbQuery, ...]:
        """Those that begin and restart with the leads."""
        return tuple(query for query in self.raw if query.name in FOLLOWERS)

    @property
    def back_seconds(self) -> float:
        """How far before a moment a series is looked for."""
        return lookback_seconds(self.scope, self.edges)

    def questions(self) -> list[Question]:
        """The first look: whose counters fall anywhere in the range, which targets there are, which of them
        have series that are not always there.

        In the blocks where that does not tell, also which series of the leads appear.
        """
        if not self.leads:
            return []
        span = format_exact_duration(self.edges.end_seconds - self.edges.start_seconds + self.back_seconds)
        falls = joined(
            (query.name, f"(resets({counted_selector(self.scope, query)}[{span}]) > 0)")
            for query in self.leads
        )
        selector = counted_selector(self.scope, self.leads[0])
        there = (
            newest_promql(self.scope, selector, self.back_seconds)
            if self.is_summed
            else f"count_over_time({selector}[{span}])"
        )
        targets = f"count by (job, instance) ({there})"
        presence = (
            [self.presence_question(query for query in self.raw if query not in self.told_by_count)]
            if self.is_summed
            else []
        )
        return [
            instant(falls, self.edges.end_seconds),
            instant(targets, self.edges.end_seconds),
            *presence,
            *self.appearance_questions(self.leads),
        ]

    def appearance_questions(
        self, queries: Sequence[AbQuery], targets: Iterable[Target] | None = None
    ) -> list[Question]:
        """After the series of these counters, at these targets, that appear in each block of which `moves`
        does not tell.
        """

        def promql(length_seconds: float) -> str:
            return self.appearing_promql(queries, length_seconds, self.back_seconds, targets)

        return (shorter_questions if self.is_summed else block_questions)(self.edges, promql)

    @property
    def told_by_count(self) -> tuple[AbQuery, ...]:
        """The buckets, of which the number of what they hold tells whether they are all there (see
        `moves`).
        """
        return tuple(
            query
            for query in self.raw
            if query.name == BUCKETS and any(each.name == COUNT for each in self.raw)
        )

    def presence_question(self, queries: Iterable[AbQuery]) -> Question:
        """At how many edges of whole blocks the series of each target are there, where it is not at all of
        them.
        """
        assert self.edges.whole is not None  # noqa: S101 is_summed says so
        first, last = self.edges.whole
        step_seconds, blocks = self.edges.step_seconds, last - first + 1
        edges = (
            f"{format_exact_duration((blocks + 0.5) * step_seconds)}:{format_exact_duration(step_seconds)}"
        )

        def lacking(query: AbQuery) -> str:
            newest = newest_promql(self.scope, counted_selector(self.scope, query), self.back_seconds)
            return (
                f'count_values by (job, instance) ("{EDGES_LABEL}", count_over_time({newest}[{edges}]) '
                f"< {blocks + 1})"
            )

        return instant(joined((query.name, lacking(query)) for query in queries), self.edges.ends[last])

    def appearances(self, outcomes: Sequence[Outcome]) -> tuple[Appearance, ...]:
        """What these questions found."""
        names = {query.name for query in self.raw}
        return tuple(
            Appearance(series.label(COUNTER_LABEL), labels_of(series.labels), block, value)
            for series, block, value in by_block(series_in(*outcomes), self.edges)
            if series.label(COUNTER_LABEL) in names
        )

    def found(self, ask: Ask, outcomes: Sequence[Outcome]) -> Seams:
        """The seams by the first look, and by a second one at the starts of processes."""
        failure = failure_in(outcomes)
        if failure is not None or not outcomes:
            return Seams(failure=failure)
        falls, targets, *appearing = outcomes
        presence = series_in(appearing.pop(0)) if self.is_summed else ()
        restarted = self._restarted(
            ask, list(dict.fromkeys(target_of(each.labels) for each in (*series_in(targets), *presence)))
        )
        return Seams(self.appearances(appearing), targets_in(falls) | restarted, presence)

    def _restarted(self, ask: Ask, targets: Sequence[Target]) -> frozenset[Target]:
        """The targets whose process began anew in the range: a counter may be as high as before when it is
        seen again.
        """
        named = [target for target in targets if target[1]]
        if not named:
            return frozenset()
        labels = TARGET_LABELS if len(named) <= _MOST_NAMED else TARGET_LABELS[:1]
        span = format_exact_duration(self.edges.end_seconds - self.edges.start_seconds + self.back_seconds)
        (outcome,) = ask(
            [
                instant(
                    f"changes({PROCESS_START}{{{target_matchers(named, *labels)}}}[{span}]) > 0",
                    self.edges.end_seconds,
                )
            ]
        )
        return targets_in(outcome) & set(named)

    def appearing_promql(
        self,
        queries: Sequence[AbQuery],
        length_seconds: float,
        back_seconds: float,
        targets: Iterable[Target] | None,
        *,
        is_vanishing: bool = False,
    ) -> str:
        """The series of these counters that are there, and were not a block before; or that were there then,
        with their value at that time, and are not.
        """

        def moves(query: AbQuery) -> str:
            selector = narrowed(counted_selector(self.scope, query), targets)
            now = newest_promql(self.scope, selector, back_seconds)
            before = newest_promql(self.scope, selector, back_seconds, length_seconds)
            return f"({before} unless {now})" if is_vanishing else f"({now} unless {before})"

        return joined((query.name, moves(query)) for query in queries)


def target_of(labels: Labels) -> Target:
    """Where a series is scraped."""
    named = dict(labels)
    return named.get("job", ""), named.get("instance", "")


def targets_in(outcome: Outcome) -> frozenset[Target]:
    """Where the series of an outcome are scraped."""
    return frozenset(target_of(series.labels) for series in series_in(outcome))


def target_matchers(targets: Iterable[Target], *names: str) -> str:
    """Matchers for these targets' labels (unless named: job and instance), which few other targets have."""
    known = [dict(zip(TARGET_LABELS, target, strict=True)) for target in targets]
    return all_of(*(one_of(name, {each[name] for each in known}) for name in names or TARGET_LABELS))


def narrowed(selector: str, targets: Iterable[Target] | None) -> str:
    """The selector with these targets alone; with all where none are given."""
    return selector if targets is None else with_matchers(selector, [target_matchers(targets)])


def metric_of(query: AbQuery, scope: Scope) -> str:
    """The metric of a counter's series."""
    return counted_selector(scope, query).partition("{")[0]


def counted_by(query: AbQuery, scope: Scope) -> Callable[[SeriesKey], bool]:
    """What tells whether a series of the scope's experiment is one that the counter adds up."""
    if query.events is not None:
        return _of_events(query.events)
    selector = counted_selector(scope, query)
    metric, status, named = selector.partition("{")[0], _STATUS.search(selector), _EDGES.search(selector)
    edges = None if named is None else {float(text.replace("\\", "")) for text in named[1].split("|")}

    def is_counted(key: SeriesKey) -> bool:
        if key.metric != metric or (status is not None and key.label("status") != status[1]):
            return False
        return edges is None or key.edge in edges

    return is_counted


def _of_events(events: EventCounter) -> Callable[[SeriesKey], bool]:
    def is_counted(key: SeriesKey) -> bool:
        return key.metric == events.metric and all(
            each.holds(key.label(each.label)) for each in events.matchers
        )

    return is_counted


def group_of(query: AbQuery, labels: Labels) -> Labels:
    """The labels under which a series' growth is added up; one that it does not have is left out."""
    return tuple(pair for pair in labels if pair[0] in query.labels and pair[1])
