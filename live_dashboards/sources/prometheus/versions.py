"""Which model serves under each model name over the test, as far as labels of its series tell, and when its
instances were started anew: looked at from time to time, counted in no total.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from live_dashboards.model.metrics import VERSION_LABELS
from live_dashboards.model.snapshot import Accumulated, Answer
from live_dashboards.sources.prometheus.answers import timeline_answer
from live_dashboards.sources.prometheus.exchange import Ask, over_time
from live_dashboards.sources.prometheus.grid import Grid
from live_dashboards.sources.prometheus.promql import MODEL_LABEL
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import REQUESTS, AbQuery, render

_LABELS = (MODEL_LABEL, *VERSION_LABELS)
VERSIONS = AbQuery(
    "model_versions",
    f"count by ({', '.join(_LABELS)}) (last_over_time({REQUESTS}{{$experiment}}[$rate]))",
    "count",
    _LABELS,
)


def read_versions(ask: Ask, scope: Scope, accumulated: Sequence[Accumulated]) -> Answer:
    """How many series of each model tell each version, at the edges of the blocks of the longest period;
    without the series that tell none.

    What rules have recorded has none of these labels, and nothing is asked then.
    """
    longest = min(accumulated, key=lambda each: each.start_seconds, default=None)
    grid = None if longest is None or scope.is_recorded else _grid(longest, scope.at_seconds)
    if grid is None:
        return Answer(VERSIONS.name, "", VERSIONS.unit, reason="not asked")
    promql = scope.render(VERSIONS)
    question = over_time(promql, grid.start_seconds, grid.end_seconds, grid.step_seconds, VERSIONS.unit)
    answer = timeline_answer(VERSIONS.name, VERSIONS, promql, ask([question])[0], grid)
    telling = (series for series in answer.series if any(map(series.label, VERSION_LABELS)))
    return replace(answer, series=tuple(telling))


def read_restarts(ask: Ask, scope: Scope, accumulated: Sequence[Accumulated]) -> Answer:
    """How many instances of each model were started anew, as their counters went back, in each block of the
    longest period; without the blocks in which none was.

    What rules have recorded tells of no restart, and nothing is asked then.
    """
    longest = min(accumulated, key=lambda each: each.start_seconds, default=None)
    grid = None if longest is None or scope.is_recorded else _grid(longest, scope.at_seconds)
    if grid is None:
        return Answer("restarts", "", "count", reason="not asked")
    selector = render(f"{REQUESTS}{{$experiment}}", matchers=scope.matchers)
    anew = f"max by ({MODEL_LABEL}, instance) (resets({selector}[{grid.step_seconds:g}s])) > 0"
    promql = f"count by ({MODEL_LABEL}) ({anew})"
    question = over_time(promql, grid.start_seconds, grid.end_seconds, grid.step_seconds, "count")
    query = AbQuery("restarts", promql, "count", (MODEL_LABEL,))
    return timeline_answer("restarts", query, promql, ask([question])[0], grid)


def _grid(period: Accumulated, at_seconds: float) -> Grid | None:
    """The edges between blocks, which stay where they are as time goes on."""
    step_seconds = period.block("requests").step_seconds
    if not step_seconds:
        return None
    first, last = math.ceil(period.start_seconds / step_seconds), math.floor(at_seconds / step_seconds)
    return Grid(first * step_seconds, last * step_seconds, step_seconds) if first <= last else None
