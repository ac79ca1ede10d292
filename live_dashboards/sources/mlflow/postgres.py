"""Reads the A/B experiment from MLflow's PostgreSQL: one connection, one read-only transaction, one deadline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from live_dashboards.errors import SettingsError
from live_dashboards.model.snapshot import MlflowAnswer
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import readings, sql
from live_dashboards.sources.mlflow.address import mlflow_address
from live_dashboards.sources.mlflow.answers import Asked
from live_dashboards.sources.mlflow.connection import MlflowConnection
from live_dashboards.sources.mlflow.experiments import choice_of, choose_experiment
from live_dashboards.sources.mlflow.moments import milliseconds
from live_dashboards.sources.mlflow.schema import read_schema, require_rights, require_tables

_CLOCK_SLACK_MS = 300_000  # clocks of training machines differ: what was logged up to 5 minutes after the moment counts as known at it
_BOUND_SETTINGS = ("AB_EXPERIMENT", "AB_ACCURACY_METRIC", "AB_PRECISION_METRIC", "AB_RECALL_METRIC", "AB_F1_METRIC", "AB_TEST_COUNT_PARAM")


class MlflowSource:
    """MLflow as the settings name it; raises SettingsError where they cannot name one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        address = mlflow_address(settings)
        self.address = f"{address.where}/{address.database}"
        self._connection: MlflowConnection | None = None
        for name in _BOUND_SETTINGS:
            _check_text(name, settings[name])

    def read(self, *, at: datetime, window_seconds: float, deadline: Deadline, on_experiment: Callable[[str | None], None]) -> MlflowAnswer:
        """What MLflow's tables hold on the chosen experiment at that moment.

        `on_experiment` is called once, as early as possible, with the chosen experiment's name, None where there is none. Raises SourceError where MLflow
        cannot be asked, UsageError where AB_EXPERIMENT names no active experiment.
        """
        tell = _Once(on_experiment)
        try:
            self._connection = MlflowConnection(self._settings, deadline=deadline)
            with self._connection as connection:
                return self._ask(connection, question_parameters(self._settings, at, window_seconds), deadline, tell)
        finally:
            tell(None)

    def read_all(self, *, at: datetime, window_seconds: float, deadline: Deadline) -> tuple[MlflowAnswer, ...]:
        """What `read` gives for each A/B experiment, the one with the newest activity first, by as many statements as for one.

        One answer without an experiment where there is none. Raises SourceError where MLflow cannot be asked.
        """
        self._connection = MlflowConnection(self._settings, deadline=deadline)
        with self._connection as connection:
            asked = self._asked(connection, question_parameters(self._settings, at, window_seconds), deadline)
            choice = choose_experiment(connection, None, asked.parameters)
            if choice.chosen is None or choice.reason:
                return (asked.nothing(choice),)
            return asked.read([choice_of(choice, experiment) for experiment in choice.experiments if experiment.is_ab_test])

    def abort(self) -> None:
        """Ends a read that is under way in another thread; it raises SourceError there."""
        if self._connection is not None:
            self._connection.abort()

    def _ask(self, connection: MlflowConnection, parameters: Mapping[str, Any], deadline: Deadline, tell: Callable[[str | None], None]) -> MlflowAnswer:
        asked = self._asked(connection, parameters, deadline)
        choice = choose_experiment(connection, self._settings["AB_EXPERIMENT"], parameters)
        tell(choice.chosen.name if choice.chosen else None)
        if choice.chosen is None or choice.reason:
            return asked.nothing(choice)
        (answer,) = asked.read([choice])
        return answer

    def _asked(self, connection: MlflowConnection, parameters: Mapping[str, Any], deadline: Deadline) -> Asked:
        schema = read_schema(connection)
        require_tables(schema, connection)
        require_rights(schema)
        return Asked(self.address, connection, schema, parameters, deadline)


class _Once:
    """Calls on with the first value that it gets, and with no other."""

    def __init__(self, call: Callable[[str | None], None]) -> None:
        self._call = call
        self._is_done = False

    def __call__(self, value: str | None) -> None:
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
        "favoured": [settings["AB_BASELINE_VARIANT"], settings["AB_CHALLENGER_VARIANT"] or "enhanced", *settings.split],
        "metrics": [metric for metric, _ in keys],
        "keys": [key for _, key in keys],
        "preferences": list(range(len(keys))),
        "accuracy_key": settings["AB_ACCURACY_METRIC"],
        "test_count_key": settings["AB_TEST_COUNT_PARAM"],
        "at_ms": at_ms,
        "near_ms": at_ms + _CLOCK_SLACK_MS,
        "from_ms": at_ms - round(window_seconds * 1000),
        "step_ms": readings.step_ms(window_seconds),
    }


def _check_text(name: str, value: str | None) -> None:
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        raise SettingsError(f"{name} holds bytes that are no UTF-8 text; write it as UTF-8") from None
