"""What was seen of some counters in a range: the growth at each block's two edges, where series appear, and
the stretches around all seams.

Nothing of it depends on where the range begins, so a range that is longer or shorter is put together from
what was seen of its parts; what the seams add does depend on it, and is worked out for each range (see
`repair`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from live_dashboards.sources.prometheus.counting.edges import SAME_MOMENT_SECONDS, Edges
from live_dashboards.sources.prometheus.counting.growth import Growth, block_promql, lookback_seconds
from live_dashboards.sources.prometheus.counting.samples import Labels
from live_dashboards.sources.prometheus.counting.seams import Appearance, Looking
from live_dashboards.sources.prometheus.counting.stretches import Stretch
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import AbQuery

Row = tuple[float | None, ...]


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
        replace(seen.looking, range=later, edges=later),
        growths,
        appearances,
        _since(seen.stretches, later.start_seconds),
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
    looking = replace(sooner.looking, range=edges, edges=edges)
    return Seen(looking, growths, (*sooner.appearances, *shifted), stretches, sooner.failure or later.failure)


def _joined(sooner: Growth, later: Growth, edges: Edges) -> Growth:
    blank: tuple[Row, Row] = ((None,) * len(sooner.edges.ends), (None,) * len(later.edges.ends))
    names: dict[Labels, None] = dict.fromkeys((*sooner.rows, *later.rows))
    rows = {labels: sooner.rows.get(labels, blank[0]) + later.rows.get(labels, blank[1]) for labels in names}
    return replace(sooner, edges=edges, rows=rows, reason=sooner.reason or later.reason)


def _since(stretches: tuple[Stretch, ...], start_seconds: float) -> tuple[Stretch, ...]:
    return tuple(stretch for stretch in stretches if stretch.end_seconds > start_seconds)
