"""Which bucket edges all instances of a model have, all the time: below another one not all of its requests
are counted, however slow they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from live_dashboards.model.listing import listed
from live_dashboards.model.notices import EDGES_LEFT_OUT, NO_SUM
from live_dashboards.sources.prometheus.counting.edges import Edges
from live_dashboards.sources.prometheus.counting.growth import (
    Growth,
    counted_selector,
    has_edge,
    is_recorded,
    lookback_seconds,
    newest_promql,
    without_rows,
)
from live_dashboards.sources.prometheus.counting.samples import Labels
from live_dashboards.sources.prometheus.exchange import Question, over_time
from live_dashboards.sources.prometheus.grid import multiple_step_seconds
from live_dashboards.sources.prometheus.reply import Outcome, Reply
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import AbQuery

_LOOKS = 8
Counts = dict[str, dict[float, dict[float, float]]]  # how many series, by model, moment and edge


def edges_question(scope: Scope, query: AbQuery, edges: Edges) -> list[Question]:
    """How many series there are of each edge, at some moments of the range; none of recorded steps, which do
    not tell.
    """
    if is_recorded(scope, query):
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
    counts: Counts = {}
    for series in (
        series
        for outcome in outcomes
        if isinstance(outcome, Reply)
        for series in outcome.series
        if series.label("le")
    ):
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

    left_out = {labels for labels in growth.rows if not _is_common(growth, labels, lacking)}
    kept = without_rows(growth, left_out)
    told = (
        f"of the response times of {model} the buckets up to "
        f"{listed([f'{edge:g} s' for edge in sorted(edges)])} "
        f"{EDGES_LEFT_OUT}"
        for model, edges in sorted(lacking.items())
    )
    return kept, tuple(told)


def _is_common(growth: Growth, labels: Labels, lacking: Mapping[str, set[float]]) -> bool:
    named = dict(labels)
    return has_edge(growth.query, labels) and float(named["le"]) not in lacking.get(
        named.get("model_name", ""), set()
    )


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
