"""Where the server's differences miss something: the blocks in which a series appears, and the targets whose counters fall or whose process begins anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from live_dashboards.errors import SourceError
from live_dashboards.model.duration import format_exact_duration
from live_dashboards.sources.prometheus.counting.edges import Edges, edges_of
from live_dashboards.sources.prometheus.counting.growth import (
    COUNTER_LABEL,
    Labels,
    counted_selector,
    grown_promql,
    is_recorded,
    joined,
    labels_of,
    once,
    with_matchers,
)
from live_dashboards.sources.prometheus.counting.samples import PROCESS_START
from live_dashboards.sources.prometheus.exchange import Question, instant, over_time
from live_dashboards.sources.prometheus.reply import Outcome
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import AbQuery, quoted

FINEST_SECONDS = 300.0
_FOLLOWERS = frozenset({"latency_sum", "latency_buckets", "latency_within"})  # begin and restart with the number of what they hold
_MOST_TARGETS = 1000
_TARGET = ("job", "instance")

Ask = Callable[[list[Question]], tuple[Outcome, ...]]
Target = tuple[str, str]  # job, instance


@dataclass(frozen=True, slots=True)
class Appearance:
    """A series of a counter that is there at the end of a block, with its value then, and was not at the block's beginning."""

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
    """What was found in a range, by blocks of `edges`: appearances, and the targets whose counters restart. `told` says what could not be looked at."""

    edges: Edges
    appearances: tuple[Appearance, ...] = ()
    restless: frozenset[Target] = frozenset()
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Looking:
    """The questions after seams of some counters in a range."""

    scope: Scope
    queries: tuple[AbQuery, ...]
    range: Edges
    edges: Edges = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", at_least(self.range, FINEST_SECONDS))

    @property
    def raw(self) -> tuple[AbQuery, ...]:
        """The counters of which instances' own series are read."""
        return tuple(query for query in self.queries if not is_recorded(self.scope, query))

    @property
    def leads(self) -> tuple[AbQuery, ...]:
        """Those that are looked at first: the others begin and restart with them."""
        return tuple(query for query in self.raw if query.name not in _FOLLOWERS)

    @property
    def back_seconds(self) -> float:
        """How far before a moment a series is looked for."""
        return max(self.edges.step_seconds, self.scope.shortest_rate_seconds)

    def questions(self) -> list[Question]:
        """The first look: which series of the leads appear in which block, whose counters fall anywhere in the range, and which targets there are."""
        if not self.leads:
            return []
        span = format_exact_duration(self.range.end_seconds - self.range.start_seconds + self.back_seconds)
        falls = joined((query.name, f"(resets({counted_selector(self.scope, query)}[{span}]) > 0)") for query in self.leads)
        targets = f"count by (job, instance) (count_over_time({counted_selector(self.scope, self.leads[0])}[{span}]))"
        return [instant(falls, self.range.end_seconds), instant(targets, self.range.end_seconds), *self.appearance_questions(self.leads)]

    def appearance_questions(self, queries: Sequence[AbQuery], targets: Iterable[Target] | None = None) -> list[Question]:
        """After the series of these counters, at these targets, that appear in each block."""
        found = [] if self.edges.whole is None else [self._appearing_over_time(queries, *self.edges.whole, targets)]
        return [*found, *(self._appearing(queries, block, targets) for block in self.edges.shorter)]

    def appearances(self, outcomes: Sequence[Outcome]) -> tuple[Appearance, ...]:
        """What these questions found."""
        names = {query.name for query in self.raw}
        every = (series for outcome in outcomes if not isinstance(outcome, SourceError) for series in outcome.series if series.label(COUNTER_LABEL) in names)
        return tuple(
            Appearance(series.label(COUNTER_LABEL), labels_of(series.labels), block, value)
            for series in every
            for seconds, value in series.points
            if value is not None and (block := self.edges.block_of(seconds)) is not None
        )

    def found(self, ask: Ask, outcomes: Sequence[Outcome]) -> Seams:
        """The seams by the first look, and by a second one at the starts of processes."""
        if not outcomes:
            return Seams(self.edges)
        falls, targets, *appearing = outcomes
        failures = dict.fromkeys(str(outcome) for outcome in outcomes if isinstance(outcome, SourceError))
        restless = set() if isinstance(falls, SourceError) else {target_of(series.labels) for series in falls.series}
        known = [] if isinstance(targets, SourceError) else [target_of(series.labels) for series in targets.series]
        return Seams(
            self.edges,
            self.appearances(appearing),
            frozenset(restless | self._restarted(ask, known)),
            tuple(f"where counters begin and restart could not be asked, so counts may be too low: {failure}" for failure in failures),
        )

    def _restarted(self, ask: Ask, targets: Sequence[Target]) -> set[Target]:
        """The targets whose process began anew in the range: a counter may be as high as before when it is seen again."""
        named = [target for target in targets if target[1]]
        if not named or len(named) > _MOST_TARGETS:
            return set()
        span = format_exact_duration(self.range.end_seconds - self.range.start_seconds + self.back_seconds)
        (outcome,) = ask([instant(f"changes({PROCESS_START}{{{matchers(named)}}}[{span}]) > 0", self.range.end_seconds)])
        return set() if isinstance(outcome, SourceError) else {target_of(series.labels) for series in outcome.series} & set(named)

    def _appearing_over_time(self, queries: Sequence[AbQuery], first: int, last: int, targets: Iterable[Target] | None) -> Question:
        ends, step_seconds = self.edges.ends, self.edges.step_seconds
        return over_time(self.appearing_promql(queries, step_seconds, self.back_seconds, targets), ends[first], ends[last], step_seconds)

    def _appearing(self, queries: Sequence[AbQuery], block: int, targets: Iterable[Target] | None) -> Question:
        return instant(self.appearing_promql(queries, self.edges.length_seconds(block), self.back_seconds, targets), self.edges.ends[block])

    def appearing_promql(self, queries: Sequence[AbQuery], length_seconds: float, back_seconds: float, targets: Iterable[Target] | None) -> str:
        """The series of these counters that are there, and were not a block before."""
        length, back = format_exact_duration(length_seconds), format_exact_duration(back_seconds)
        return joined((query.name, self._appears(narrowed(counted_selector(self.scope, query), targets), length, back)) for query in queries)

    def _appears(self, selector: str, length: str, back: str) -> str:
        """What is there and has not grown since a block before, as it was not there: what one copy counts through is no seam."""
        there = once(self.scope, selector, lambda each: f"last_over_time({each}[{back}])")
        grown = once(self.scope, selector, lambda each: f"last_over_time({each}[{back}] offset {length})")
        if not self.scope.copies:
            return f"({there} unless {grown})"
        both = once(self.scope, selector, lambda each: grown_promql(each, back, length))
        return f"(({there}) unless ignoring ({', '.join(self.scope.copy_labels)}) ({both}))"


def at_least(edges: Edges, step_seconds: float) -> Edges:
    """The range in blocks of at least that length."""
    return edges if edges.step_seconds >= step_seconds else edges_of(edges.start_seconds, edges.end_seconds, step_seconds)


def target_of(labels: Labels) -> Target:
    """Where a series is scraped."""
    named = dict(labels)
    return named.get("job", ""), named.get("instance", "")


def matchers(targets: Iterable[Target], *names: str) -> str:
    """Matchers for these targets' labels (unless named: job and instance), which few other targets have."""
    known = [dict(zip(_TARGET, target, strict=True)) for target in targets]
    return ", ".join(f"{name}=~{quoted(_any_of({each[name] for each in known}))}" for name in names or _TARGET)


def narrowed(selector: str, targets: Iterable[Target] | None) -> str:
    """The selector with these targets alone; with all where none are given."""
    if targets is None:
        return selector
    return with_matchers(selector, [matchers(targets)])


def _any_of(values: Iterable[str]) -> str:
    return "|".join(re.escape(value) for value in sorted(values))
