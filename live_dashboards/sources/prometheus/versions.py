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

_RESTARTS = "restarts"
_LABELS = (MODEL_LABEL, *VERSION_LABELS)
VERSIONS = AbQuery(
    "model_versions",
    f"count by ({', '.join(_LABELS)}) (last_over_time({REQUESTS}{{$experiment}}[$rate]))",
    "count",
    _LABELS,
)


def read_changes(ask: Ask, scope: Scope, accumulated: Sequence[Accumulated]) -> tuple[Answer, Answer]:
    """How many series of each model tell each version at the edges of the blocks of the longest period,
    without the series that tell none; and how many instances of each model were started anew in each block,
    as their counters went back.

    What rules have recorded tells neither, and nothing is asked then.
    """
    longest = min(accumulated, key=lambda each: each.start_seconds, default=None)
    grid = None if longest is None or scope.is_recorded else _grid(longest, scope.at_seconds)
    if grid is None:
        none = Answer(VERSIONS.name, "", VERSIONS.unit, reason="not asked")
        return none, replace(none, name=_RESTARTS)
    queries = (replace(VERSIONS, promql=scope.render(VERSIONS)), _restarts(scope, grid.step_seconds))
    outcomes = ask(
        [
            over_time(each.promql, grid.start_seconds, grid.end_seconds, grid.step_seconds, each.unit)
            for each in queries
        ]
    )
    versions, restarts = (
        timeline_answer(each.name, each, each.promql, outcome, grid)
        for each, outcome in zip(queries, outcomes, strict=True)
    )
    telling = (series for series in versions.series if any(map(series.label, VERSION_LABELS)))
    return replace(versions, series=tuple(telling)), restarts


def _restarts(scope: Scope, step_seconds: float) -> AbQuery:
    """Instances whose counters went back in a block: what is seen from a little before it on, without what
    was seen before it, as a range alone sees nothing between its first sample and the one before.
    """
    selector = render(f"{REQUESTS}{{$experiment}}", matchers=scope.matchers)
    before_seconds = scope.shortest_rate_seconds
    parts = (
        ("seen", "", f"{selector}[{step_seconds + before_seconds:g}s]"),
        ("before", "-", f"{selector}[{before_seconds:g}s] offset {step_seconds:g}s"),
    )
    both = " or ".join(
        f'label_replace({sign}sum by ({MODEL_LABEL}, instance) (resets({span})), "part", "{name}", "", "")'
        for name, sign, span in parts
    )
    anew = f"sum by ({MODEL_LABEL}, instance) ({both}) > 0"
    return AbQuery(_RESTARTS, f"count by ({MODEL_LABEL}) ({anew})", "count", (MODEL_LABEL,))


def _grid(period: Accumulated, at_seconds: float) -> Grid | None:
    """The edges between blocks, which stay where they are as time goes on."""
    step_seconds = period.block("requests").step_seconds
    if not step_seconds:
        return None
    first, last = math.ceil(period.start_seconds / step_seconds), math.floor(at_seconds / step_seconds)
    return Grid(first * step_seconds, last * step_seconds, step_seconds) if first <= last else None
