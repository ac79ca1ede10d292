"""The window cut into blocks of equal length, and what grew in each: the spread between blocks is the uncertainty that buckets and totals do not hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from live_dashboards.model.snapshot import Answer
from live_dashboards.sources.prometheus.answers import timeline_answer
from live_dashboards.sources.prometheus.exchange import Question, over_time
from live_dashboards.sources.prometheus.grid import Grid, nice_step_seconds
from live_dashboards.sources.prometheus.reply import Outcome
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.prometheus.totals import TOTALS

_BLOCKS = 96  # a day in quarters of an hour
_QUERIES = tuple(query for query in TOTALS if query.name in {"requests", "errors", "latency_sum", "latency_count"})


def block_grid(scope: Scope) -> Grid:
    """The ends of the blocks, which cover the window without gap or overlap; each is long enough for two samples."""
    step_seconds = nice_step_seconds(max(scope.window_seconds / _BLOCKS, scope.shortest_rate_seconds))
    blocks = max(1, int(scope.window_seconds / step_seconds + 1e-9))
    return Grid(scope.counts_at_seconds - (blocks - 1) * step_seconds, scope.counts_at_seconds, step_seconds)


def block_questions(scope: Scope) -> dict[str, Question]:
    """The growth of each counter within each block, by the names `block <total>`."""
    grid, each = block_grid(scope), _of_a_block(scope)
    asked = [query for query in _QUERIES if scope.can_ask(query)]
    return {f"block {query.name}": over_time(each.render(query), grid.start_seconds, grid.end_seconds, grid.step_seconds, query.unit) for query in asked}


def block_answers(scope: Scope, outcomes: Mapping[str, Outcome]) -> tuple[Answer, ...]:
    """The growth by block, named like the totals; a block without samples is a gap."""
    grid, each = block_grid(scope), _of_a_block(scope)
    return tuple(
        timeline_answer(query.name, query, each.render(query), outcomes[f"block {query.name}"], grid)
        if scope.can_ask(query)
        else Answer(query.name, "", query.unit, reason=scope.errors_reason, step_seconds=grid.step_seconds)
        for query in _QUERIES
    )


def _of_a_block(scope: Scope) -> Scope:
    return replace(scope, window_seconds=block_grid(scope).step_seconds)
