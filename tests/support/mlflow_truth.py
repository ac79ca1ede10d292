"""Writes known experiments, runs and metrics into MLflow's tables, row by row as MLflow's own store does."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 # a class under a lower-case name

STORED_INFINITY = 1.7976931348623157e308

_ADD_EXPERIMENT = """
insert into experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time)
values (%s, '/artifacts', %s, %s, %s) returning experiment_id"""
_ADD_RUN = """
insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, source_version,
                  lifecycle_stage, artifact_uri, experiment_id, deleted_time)
values (%s, %s, 'UNKNOWN', '', '', 'tester', %s, %s, %s, '', %s, %s, %s, %s)"""
_ADD_METRIC = """
insert into metrics (key, value, timestamp, run_uuid, step, is_nan) values (%s, %s, %s, %s, %s, %s) on conflict do nothing"""
_SET_LATEST = """
insert into latest_metrics as old (key, value, timestamp, step, is_nan, run_uuid) values (%s, %s, %s, %s, %s, %s)
on conflict (key, run_uuid) do update set value = excluded.value, timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan
where (excluded.step, excluded.timestamp, excluded.value) > (old.step, old.timestamp, old.value)"""


class MlflowTruth:
    """The truth of one database; every call is committed when it returns."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect

    def experiment(self, name: str, lifecycle: str = "active", *, created: datetime | None = None, workspace: str | None = None) -> int:
        created_ms = _milliseconds(created or datetime.now(UTC))
        experiment_id = int(self._run(_ADD_EXPERIMENT, [(name, lifecycle, created_ms, created_ms)])[0][0])
        if workspace is not None:
            self._run("update experiments set workspace = %s where experiment_id = %s", [(workspace, experiment_id)])
        return experiment_id

    def run(
        self,
        experiment_id: int,
        variant: str | None = "baseline",
        *,
        status: str = "FINISHED",
        started: datetime | None = None,
        ended: datetime | None = None,
        metrics: Mapping[str, float] | None = None,
        params: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
        parent: str | None = None,
        variant_in: str | None = "params",
        lifecycle: str = "active",
        name: str | None = None,
    ) -> str:
        """A run and its run_uuid. Unset: started a day ago, ended an hour later (never while RUNNING or SCHEDULED); metrics count at its end, else its start, step 0."""
        run = uuid.uuid4().hex
        started = started or datetime.now(UTC) - timedelta(days=1)
        ended = ended or (None if status in {"RUNNING", "SCHEDULED"} else started + timedelta(hours=1))
        name = f"run-{run[:8]}" if name is None else name
        deleted_ms = _milliseconds(ended or started) if lifecycle == "deleted" else None
        times = (_milliseconds(started), _milliseconds(ended) if ended else None)
        self._run(_ADD_RUN, [(run, name, status, *times, lifecycle, f"/artifacts/{run}", experiment_id, deleted_ms)])
        marked = {"model_variant": variant} if variant is not None else {}
        self.params(run, {**(marked if variant_in == "params" else {}), **(params or {})})
        own = {"mlflow.runName": name, "mlflow.user": "tester", "mlflow.source.type": "LOCAL", **({"mlflow.parentRunId": parent} if parent else {})}
        self.tags(run, {**own, **(marked if variant_in == "tags" else {}), **(tags or {})})
        for key, value in (metrics or {}).items():
            self.metric(run, key, value, ended or started)
        return run

    def params(self, run: str, values: Mapping[str, object]) -> None:
        self._run("insert into params (key, value, run_uuid) values (%s, %s, %s)", [(key, str(value), run) for key, value in values.items()])

    def tags(self, run: str, values: Mapping[str, str]) -> None:
        statement = "insert into tags (key, value, run_uuid) values (%s, %s, %s) on conflict (key, run_uuid) do update set value = excluded.value"
        self._run(statement, [(key, value, run) for key, value in values.items()])

    def metric(self, run: str, key: str, value: float, at: datetime, step: int = 0) -> None:
        self.history(run, key, [(at, step, value)])

    def history(self, run: str, key: str, points: Sequence[tuple[datetime, int, float]]) -> None:
        """Points of (moment, step, value) in one go."""
        stored = [(_milliseconds(at), step, *_stored(value)) for at, step, value in points]
        self._run(_ADD_METRIC, [(key, value, at_ms, run, step, is_nan) for at_ms, step, value, is_nan in stored])
        self._run(_SET_LATEST, [(key, value, at_ms, step, is_nan, run) for at_ms, step, value, is_nan in stored])

    def _run(self, statement: str, rows: Sequence[tuple[object, ...]]) -> list[tuple[Any, ...]]:
        with closing(self._connect()) as connection, connection, connection.cursor() as cursor:
            for row in rows:
                cursor.execute(statement, row)
            return cursor.fetchall() if rows and cursor.description else []


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _stored(value: float) -> tuple[float, bool]:
    """What MLflow puts into `value` and `is_nan`: NaN as 0 and true, an infinity as the greatest double."""
    if math.isnan(value):
        return 0.0, True
    return max(-STORED_INFINITY, min(STORED_INFINITY, float(value))), False
