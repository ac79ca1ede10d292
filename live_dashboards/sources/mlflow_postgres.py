"""Reads the A/B experiment from MLflow's PostgreSQL: one connection, one read-only transaction, one deadline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from live_dashboards.errors import SettingsError
from live_dashboards.model.snapshot import MLFLOW, MlflowAnswer, SourceState, SourceStatus
from live_dashboards.settings import Settings
from live_dashboards.sources import mlflow_readings as readings
from live_dashboards.sources import mlflow_sql as sql
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow_address import mlflow_address
from live_dashboards.sources.mlflow_connection import MlflowConnection
from live_dashboards.sources.mlflow_experiments import Choice, choose_experiment
from live_dashboards.sources.mlflow_moments import milliseconds
from live_dashboards.sources.mlflow_schema import MlflowSchema, read_schema, require_rights, require_tables

_CLOCK_SLACK_MS = 300_000  # clocks of training machines differ: what was logged up to 5 minutes after the moment counts as known at it
_BOUND_SETTINGS = ("AB_EXPERIMENT", "AB_ACCURACY_METRIC", "AB_PRECISION_METRIC", "AB_RECALL_METRIC", "AB_F1_METRIC", "AB_TEST_COUNT_PARAM")
_EXPERIMENT_TEXTS = {
    "values": sql.VALUES,
    "value_ranges": sql.VALUE_RANGES,
    "status_counts": sql.STATUS_COUNTS,
    "runs": sql.RUNS,
    readings.HISTORY: sql.HISTORY,
}


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

    def abort(self) -> None:
        """Ends a read that is under way in another thread; it raises SourceError there."""
        if self._connection is not None:
            self._connection.abort()

    def _ask(self, connection: MlflowConnection, parameters: Mapping[str, Any], deadline: Deadline, tell: Callable[[str | None], None]) -> MlflowAnswer:
        schema = read_schema(connection)
        require_tables(schema, connection)
        require_rights(schema)
        choice = choose_experiment(connection, self._settings["AB_EXPERIMENT"], parameters)
        tell(choice.chosen.name if choice.chosen else None)
        if choice.chosen is None or choice.reason:
            status = self._status(SourceState.NO_AB_DATA, choice, schema, deadline)
            return MlflowAnswer(status, experiments=choice.experiments, known_experiments=choice.known, experiment=choice.chosen.name if choice.chosen else None)
        return self._read_experiment(connection, choice, schema, {**parameters, "experiment_id": choice.chosen.experiment_id}, deadline)

    def _read_experiment(self, connection: MlflowConnection, choice: Choice, schema: MlflowSchema, parameters: Mapping[str, Any], deadline: Deadline) -> MlflowAnswer:
        versions_text = _versions_text(schema)
        texts = {"experiments": sql.EXPERIMENTS, **_EXPERIMENT_TEXTS, **({"versions": versions_text} if versions_text else {})}
        queries = {name: " ".join(connection.text(text, parameters).split()) for name, text in texts.items()}
        answer = MlflowAnswer(
            self._status(SourceState.ANSWERED, choice, schema, deadline),
            experiment=choice.experiments[0].name,
            experiments=choice.experiments,
            known_experiments=choice.known,
            values=readings.read_values(connection, parameters),
            value_ranges=readings.read_value_ranges(connection, parameters),
            status_counts=readings.read_status_counts(connection, parameters),
            runs=readings.read_runs(connection, parameters),
            history=readings.read_history(connection, parameters, query=queries[readings.HISTORY]),
            versions=readings.read_versions(connection, versions_text, parameters) if versions_text else (),
            newest_at=choice.experiments[0].last_activity_at,
            queries=tuple(queries.items()),
        )
        return replace(answer, status=replace(answer.status, duration_seconds=deadline.elapsed_seconds))

    def _status(self, state: SourceState, choice: Choice, schema: MlflowSchema, deadline: Deadline) -> SourceStatus:
        return SourceStatus(
            MLFLOW,
            state,
            reason=choice.reason,
            fix=choice.fix,
            warnings=choice.warnings,
            version=schema.version,
            address=self.address,
            duration_seconds=deadline.elapsed_seconds,
            clock_difference_seconds=schema.clock_difference_seconds,
        )


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


def _versions_text(schema: MlflowSchema) -> str | None:
    """The question for model versions as far as this schema and user can answer it: read-only roles often see neither table."""
    if not schema.can_read("model_versions"):
        return None
    return sql.VERSIONS.format(aliases=sql.ALIASES if schema.can_read("registered_model_aliases") else "array[]::text[]")


def _check_text(name: str, value: str | None) -> None:
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        raise SettingsError(f"{name} holds bytes that are no UTF-8 text; write it as UTF-8") from None
