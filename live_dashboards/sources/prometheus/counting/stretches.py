"""What was seen of some counters in a range: the growth at each block's two edges, where series appear, and
the stretches of time around all seams: short ones, so that few raw samples tell all.

Nothing of it depends on where the range begins, so a range that is longer or shorter is put together from
what was seen of its parts; what the seams add does depend on it, and is worked out for each range (see
`repair`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise

from live_dashboards.model.moment import format_exact_duration
from live_dashboards.sources.prometheus.counting.growth import (
    Growth,
    Row,
    block_promql,
    counted_selector,
    lookback_seconds,
)
from live_dashboards.sources.prometheus.counting.samples import PROCESS_START
from live_dashboards.sources.prometheus.counting.seams import (
    FINEST_SECONDS,
    Appearance,
    Looking,
    Target,
    narrowed,
    target_matchers,
    target_of,
)
from live_dashboards.sources.prometheus.exchange import Ask, Question, over_time
from live_dashboards.sources.prometheus.grid import SAME_MOMENT_SECONDS, Edges
from live_dashboards.sources.prometheus.reply import Labels, series_in
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import AbQuery

_SERIES_OF_A_TARGET = 24
_MOST_SAMPLES_AT_ONCE = 30_000
# at most some 50 MB of JSON, as a target that begins has samples of a part of its stretches
_MOST_SAMPLES = 2_000_000
_SHARED_SECONDS = 7200.0
_MOST_LOOKS = 20_000  # of a target at a moment, in one question
_LONGEST_SPAN_SECONDS = 30 * 86_400.0  # in pieces of five minutes: an API refuses more than 11,000 points

Span = tuple[float, float]
Pieces = dict[int, set[Target]]  # which targets have a seam in which five minutes since 1970


@dataclass(frozen=True, slots=True)
class Seen:
    """`growths` by the names of their queries, before anything is added at the seams; `failure` says why
    seams could not be looked at.
    """

    looking: Looking
    growths: Mapping[str, Growth]
    appearances: tuple[Appearance, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    failure: str | None = None


def seen_of(
    seen: Seen, scope: Scope, queries: Mapping[AbQuery, AbQuery], is_own: Callable[[AbQuery, Labels], bool]
) -> Seen:
    """What was seen of some counters: of each query the series that are its own of those that the other one
    has asked for.
    """
    growths, appearances = {}, []
    for query, asked in queries.items():
        growth = seen.growths[asked.name]
        promql = block_promql(scope, query, growth.edges.step_seconds, lookback_seconds(scope, growth.edges))
        growths[query.name] = replace(
            growth,
            query=query,
            promql=promql,
            rows={labels: row for labels, row in growth.rows.items() if is_own(query, labels)},
        )
        appearances += [
            replace(each, counter=query.name)
            for each in seen.appearances
            if each.counter == asked.name and is_own(query, each.labels)
        ]
    return replace(
        seen,
        looking=replace(seen.looking, scope=scope, queries=tuple(queries)),
        growths=growths,
        appearances=tuple(appearances),
    )


def seen_since(seen: Seen, start_seconds: float) -> Seen:
    """What was seen after an edge of the blocks."""
    edges = seen.looking.edges
    first = next(
        index for index, moment in enumerate(edges.moments) if moment >= start_seconds - SAME_MOMENT_SECONDS
    )
    if first == 0:
        return seen
    later = Edges(edges.moments[first:], edges.step_seconds)
    growths = {
        name: replace(growth, edges=later, rows={labels: row[first:] for labels, row in growth.rows.items()})
        for name, growth in seen.growths.items()
    }
    appearances = tuple(
        replace(each, block=each.block - first) for each in seen.appearances if each.block >= first
    )
    return Seen(
        replace(seen.looking, edges=later),
        growths,
        appearances,
        tuple(stretch for stretch in seen.stretches if stretch.end_seconds > later.start_seconds),
        seen.failure,
    )


def seen_together(sooner: Seen, later: Seen) -> Seen:
    """What was seen of two ranges, of which the second begins where the first ends, as that of one with the
    first one's counters.
    """
    moments = sooner.looking.edges.moments + later.looking.edges.moments[1:]
    edges = Edges(moments, sooner.looking.edges.step_seconds)
    growths = {name: _joined(growth, later.growths[name], edges) for name, growth in sooner.growths.items()}
    shifted = (
        replace(each, block=each.block + len(sooner.looking.edges.ends))
        for each in later.appearances
        if each.counter in growths
    )
    stretches = tuple(dict.fromkeys((*sooner.stretches, *later.stretches)))
    looking = replace(sooner.looking, edges=edges)
    return Seen(looking, growths, (*sooner.appearances, *shifted), stretches, sooner.failure or later.failure)


def _joined(sooner: Growth, later: Growth, edges: Edges) -> Growth:
    blank: tuple[Row, Row] = ((None,) * len(sooner.edges.ends), (None,) * len(later.edges.ends))
    names: dict[Labels, None] = dict.fromkeys((*sooner.rows, *later.rows))
    rows = {labels: sooner.rows.get(labels, blank[0]) + later.rows.get(labels, blank[1]) for labels in names}
    return replace(sooner, edges=edges, rows=rows, reason=sooner.reason or later.reason)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch that holds seams of some targets; raw samples are read from `first_seconds` on, some scrapes
    before it.

    `returning` are targets that are scraped again after a pause within a block, longer than that; their
    counters have fallen meanwhile.
    """

    first_seconds: float
    begin_seconds: float
    end_seconds: float
    targets: frozenset[Target]
    returning: frozenset[Target] = frozenset()


def find_stretches(
    ask: Ask,
    looking: Looking,
    appearances: Sequence[Appearance],
    restless: frozenset[Target],
    respelt: Sequence[AbQuery],
    *,
    returns: Iterable[tuple[Target, float]] = (),
) -> tuple[Stretch, ...]:
    """Where series appear and where counters of restless targets fall, looked for in the blocks and then in
    pieces of five minutes.

    `returns` are moments of targets at which a series may be back unseen.
    """
    pieces: Pieces = {}
    for index, targets in _births(ask, looking, appearances, respelt):
        pieces.setdefault(index, set()).update(targets)
    for target, seconds in returns:
        pieces.setdefault(_piece(seconds), set()).add(target)
    returning: Pieces = {}
    for target, seconds, is_returning in _restarts(ask, looking, restless) if restless else ():
        pieces.setdefault(_piece(seconds), set()).add(target)
        if is_returning:
            returning.setdefault(_piece(seconds), set()).add(target)
    return tuple(_with_returning(stretch, returning) for stretch in _merged(pieces, looking))


def affordable(
    stretches: Sequence[Stretch], pause_seconds: float
) -> tuple[tuple[Stretch, ...], frozenset[Target]]:
    """The stretches whose samples are few enough to be read, and the targets that have to be left out: those
    with most samples.
    """
    samples: dict[Target, float] = {}
    for stretch in stretches:
        for target in stretch.targets:
            samples[target] = (
                samples.get(target, 0.0)
                + _SERIES_OF_A_TARGET * (stretch.end_seconds - stretch.first_seconds) / pause_seconds
            )
    left_out: set[Target] = set()
    rest = sum(samples.values())
    for target in sorted(samples, key=lambda each: (-samples[each], each)):
        if rest <= _MOST_SAMPLES:
            break
        left_out.add(target)
        rest -= samples[target]
    kept = (
        replace(stretch, targets=stretch.targets - left_out, returning=stretch.returning - left_out)
        for stretch in stretches
    )
    return tuple(stretch for stretch in kept if stretch.targets), frozenset(left_out)


def _births(
    ask: Ask, looking: Looking, appearances: Sequence[Appearance], respelt: Sequence[AbQuery]
) -> Iterator[tuple[int, set[Target]]]:
    by_block: dict[int, set[Target]] = {}
    for appearance in appearances:
        by_block.setdefault(appearance.block, set()).add(appearance.target)
    edges = looking.edges
    if edges.step_seconds <= FINEST_SECONDS:
        yield from ((_piece(edges.ends[block]), targets) for block, targets in by_block.items())
        return
    queries = (*looking.leads, *respelt)
    back_seconds = looking.scope.shortest_rate_seconds
    blocks = [
        (edges.moments[block], edges.ends[block], frozenset(targets))
        for block, targets in sorted(by_block.items())
    ]
    runs = _runs(blocks, lambda begin, end, count: count * (end - begin) / FINEST_SECONDS <= _MOST_LOOKS)
    asked = [
        (looking.appearing_promql(queries, FINEST_SECONDS, back_seconds, targets), (begin, end))
        for begin, end, targets in runs
    ]
    for target, seconds in _found(
        ask, [question for promql, span in asked for question in _over(promql, span, FINEST_SECONDS)]
    ):
        yield _piece(seconds), {target}


def _restarts(
    ask: Ask, looking: Looking, restless: frozenset[Target]
) -> Iterator[tuple[Target, float, bool]]:
    """Where counters of these targets fall, and where their processes begin; also whether they return there
    after a pause.

    Falls are looked for over five minutes more than a series is looked back for: one that has fallen has its
    sample from before in that time, or was not there five minutes ago.
    """
    edges, back_seconds = looking.edges, looking.scope.shortest_rate_seconds
    began = [
        (target, moment)
        for target, seconds in _began(ask, looking, restless)
        for moment in (seconds, seconds + back_seconds)
    ]
    yield from ((target, moment, False) for target, moment in began)  # seen again at a scrape after it
    spans = [(edges.start_seconds, edges.end_seconds)]
    if edges.step_seconds > FINEST_SECONDS:
        coarse = _falls(looking, restless, edges.step_seconds + looking.back_seconds)
        fallen = _found(ask, [*_over(coarse, spans[0], edges.step_seconds)])
        blocks = {edges.block_of(min(seconds, edges.end_seconds)) for _, seconds in chain(fallen, began)}
        spans = list(_spans(edges, sorted(block for block in blocks if block is not None)))
        returns = looking.appearing_promql(looking.leads, FINEST_SECONDS, back_seconds, restless)
        for target, seconds in _found(
            ask, [question for span in spans for question in _over(returns, span, FINEST_SECONDS)]
        ):
            yield target, seconds, True
    fine = _falls(looking, restless, FINEST_SECONDS + back_seconds)
    for target, seconds in _found(
        ask, [question for span in spans for question in _over(fine, span, FINEST_SECONDS)]
    ):
        yield target, seconds, False


def _with_returning(stretch: Stretch, returning: Pieces) -> Stretch:
    there = (
        targets
        for piece, targets in returning.items()
        if stretch.begin_seconds < piece * FINEST_SECONDS <= stretch.end_seconds + FINEST_SECONDS
    )
    return replace(stretch, returning=stretch.targets & frozenset().union(*there))


def _falls(looking: Looking, targets: Iterable[Target], span_seconds: float) -> str:
    """Whose counters fall within a span, or whose process begins anew: counters that are soon as high as
    before fall nowhere.
    """
    span, named = format_exact_duration(span_seconds), list(targets)
    falls = [
        f"(resets({narrowed(counted_selector(looking.scope, query), named)}[{span}]) > 0)"
        for query in looking.leads
    ]
    return " or ".join([*falls, f"(changes({PROCESS_START}{{{target_matchers(named)}}}[{span}]) > 0)"])


def _began(ask: Ask, looking: Looking, targets: Iterable[Target]) -> Iterator[tuple[Target, float]]:
    edges = looking.edges
    span = format_exact_duration(looking.back_seconds)
    promql = f"last_over_time({PROCESS_START}{{{target_matchers(targets)}}}[{span}])"
    questions = _over(
        promql, (edges.start_seconds, edges.end_seconds), max(edges.step_seconds, FINEST_SECONDS)
    )
    for series in series_in(*ask([*questions])):
        moments = {value for _, value in series.points if value is not None}
        yield from (
            (target_of(series.labels), value)
            for value in moments
            if edges.start_seconds < value <= edges.end_seconds
        )


def _found(ask: Ask, questions: list[Question]) -> Iterator[tuple[Target, float]]:
    """The targets of the series that came back, at each of their moments."""
    for series in series_in(*ask(questions)) if questions else ():
        yield from ((target_of(series.labels), seconds) for seconds, _ in series.points)


def _over(promql: str, span: Span, step_seconds: float) -> Iterator[Question]:
    """At the ends of all pieces that the span touches."""
    parts = max(1, math.ceil((span[1] - span[0]) / _LONGEST_SPAN_SECONDS))
    for begin, end in pairwise(
        [*(span[0] + index * _LONGEST_SPAN_SECONDS for index in range(parts)), span[1]]
    ):
        first, last = math.floor(begin / step_seconds) + 1, math.ceil(end / step_seconds)
        yield over_time(promql, first * step_seconds, max(first, last) * step_seconds, step_seconds)


def _spans(edges: Edges, blocks: Iterable[int]) -> Iterator[Span]:
    """Blocks in time order as spans of time, neighbours as one."""
    # neighbours are all as far ahead of their places in the row
    for _, row in groupby(enumerate(blocks), key=lambda placed: placed[1] - placed[0]):
        neighbours = [block for _, block in row]
        yield edges.moments[neighbours[0]], edges.moments[neighbours[-1] + 1]


def _piece(seconds: float) -> int:
    """Which five minutes since 1970 hold the moment, their end included."""
    return math.ceil(seconds / FINEST_SECONDS - 1e-9)


def _merged(pieces: Mapping[int, set[Target]], looking: Looking) -> Iterator[Stretch]:
    """Pieces near each other as one stretch, none of them beyond the range: few questions, each of not too
    many samples.

    No stretch goes over an even hour, so that ranges that overlap share what is read.
    """
    back_seconds, end_seconds, pause_seconds = (
        looking.scope.shortest_rate_seconds,
        looking.edges.end_seconds,
        looking.scope.pause_seconds,
    )

    def is_cheap(begin: float, end: float, count: int) -> bool:
        samples = _SERIES_OF_A_TARGET * count * (end - begin + back_seconds) / pause_seconds
        return samples <= _MOST_SAMPLES_AT_ONCE and begin // _SHARED_SECONDS == (end - 1) // _SHARED_SECONDS

    spans = [
        ((index - 1) * FINEST_SECONDS, index * FINEST_SECONDS, frozenset(targets))
        for index, targets in sorted(pieces.items())
    ]
    for begin, end, targets in _runs(spans, is_cheap):
        if begin < end_seconds:
            yield Stretch(
                begin - back_seconds, begin, _whole_blocks_end(looking.edges, min(end, end_seconds)), targets
            )


def _whole_blocks_end(edges: Edges, seconds: float) -> float:
    """The moment, or the end of the block shorter than a piece that goes on over it: what begins before the
    moment grows until then.
    """
    block = edges.block_of(seconds)
    return seconds if block is None or edges.step_seconds > FINEST_SECONDS else edges.ends[block]


def _runs(
    spans: Iterable[tuple[float, float, frozenset[Target]]], is_cheap: Callable[[float, float, int], bool]
) -> list[tuple[float, float, frozenset[Target]]]:
    """Spans in time order, as few as are cheap (by begin, end and number of targets)."""
    runs: list[tuple[float, float, frozenset[Target]]] = []
    for begin, end, targets in spans:
        since, together = (runs[-1][0], runs[-1][2] | targets) if runs else (begin, targets)
        if runs and is_cheap(since, end, len(together)):
            runs[-1] = since, end, together
        else:
            runs.append((begin, end, targets))
    return runs
