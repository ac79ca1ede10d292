"""The questions of one test's page: values, runs, points and versions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, TypeVar

from live_dashboards.model.class_scores import is_classifier, scored_class
from live_dashboards.model.metrics import METRICS
from live_dashboards.model.snapshot import (
    Answer,
    ModelVersion,
    Run,
    StatusCount,
    Timeline,
    VariantValue,
)
from live_dashboards.settings import Settings
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.questions import Parameters, Questions, Row, moment_or_none

HISTORY = "accuracy_history"
VALIDATION, OF_DATASET = "val_", "_score_"
Record = TypeVar("Record")
ByExperiment = Mapping[int, tuple[Record, ...]]
"""Records by the experiment's id; an experiment without any is not in it."""


def metric_keys(settings: Settings) -> tuple[tuple[str, str], ...]:
    """(metric, MLflow's key), for a metric with several keys the preferred one first."""
    return tuple(
        (metric.name, key)
        for metric in METRICS.values()
        for key in ((settings[metric.setting],) if settings[metric.setting] else metric.keys)
    )


def unnamed_metrics(settings: Settings) -> list[str]:
    """The metrics whose key no setting names, so that all is looked at that clients log."""
    return [metric.name for metric in METRICS.values() if not settings[metric.setting]]


def dataset_prefixes(metrics: Iterable[str]) -> list[str]:
    """What the keys of these metrics begin with that autolog logs after a run, with the name of a data
    set.
    """
    return [f"{metric}{OF_DATASET}" for metric in metrics]


def scored(key: str, parameters: Parameters) -> int:
    """Whether the key is read as the score of a class: 0 of one that is not, 1 of a classifier's, 2 of one
    that may be none. A key that a setting names is what it is.
    """
    name = scored_class(key) if parameters["with_scores"] else ""
    return 0 if not name else 1 if is_classifier(name) else 2


def accuracy_parameters(keys: Sequence[str], parameters: Parameters) -> dict[str, Any]:
    """What questions are bound to that ask for accuracies under these keys, of which a run counts under
    one.
    """
    found = [scored(key, parameters) for key in keys]
    return {
        "accuracy_key": keys[0],
        "accuracy_keys": list(keys),
        "accuracy_scored": found,
        "is_accuracy_scored": any(found),
    }


def with_hits() -> list[str]:
    """The metrics whose n are the hits and misses that the same run logs."""
    return [metric.name for metric in METRICS.values() if metric.n is not None and metric.n.misses]


def hits_pattern() -> str:
    """Matches the key of such a metric; its group is the prefix that its hits and misses have, too, as
    mlflow.evaluate logs them: val_precision_score has val_true_positives beside it.
    """
    return f"^(.*?)(?:{'|'.join(with_hits())})(?:_score)?$"


def hit_keys(key: str) -> tuple[str, ...]:
    """Where mlflow.evaluate logs hits and misses: under the prefix that the metric's own key has."""
    match = re.fullmatch(hits_pattern(), key, re.DOTALL)
    prefix = match[1] if match else ""
    return tuple(f"{prefix}{name}" for name in sql.HITS_AND_MISSES)


def step_ms(window_seconds: float) -> int:
    """The length of a time step of the history in milliseconds, so that the window has no more steps than
    points.
    """
    return max(1, math.ceil(window_seconds * 1000 / sql.HISTORY_POINTS))


def _value(row: Row) -> VariantValue:
    (
        variant,
        metric,
        key,
        value,
        logged_ms,
        run_id,
        name,
        status,
        is_child,
        start_ms,
        step,
        siblings,
        search,
        *counts,
    ) = row
    found = VariantValue(
        variant,
        metric,
        key,
        value,
        moment_or_none(logged_ms),
        run_id,
        name,
        status,
        is_child,
        moment_or_none(start_ms),
        *counts,
    )
    return replace(found, step=step, siblings=siblings, search=search)


def _run(row: Row) -> Run:
    run_id, name, variant, status, start_ms, end_ms, is_child, sign_ms, accuracy = row
    return Run(
        run_id,
        name,
        variant,
        status,
        moment_or_none(start_ms),
        moment_or_none(end_ms),
        is_child,
        moment_or_none(sign_ms),
        accuracy,
    )


QUESTIONS: Mapping[str, tuple[str, Callable[[Row], Any]]] = {
    "values": (sql.VALUES, _value),  # the latest of each variant, metric and key, as logged
    # (metric, key, lowest, highest) as logged, over all active runs
    "value_ranges": (sql.VALUE_RANGES, tuple),
    "status_counts": (sql.STATUS_COUNTS, lambda row: StatusCount(*row)),  # all active runs
    "runs": (sql.RUNS, _run),  # the newest active ones, newest first
    # logged accuracy over the window, averaged by time step: (variant, unix seconds, value) in this order
    "history": (sql.HISTORY, tuple),
}
"""Each question's text, and how a row of its answer becomes a record."""


def read(connection: Questions, question: str, parameters: Parameters) -> ByExperiment[Any]:
    """What one of the questions gives."""
    text, record = QUESTIONS[question]
    return _by_experiment(connection.rows(question, text, parameters), record)


def history_answer(points: Iterable[Row], parameters: Parameters, *, query: str) -> Answer:
    """The history of one experiment, a series a variant."""
    series = tuple(
        Timeline(
            (("variant", variant),), tuple((time_seconds, value) for _, time_seconds, value in of_variant)
        )
        for variant, of_variant in groupby(points, key=lambda row: row[0])
    )
    reason = None if series else "no accuracy was logged within the window"
    return Answer(HISTORY, query, "", series, reason, parameters["step_ms"] / 1000)


def read_versions(connection: Questions, text: str, parameters: Parameters) -> ByExperiment[ModelVersion]:
    """The newest registered model versions made from the experiment's runs; none where they cannot be
    read.
    """
    rows = connection.optional_rows("versions", text, parameters) or []
    return _by_experiment([row for row in rows if moment_or_none(row[3]) is not None], _version)


def _version(row: Row) -> ModelVersion:
    name, version, created_ms, run_id, aliases = row
    created_at = moment_or_none(created_ms)
    assert created_at is not None  # noqa: S101 others are left out before
    return ModelVersion(name, version, created_at, run_id, tuple(aliases))


def _by_experiment(rows: Iterable[Row], read: Callable[[Row], Record]) -> ByExperiment[Record]:
    """Rows that begin with the experiment's id and come in its order, as records by id."""
    return {
        experiment_id: tuple(read(row[1:]) for row in of_one)
        for experiment_id, of_one in groupby(rows, key=lambda row: row[0])
    }
