"""When each model first had traffic: one coarse look over the stored history, then a fine one at each model's
first hour.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from live_dashboards.errors import SourceError
from live_dashboards.model.names import listed
from live_dashboards.model.notices import START_NOT_EXACT
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.exchange import Ask, Question, over_time
from live_dashboards.sources.prometheus.own_series import HISTORY_SECONDS
from live_dashboards.sources.prometheus.promql import MODEL_LABEL, STEPS, joined, one_of
from live_dashboards.sources.prometheus.reply import Outcome, Reply
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import REQUESTS, quoted

_COARSE_SECONDS = 3600.0
_FINE_SECONDS = 15.0
# of the hours since a model was first seen: of one that is seen less often the first hour may have been
# missed
_STEADY_SHARE = 0.9


def coarse_question(scope: Scope) -> Question:
    """Which hours had traffic, in the 90 days before the moment or as far as the server remembers: a look at
    each full hour.
    """
    return over_time(
        _promql(scope, "1h"), scope.at_seconds - HISTORY_SECONDS, scope.at_seconds, _COARSE_SECONDS
    )


@dataclass(frozen=True, slots=True)
class FirstTraffic:
    """The first moment (unix seconds) of each model; of those in `inexact` it may have been earlier, as a
    question failed.
    """

    moments: tuple[tuple[str, float], ...] = ()
    inexact: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """What is told of models whose first moment may have been earlier."""
        return (
            (
                (
                    f"the first traffic of {listed(self.inexact)} {START_NOT_EXACT}: it may be up to an hour "
                    "earlier, or more"
                ),
            )
            if self.inexact
            else ()
        )


def find_first_traffic(
    ask: Ask, scope: Scope, coarse: Outcome | None, models: Collection[str]
) -> FirstTraffic:
    """The first moment of each model, to 15 s; of recorded steps the end of the first one with traffic.

    `models` are those with requests: instances that live for minutes are not seen at full hours, so all
    samples of such a model are looked at.
    """
    if not isinstance(coarse, Reply):
        return FirstTraffic()
    seen = {series.label("model_name"): series for series in coarse.series if series.points}
    rare = sorted(
        model
        for model in {*models, *seen}
        if model not in seen or not _is_steady(seen[model], scope.at_seconds)
    )
    wide = ask([_wide_question(scope, rare)]) if rare and not scope.is_recorded else ()
    hours = [
        series
        for outcome in (coarse, *wide)
        if isinstance(outcome, Reply)
        for series in outcome.series
        if series.points
    ]
    firsts = _earliest(hours)
    fine = ask([_fine_question(scope, model, hour) for model, hour in firsts.items()]) if firsts else ()
    exact = [
        series for outcome in fine if isinstance(outcome, Reply) for series in outcome.series if series.points
    ]
    moments = firsts | {
        model: seconds for model, seconds in _earliest(exact).items() if seconds <= firsts.get(model, seconds)
    }
    failed = {model for model, outcome in zip(firsts, fine, strict=True) if isinstance(outcome, SourceError)}
    failed |= {
        model
        for model in rare
        if model in moments and any(isinstance(outcome, SourceError) for outcome in wide)
    }
    return FirstTraffic(tuple(sorted(moments.items())), tuple(sorted(failed)))


def _is_steady(series: Timeline, at_seconds: float) -> bool:
    return len(series.points) >= _STEADY_SHARE * ((at_seconds - series.points[0][0]) / _COARSE_SECONDS + 1)


def _wide_question(scope: Scope, models: Iterable[str]) -> Question:
    """Which hours had any sample with traffic."""
    promql = (
        "max by (model_name) "
        f"(max_over_time({REQUESTS}{{{joined(scope.matchers, one_of(MODEL_LABEL, models))}}}[1h])) "
        "> 0"
    )
    return over_time(promql, scope.at_seconds - HISTORY_SECONDS, scope.at_seconds, _COARSE_SECONDS)


def _fine_question(scope: Scope, model: str, hour_seconds: float) -> Question:
    """The hour before a model was first seen."""
    return over_time(_promql(scope, "5m", model), hour_seconds - _COARSE_SECONDS, hour_seconds, _FINE_SECONDS)


def _earliest(several: Iterable[Timeline]) -> dict[str, float]:
    found: dict[str, float] = {}
    for series in several:
        model, first_seconds = series.label("model_name"), series.points[0][0]
        found[model] = min(first_seconds, found.get(model, first_seconds))
    return found


def _promql(scope: Scope, span: str, model: str | None = None) -> str:
    matchers = joined(scope.matchers, "" if model is None else f"{MODEL_LABEL}={quoted(model)}")
    if scope.is_recorded:
        return f"sum by (model_name) (sum_over_time({STEPS[REQUESTS]}{{{matchers}}}[{span}])) > 0"
    return f"max by (model_name) ({REQUESTS}{{{matchers}}}) > 0"
