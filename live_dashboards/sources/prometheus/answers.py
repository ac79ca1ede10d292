"""From Prometheus' replies to named answers: an empty one gets the reason why, a model that never failed gets
its 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from live_dashboards.errors import SourceError
from live_dashboards.model.duration import format_duration
from live_dashboards.model.snapshot import Answer, Timeline
from live_dashboards.sources.prometheus.grid import Grid
from live_dashboards.sources.prometheus.reply import Outcome
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import AbQuery

# how long an instant query still answers with a sample, unless its target is gone; one of just that age only
# before Prometheus 3
LOOKBACK_SECONDS = 300.0
_FINEST_LOOK_SECONDS = 1.0
_LOOKS_IN_WINDOW = 1440  # one a minute over a day: finer costs a second and more on busy machines


def totals_answer(query: AbQuery, promql: str, outcome: Outcome) -> Answer:
    """The answer to an instant question; series without a finite value are left out."""
    return _answer(query, promql, outcome, ())


def timeline_answer(name: str, query: AbQuery, promql: str, outcome: Outcome, grid: Grid) -> Answer:
    """The answer to a question over time, its gaps spelt out."""
    answer = _answer(query, promql, outcome, (grid,))
    return replace(answer, name=name, step_seconds=grid.step_seconds)


def _answer(query: AbQuery, promql: str, outcome: Outcome, grids: tuple[Grid, ...]) -> Answer:
    if isinstance(outcome, SourceError):
        return Answer(query.name, promql, query.unit, reason=outcome.reason)
    placed = (grids[0].spread(series) if grids else series for series in outcome.series)
    shown = (series for series in placed if any(value is not None for _, value in series.points))
    return Answer(query.name, promql, query.unit, tuple(sorted(shown, key=lambda series: series.labels)))


def with_zero_errors(errors: Answer, requests: Answer, scope: Scope) -> Answer:
    """The errors with a 0 for each model that has requests and no series of errors, where one would be
    counted: nothing has failed there yet.
    """
    if errors.reason is not None:
        return errors
    named = {series.label("model_name") for series in errors.series}
    spotless = sorted({series.label("model_name") for series in requests.series} - named - {*scope.uncounted})
    zeros = tuple(Timeline((("model_name", model),), ((scope.at_seconds, 0.0),)) for model in spotless)
    assumed = tuple(model for model in spotless if model in scope.assumed)
    told = tuple(each for each in scope.errors_of_models if each[0] in {*assumed, *scope.uncounted})
    counted = tuple((model, "no failed request was counted") for model in spotless if model not in assumed)
    return replace(
        errors,
        series=(*errors.series, *zeros),
        note=scope.errors_note,
        of_models=(*told, *counted),
        assumed=assumed,
    )


def without_uncounted(answer: Answer, scope: Scope) -> Answer:
    """A timeline of errors without the models of whose errors nobody knows: its 0 would be invented."""
    return replace(
        answer,
        series=tuple(series for series in answer.series if series.label("model_name") not in scope.uncounted),
    )


def merged(newest: Answer, wide: Outcome | None) -> Answer:
    """The newest samples with those that a look over the whole window found; of two the newer one."""
    if wide is None:
        return newest
    if isinstance(wide, SourceError):
        return replace(newest, note=f"older samples could not be looked for: {wide.reason}")
    by_labels = {
        series.labels: series for series in (*wide.series, *newest.series) if series.last is not None
    }
    return replace(newest, series=tuple(by_labels[labels] for labels in sorted(by_labels)))


def last_seen(selector: str, window_seconds: float) -> str:
    """The PromQL for the time of the newest sample in the window, of whatever value."""
    looks = f"[{format_duration(window_seconds)}:{look_step_seconds(window_seconds)}s]"
    return f"max(max_over_time(timestamp({selector}){looks}))"


def look_step_seconds(window_seconds: float) -> int:
    """How finely samples are looked for: a target that is gone hides its last sample after one scrape
    interval.
    """
    return round(max(_FINEST_LOOK_SECONDS, window_seconds / _LOOKS_IN_WINDOW))


def with_reason(answer: Answer, selector: str, scope: Scope, outcomes: Mapping[str, Outcome]) -> Answer:
    """An empty answer with why it is empty; any other one as it is."""
    if answer.series or answer.reason is not None:
        return answer
    outcome, span = outcomes.get(f"seen {selector}"), format_duration(scope.window_seconds)
    if isinstance(outcome, SourceError):
        return replace(answer, reason=f"{selector} gave nothing, and why cannot be told: {outcome.reason}")
    if outcome is None or not outcome.series:
        return replace(answer, reason=f"{selector} has no series in the last {span}")
    newest_seconds = outcome.series[0].last
    age_seconds = 0.0 if newest_seconds is None else scope.at_seconds - newest_seconds
    if answer.step_seconds is None and age_seconds >= LOOKBACK_SECONDS:
        return replace(
            answer,
            reason=f"{selector} was last seen {format_duration(age_seconds)} before; is "
            "its exporter still scraped?",
        )
    return replace(
        answer,
        reason=f"{selector} has samples in the last {span}, but no number to show: only "
        "NaN, or what cannot be, or too few for a rate",
    )
