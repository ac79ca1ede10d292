"""What the chosen experiment's runs say: rows of MLflow's tables as the records that travel on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from live_dashboards.model.snapshot import Answer, ModelVersion, Run, StatusCount, Timeline, VariantValue
from live_dashboards.settings import Settings
from live_dashboards.sources import mlflow_sql as sql
from live_dashboards.sources.mlflow_connection import MlflowConnection
from live_dashboards.sources.mlflow_moments import moment_or_none

HISTORY = "accuracy_history"
_F1_KEYS = ("f1", "f1_score")
Parameters = Mapping[str, Any]


def metric_keys(settings: Settings) -> tuple[tuple[str, str], ...]:
    """(metric, MLflow's key), for a metric with several keys the preferred one first."""
    configured = [("accuracy", settings["AB_ACCURACY_METRIC"]), ("precision", settings["AB_PRECISION_METRIC"]), ("recall", settings["AB_RECALL_METRIC"])]
    f1 = [settings["AB_F1_METRIC"]] if settings["AB_F1_METRIC"] else list(_F1_KEYS)
    return (*configured, *(("f1", key) for key in f1))


def step_ms(window_seconds: float) -> int:
    """The length of a time step of the history in milliseconds, so that the window has no more steps than points."""
    return max(1, math.ceil(window_seconds * 1000 / sql.HISTORY_POINTS))


def read_values(connection: MlflowConnection, parameters: Parameters) -> tuple[VariantValue, ...]:
    """The latest value of each variant and metric, as logged."""
    rows = connection.rows("values", sql.VALUES, parameters)
    return tuple(
        VariantValue(variant, metric, key, value, moment_or_none(logged_ms), run_id, name, status, is_child, moment_or_none(start_ms), count)
        for variant, metric, key, value, logged_ms, run_id, name, status, is_child, start_ms, count in rows
    )


def read_value_ranges(connection: MlflowConnection, parameters: Parameters) -> tuple[tuple[str, float, float], ...]:
    """(metric, lowest, highest) as logged, over all active runs of the experiment."""
    return tuple((metric, low, high) for metric, low, high in connection.rows("value_ranges", sql.VALUE_RANGES, parameters))


def read_status_counts(connection: MlflowConnection, parameters: Parameters) -> tuple[StatusCount, ...]:
    """All active runs of the experiment, counted."""
    return tuple(StatusCount(*row) for row in connection.rows("status_counts", sql.STATUS_COUNTS, parameters))


def read_runs(connection: MlflowConnection, parameters: Parameters) -> tuple[Run, ...]:
    """The newest active runs of the experiment, newest first."""
    rows = connection.rows("runs", sql.RUNS, parameters)
    return tuple(
        Run(run_id, name, variant, status, moment_or_none(start_ms), moment_or_none(end_ms), is_child, moment_or_none(sign_ms), accuracy)
        for run_id, name, variant, status, start_ms, end_ms, is_child, sign_ms, accuracy in rows
    )


def read_history(connection: MlflowConnection, parameters: Parameters, *, query: str) -> Answer:
    """Logged accuracy by variant over the window, averaged by time step; times in unix seconds."""
    rows = connection.rows("history", sql.HISTORY, parameters)
    series = tuple(
        Timeline((("variant", variant),), tuple((time_seconds, value) for _, time_seconds, value in points)) for variant, points in groupby(rows, key=lambda row: row[0])
    )
    reason = None if series else "no accuracy was logged within the window"
    return Answer(HISTORY, query, "", series, reason, parameters["step_ms"] / 1000)


def read_versions(connection: MlflowConnection, text: str, parameters: Parameters) -> tuple[ModelVersion, ...]:
    """The newest registered model versions made from the experiment's runs; none where they cannot be read."""
    rows = connection.optional_rows("versions", text, parameters) or []
    found = ((name, version, moment_or_none(created_ms), run_id, tuple(aliases)) for name, version, created_ms, run_id, aliases in rows)
    return tuple(ModelVersion(name, version, created_at, run_id, aliases) for name, version, created_at, run_id, aliases in found if created_at is not None)
