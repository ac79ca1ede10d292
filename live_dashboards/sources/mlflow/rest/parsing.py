"""MLflow's JSON as rows: parsed at the door, or refused there."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping
from typing import Any

from live_dashboards.sources.mlflow.rows.records import ExperimentRow, MetricRow, PointRow, RunRow, VersionRow
from live_dashboards.sources.mlflow.rows.wanted import LONGEST_TEXT, Wanted

Document = Mapping[str, Any]
# the last: JSON's 1e999 as a whole number
SHAPE_ERRORS = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


def experiment_row(document: Document) -> ExperimentRow:
    """An experiment of `experiments/search`."""
    workspace = str(document.get("workspace") or "default")
    return ExperimentRow(
        int(document["experiment_id"]),
        str(document["name"]),
        workspace,
        document.get("lifecycle_stage") == "active",
    )


def run_row(document: Document, wanted: Wanted) -> RunRow:
    """What is wanted of a run of `runs/search`."""
    info, data = document["info"], document.get("data", {})
    return RunRow(
        int(info["experiment_id"]),
        str(info.get("run_id") or info["run_uuid"]),
        str(info.get("run_name", "")),
        str(info["status"]),
        _milliseconds(info.get("start_time")),
        _milliseconds(info.get("end_time")),
        _texts(data.get("params", ()), wanted.params),
        _texts(data.get("tags", ()), wanted.tags),
        {
            str(metric["key"]): metric_row(metric)
            for metric in data.get("metrics", ())
            if metric["key"] in wanted.metrics
        },
        *wanted.signs(_milliseconds(metric.get("timestamp")) for metric in data.get("metrics", ())),
    )


def metric_keys(document: Document) -> set[str]:
    """The keys that a run of `runs/search` logs."""
    return {str(metric["key"]) for metric in document.get("data", {}).get("metrics", ())}


def metric_row(document: Document) -> MetricRow:
    """A metric's value; NaN and infinities come as words."""
    value = float(document.get("value", 0.0))
    return MetricRow(value, _milliseconds(document.get("timestamp")), math.isnan(value))


def point_rows(run_id: str, documents: Iterable[Document]) -> list[PointRow]:
    """The values of `metrics/get-history`; NaN and what has no time are left out."""
    metrics = (metric_row(document) for document in documents)
    return [
        PointRow(run_id, metric.at_ms, metric.value)
        for metric in metrics
        if metric.at_ms is not None and metric.is_finite
    ]


def version_row(document: Document) -> VersionRow | None:
    """A version of `model-versions/search`, which tells no aliases; None where it does not tell its run or
    its time.
    """
    made_ms, run_id = _milliseconds(document.get("creation_timestamp")), document.get("run_id")
    if made_ms is None or not run_id:
        return None
    return VersionRow(str(document["name"]), int(document["version"]), made_ms, str(run_id), ())


def _milliseconds(number: Any) -> int | None:
    return None if number is None else int(number)


def _texts(documents: Iterable[Document], wanted: Container[str]) -> dict[str, str]:
    return {
        str(document["key"]): str(document.get("value", ""))[:LONGEST_TEXT]
        for document in documents
        if document["key"] in wanted
    }
