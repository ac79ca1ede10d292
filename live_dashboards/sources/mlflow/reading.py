"""The order in which MLflow is asked, whatever way: which experiments, which one, what it holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from live_dashboards.errors import SettingsError
from live_dashboards.model.metrics import ACCURACY, METRICS
from live_dashboards.model.snapshot import ChosenTest, MlflowAnswer
from live_dashboards.settings import Settings
from live_dashboards.sources.mlflow import readings, sql
from live_dashboards.sources.mlflow.answers import Asked
from live_dashboards.sources.mlflow.experiments import choice_of, choose_experiment
from live_dashboards.sources.mlflow.moments import milliseconds

# clocks of training machines differ: what was logged up to 5 minutes after the moment counts as known at it
_CLOCK_SLACK_MS = 300_000
_BOUND_SETTINGS = (
    "AB_EXPERIMENT",
    "AB_BASELINE_VARIANT",
    "AB_CHALLENGER_VARIANT",
    "AB_TEST_COUNT_PARAM",
)


def read_one(asked: Asked, wanted: str | None, tell: Callable[[ChosenTest | None], None]) -> MlflowAnswer:
    """What the chosen experiment holds; `tell` gets its name and variants as soon as it is chosen, None where
    there is none.
    """
    choice = choose_experiment(asked.connection, wanted, asked.parameters)
    tell(
        ChosenTest(choice.chosen.name, tuple(name for name, _ in choice.chosen.variants))
        if choice.chosen
        else None
    )
    if choice.chosen is None or choice.reason:
        return asked.nothing(choice)
    (answer,) = asked.read([choice])
    return answer


def read_each(asked: Asked) -> tuple[MlflowAnswer, ...]:
    """What each A/B experiment holds, the one with the newest activity first; one answer without an
    experiment where there is none.
    """
    choice = choose_experiment(asked.connection, None, asked.parameters)
    if choice.chosen is None or choice.reason:
        return (asked.nothing(choice),)
    return asked.read(
        [choice_of(choice, experiment) for experiment in choice.experiments if experiment.is_ab_test]
    )


class Once:
    """Calls on with the first value that it gets, and with no other."""

    def __init__(self, call: Callable[[ChosenTest | None], None]) -> None:
        self._call = call
        self._is_done = False

    def __call__(self, value: ChosenTest | None) -> None:
        """Hands the first value on."""
        if not self._is_done:
            self._is_done = True
            self._call(value)


def question_parameters(settings: Settings, at: datetime, window_seconds: float) -> dict[str, Any]:
    """What the questions are bound to, but for the experiment's id; times in milliseconds."""
    keys = readings.metric_keys(settings)
    at_ms = milliseconds(at)
    return {
        "variant_key": sql.VARIANT_KEY,
        "parent_key": sql.PARENT_KEY,
        "run_name_key": sql.RUN_NAME_KEY,
        "experiment": settings["AB_EXPERIMENT"],
        "favoured": [
            settings["AB_BASELINE_VARIANT"],
            settings["AB_CHALLENGER_VARIANT"] or "enhanced",
            *settings.planned_names,
        ],
        "metrics": [metric for metric, _ in keys],
        "keys": [key for _, key in keys],
        "preferences": list(range(len(keys))),
        "with_hits": readings.with_hits(),
        "hits_pattern": readings.hits_pattern(),
        "most_values": sql.MAX_VARIANTS * len(METRICS),
        "accuracy_key": settings[METRICS[ACCURACY].setting],
        "test_count_key": settings["AB_TEST_COUNT_PARAM"],
        "at_ms": at_ms,
        "near_ms": at_ms + _CLOCK_SLACK_MS,
        "from_ms": at_ms - round(window_seconds * 1000),
        "step_ms": readings.step_ms(window_seconds),
    }


def check_texts(settings: Settings) -> None:
    """SettingsError where a name that MLflow is asked for is no text."""
    for name in (*_BOUND_SETTINGS, *(metric.setting for metric in METRICS.values())):
        _check_text(name, settings[name])
    _check_text("AB_TRAFFIC_SPLIT", "".join(settings.planned_names))


def _check_text(name: str, value: str | None) -> None:
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        raise SettingsError(f"{name} holds bytes that are no UTF-8 text; write it as UTF-8") from None
