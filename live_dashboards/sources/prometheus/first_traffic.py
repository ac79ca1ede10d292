"""When each model first had traffic: one coarse look over the stored history, then a fine one at each model's first hour."""

from __future__ import annotations

from collections.abc import Iterable

from live_dashboards.errors import SourceError
from live_dashboards.sources.prometheus.exchange import Question, over_time
from live_dashboards.sources.prometheus.recorded import STEPS
from live_dashboards.sources.prometheus.reply import Reply
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import EXPERIMENT_LABEL, REQUESTS, quoted

LONGEST_HISTORY_SECONDS = 90 * 86_400.0
_COARSE_SECONDS = 3600.0
_FINE_SECONDS = 15.0


def coarse_question(scope: Scope) -> Question:
    """Which hours had traffic, in the 90 days before the moment or as far as the server remembers."""
    return over_time(_promql(scope, "1h"), scope.at_seconds - LONGEST_HISTORY_SECONDS, scope.at_seconds, _COARSE_SECONDS)


def fine_questions(coarse: Reply, scope: Scope) -> tuple[Question, ...]:
    """For each model, the hour before it was first seen."""
    firsts = ((series.label("model_name"), series.points[0][0]) for series in coarse.series if series.points)
    return tuple(over_time(_promql(scope, "5m", model), first - _COARSE_SECONDS, first, _FINE_SECONDS) for model, first in firsts)


def first_traffic(outcomes: Iterable[Reply | SourceError]) -> tuple[tuple[str, float], ...]:
    """The first moment (unix seconds, to 15 s) of each model; of recorded steps the end of the first one with traffic."""
    found: dict[str, float] = {}
    for outcome in outcomes:
        for series in () if isinstance(outcome, SourceError) else outcome.series:
            model, first_seconds = series.label("model_name"), series.points[0][0]
            found[model] = min(first_seconds, found.get(model, first_seconds))
    return tuple(sorted(found.items()))


def _promql(scope: Scope, span: str, model: str | None = None) -> str:
    labels = {EXPERIMENT_LABEL: scope.experiment, "model_name": model}
    matchers = ", ".join(f"{name}={quoted(value)}" for name, value in labels.items() if value is not None)
    if scope.is_recorded:
        return f"sum by (model_name) (sum_over_time({STEPS[REQUESTS]}{{{matchers}}}[{span}])) > 0"
    return f"max by (model_name) ({REQUESTS}{{{matchers}}}) > 0"
