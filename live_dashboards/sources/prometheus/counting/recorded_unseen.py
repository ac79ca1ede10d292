"""What recorded steps may hold beyond what they count: series that began with a value of which nothing tells
when it was counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from live_dashboards.errors import SourceError
from live_dashboards.sources.prometheus.counting.edges import Edges
from live_dashboards.sources.prometheus.counting.growth import (
    COUNTER_LABEL,
    Growth,
    block_promql,
    has_edge,
    is_recorded,
    joined,
    labels_of,
    lacking,
    shorter_questions,
    whole_question,
)
from live_dashboards.sources.prometheus.counting.samples import Labels
from live_dashboards.sources.prometheus.exchange import Question
from live_dashboards.sources.prometheus.failed_questions import Ask
from live_dashboards.sources.prometheus.recorded import unseen_form
from live_dashboards.sources.prometheus.reply import Outcome, Reply
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import AbQuery

Rows = dict[str, dict[Labels, list[float]]]


def with_unseen(ask: Ask, scope: Scope, growths: Mapping[str, Growth]) -> dict[str, Growth]:
    """The growths with what each may have grown by beyond, of those whose steps rules have recorded; where
    that cannot be asked, they are not known.
    """
    recorded = {
        name: growth
        for name, growth in growths.items()
        if is_recorded(scope, growth.query) and growth.reason is None
    }
    if not recorded:
        return dict(growths)
    edges = next(iter(recorded.values())).edges
    outcomes = ask(_questions(scope, [growth.query for growth in recorded.values()], edges))
    failure = next((outcome.reason for outcome in outcomes if isinstance(outcome, SourceError)), None)
    if failure is not None:
        reason = f"what its series held when they were first seen could not be asked: {failure}"
        return {
            name: lacking(growth, reason) if name in recorded else growth for name, growth in growths.items()
        }
    more = _more(outcomes, edges)
    return {
        name: replace(growth, more=_of(growth, more.get(name, {}))) if name in recorded else growth
        for name, growth in growths.items()
    }


def _questions(scope: Scope, queries: list[AbQuery], edges: Edges) -> list[Question]:
    """All counters in one question of the whole blocks, and in one of each shorter block."""

    def promql(length_seconds: float) -> str:
        return joined(
            (query.name, f"{unseen_form(block_promql(scope, query, length_seconds, length_seconds))} > 0")
            for query in queries
        )

    return [*whole_question(edges, promql), *shorter_questions(edges, promql)]


def _more(outcomes: Iterable[Outcome], edges: Edges) -> Rows:
    found: Rows = {}
    for series in (series for outcome in outcomes if isinstance(outcome, Reply) for series in outcome.series):
        row = found.setdefault(series.label(COUNTER_LABEL), {}).setdefault(
            labels_of(series.labels), [0.0] * len(edges.ends)
        )
        for seconds, value in series.points:
            block = edges.block_of(seconds)
            if block is not None and value is not None:
                row[block] = value
    return found


def _of(growth: Growth, rows: Mapping[Labels, list[float]]) -> dict[Labels, tuple[float, ...]]:
    return {labels: tuple(row) for labels, row in rows.items() if has_edge(growth.query, labels)}
