"""Reads the A/B experiment from MLflow's SQLite file: the rows that the rules need, in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os.path import lexists
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from live_dashboards.errors import SourceError
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.experiments import HISTORY
from live_dashboards.sources.mlflow.postgres import REQUIRED_TABLES
from live_dashboards.sources.mlflow.questions import Parameters, Row, alone
from live_dashboards.sources.mlflow.reading import Asked, OpenedSource
from live_dashboards.sources.mlflow.rows.records import (
    DatasetRow,
    ExperimentRow,
    MetricRow,
    ModelPoint,
    ModelRow,
    PointRow,
    RunRow,
    VersionRow,
    WantedKeys,
)
from live_dashboards.sources.mlflow.rows.rules import RowAnswers
from live_dashboards.sources.mlflow.sqlite import texts
from live_dashboards.sources.mlflow.sqlite.database import SqliteDatabase, no_tables
from live_dashboards.sources.mlflow.variants import MODEL_TABLES, REGISTRY_TABLES, known_runs

_OPTIONAL_TABLES = ("model_versions", "registered_model_aliases", "alembic_version")


class SqliteRows:
    """Reads through one connection what the questions bound to these parameters need."""

    def __init__(self, database: SqliteDatabase, parameters: Parameters) -> None:
        self._database, self._parameters = database, parameters
        self._wanted = wanted = WantedKeys.of(parameters)
        ways = parameters["variant_ways"]
        self._keys = {
            f"{kind}_keys": json.dumps([way.name for way in ways if way.kind == kind], ensure_ascii=False)
            for kind in ("param", "tag")
        }
        self._of_datasets = {
            "prefixes": json.dumps(wanted.prefixes, ensure_ascii=False),
            "has_scores": wanted.has_scores,
        }
        self._bound = {
            **self._keys,
            "keys": json.dumps(sorted(wanted.metrics), ensure_ascii=False),
            "kept_params": json.dumps(sorted(wanted.params), ensure_ascii=False),
            **self._of_datasets,
            "near_ms": wanted.near_ms,
        }
        self._columns = {
            table: database.columns(table)
            for table in (*REQUIRED_TABLES, *_OPTIONAL_TABLES, *sql.DATASET_TABLES, *MODEL_TABLES)
        }
        self._warnings: list[str] = []

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where what was read so far was cut off."""
        return tuple(dict.fromkeys(self._warnings))

    @property
    def revision(self) -> str | None:
        """MLflow's schema revision, where there is one."""
        if not self._columns["alembic_version"]:
            return None
        found = self._database.rows("revision", "select version_num from alembic_version limit 1")
        return str(found[0][0]) if found else None

    def require_tables(self) -> None:
        """SourceError where a table that is needed is not there."""
        missing = [table for table in REQUIRED_TABLES if not self._columns[table]]
        if missing:
            raise no_tables(self._database.path, f"no {', '.join(missing)}")

    def experiments(self, *, deleted_too: bool) -> Sequence[ExperimentRow]:
        """All experiments."""
        found = self._database.rows("experiments", self._experiments_text(), {"deleted_too": deleted_too})
        return [
            ExperimentRow(int(each), str(name), str(workspace or "default"), bool(is_active))
            for each, name, workspace, is_active in found
        ]

    def marked_runs(
        self, experiments: Sequence[ExperimentRow], known: Sequence[str], *, deleted_too: bool
    ) -> Sequence[RunRow]:
        """The runs of these experiments that have a param or tag with a variant, and those known by id."""
        ids = {each.experiment_id for each in experiments}
        bound = {**self._keys, "known_runs": json.dumps(known), "deleted_too": deleted_too}
        rows = self._database.rows("experiments", texts.MARKED_RUNS, bound)
        self._cut(
            rows, texts.MAX_MARKED_RUNS, "runs with a variant (so their numbers by variant are too low)"
        )
        return [
            _run(row, _marked(params), _marked(tags), {}).named(self._parameters)
            for *row, params, tags in rows
            if row[0] in ids
        ]

    def recent_runs(self, experiment_ids: Sequence[int]) -> Sequence[RunRow]:
        """All of them, as that costs little."""
        return self.runs(experiment_ids)

    def runs(self, experiment_ids: Sequence[int]) -> Sequence[RunRow]:
        """The active runs of these experiments."""
        bound = {**_chosen(experiment_ids), **self._bound}
        found = self._database.rows("runs", texts.RUNS, bound)
        self._cut(found, texts.MAX_RUNS, "runs")
        params = _by_run(self._database.rows("params", texts.PARAMS, bound))
        tags = _by_run(self._database.rows("tags", texts.TAGS, bound))
        signs = {
            run_id: times for run_id, *times in self._database.rows("newest metrics", texts.SIGNS, bound)
        }
        metrics: dict[str, dict[str, MetricRow]] = {}
        for run_id, key, value, at_ms, is_nan, step in self._database.rows(
            "latest metrics", texts.METRICS, bound
        ):
            if self._wanted.has_metric(key):
                metrics.setdefault(run_id, {})[key] = MetricRow(float(value), at_ms, bool(is_nan), step)
        datasets = self._datasets(experiment_ids)
        return [
            replace(
                _run(
                    row,
                    params.get(row[1], {}),
                    tags.get(row[1], {}),
                    metrics.get(row[1], {}),
                    signs.get(row[1], ()),
                ),
                datasets=tuple(datasets.get(row[1], ())),
            ).named(self._parameters)
            for row in found
        ]

    def _datasets(self, experiment_ids: Sequence[int]) -> dict[str, list[DatasetRow]]:
        """Those of each run, where the file has tables of them."""
        found: dict[str, list[DatasetRow]] = {}
        if all(self._columns[table] for table in sql.DATASET_TABLES):
            for run_id, context, name, profile in self._database.rows(
                "datasets", texts.DATASETS, _chosen(experiment_ids)
            ):
                found.setdefault(run_id, []).append(DatasetRow(context, str(name), str(profile or "")))
        return found

    def metric_keys(self, experiment_ids: Sequence[int]) -> Mapping[str, int]:
        """How many active runs of these experiments log each key."""
        bound = {**_chosen(experiment_ids), **self._of_datasets}
        return dict(self._database.rows("metric keys", texts.METRIC_KEYS, bound))

    def history(self, runs: Sequence[RunRow], key: str, from_ms: int, at_ms: int) -> Sequence[PointRow]:
        """The values that these runs logged within the window."""
        bound = {
            **_chosen({run.experiment_id for run in runs}),
            "key": key,
            "from_ms": from_ms,
            "at_ms": at_ms,
        }
        found = self._database.rows("history", texts.HISTORY, bound)
        self._cut(found, texts.MAX_POINTS, f"values of {key} in the window")
        return [PointRow(run_id, moment_ms, float(value)) for run_id, moment_ms, value in found]

    def versions(self, runs: Sequence[RunRow]) -> Sequence[VersionRow]:
        """The model versions made from these runs; none where the tables are not there."""
        if not self._columns["model_versions"]:
            raise SourceError("the SQLite file has no table model_versions", "", "no_tables")
        ids = {run.run_id for run in runs}
        rows = self._database.rows(
            "versions", self._versions_text(), _chosen({run.experiment_id for run in runs})
        )
        return [
            VersionRow(name, int(number), made_ms, run_id, tuple(json.loads(aliases)))
            for name, number, made_ms, run_id, aliases in rows
            if run_id in ids
        ]

    def aliased(self) -> list[Row]:
        """(run, alias) of the registered model versions that have one."""
        if not all(self._columns[table] for table in REGISTRY_TABLES):
            return []
        return self._database.rows("aliases", texts.ALIASED.format(workspace=self._same_workspace))

    def model_names(self) -> list[Row]:
        """(run, name) of the newest registered model versions, newest first."""
        if not self._columns["model_versions"]:
            return []
        return self._database.rows("model names", texts.MODEL_NAMES)

    def models(self, experiment_ids: Sequence[int]) -> Sequence[ModelRow]:
        """The LoggedModels of these experiments; none where the file has no such tables."""
        if not all(self._columns[table] for table in MODEL_TABLES):
            return []
        bound = {**_chosen(experiment_ids), **self._keys}
        found = self._database.rows("logged models", texts.MODELS, bound)
        params = _by_run(self._database.rows("params of models", texts.MODEL_PARAMS, bound))
        tags = _by_run(self._database.rows("tags of models", texts.MODEL_TAGS, bound))
        points: dict[str, list[ModelPoint]] = {}
        measured = self._database.rows("metrics of models", texts.MODEL_POINTS, bound)
        self._cut(measured, texts.MAX_POINTS, "values of models")
        for model_id, *point in measured:
            points.setdefault(model_id, []).append(ModelPoint(*point))
        return [
            ModelRow(
                experiment_id,
                model_id,
                source_run_id,
                params.get(model_id, {}),
                tags.get(model_id, {}),
                tuple(points.get(model_id, ())),
            )
            for experiment_id, model_id, source_run_id in found
        ]

    def nan_points(self, run_id: str, key: str) -> frozenset[tuple[int, int]]:
        """(milliseconds, step) of the NaN that a run logged under that key."""
        found = self._database.rows("NaN of a run", texts.NAN_POINTS, (key, run_id))
        return frozenset((at_ms, step) for at_ms, step in found)

    def text(self, question: str, parameters: Parameters) -> str:
        """The statements behind the answer, and what they were bound to."""
        bound = {**_chosen(parameters["experiment_ids"]), **self._bound}
        runs = (texts.RUNS, texts.PARAMS, texts.TAGS, texts.SIGNS, texts.METRICS)
        statements, names = {
            "experiments": (
                (self._experiments_text(), texts.MARKED_RUNS),
                {**self._keys, "known_runs": json.dumps(known_runs(parameters)), "deleted_too": False},
            ),
            HISTORY: (
                (*runs, texts.HISTORY),
                {
                    **bound,
                    "key": alone(parameters["accuracy_keys"]),
                    "from_ms": parameters["from_ms"],
                    "at_ms": parameters["at_ms"],
                },
            ),
            "versions": ((self._versions_text(),), _chosen(parameters["experiment_ids"])),
            "model points": (
                (*runs, texts.MODELS, texts.MODEL_PARAMS, texts.MODEL_TAGS, texts.MODEL_POINTS),
                bound,
            ),
        }.get(question, (runs, bound))
        return f"SQLite: {'; '.join(statements)}; bound to {json.dumps(names, ensure_ascii=False)}"

    def _cut(self, rows: Sequence[Row], limit: int, what: str) -> None:
        if len(rows) >= limit:
            self._warnings.append(f"from the SQLite file only the newest {limit} {what} were read")

    def _experiments_text(self) -> str:
        return texts.EXPERIMENTS.format(
            workspace="workspace" if "workspace" in self._columns["experiments"] else "null"
        )

    @property
    def _same_workspace(self) -> str:
        has_them = "workspace" in self._columns["registered_model_aliases"] & self._columns["model_versions"]
        return " and a.workspace = v.workspace" if has_them else ""

    def _versions_text(self) -> str:
        return texts.VERSIONS.format(
            aliases=texts.ALIASES.format(workspace=self._same_workspace)
            if self._columns["registered_model_aliases"]
            else "'[]'"
        )


def _chosen(experiment_ids: Iterable[int]) -> dict[str, Any]:
    return {"experiment_ids": json.dumps(sorted(experiment_ids))}


def _marked(texts_by_key: str) -> dict[str, str]:
    return {key: str(text) for key, text in json.loads(texts_by_key).items() if text is not None}


def _by_run(rows: Iterable[Row]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for run_id, key, value in rows:
        if value is not None:
            found.setdefault(run_id, {})[key] = str(value)
    return found


def _run(
    row: Sequence[Any],
    params: dict[str, str],
    tags: dict[str, str],
    metrics: dict[str, MetricRow],
    signs: Sequence[int | None] = (),
) -> RunRow:
    experiment_id, run_id, name, status, start_ms, end_ms = row
    newest_ms, near_ms = signs or (None, None)
    logged = params, tags, metrics
    return RunRow(experiment_id, run_id, name, status, start_ms, end_ms, *logged, newest_ms, near_ms)


class MlflowSqliteSource(OpenedSource[SqliteDatabase]):
    """The SQLite file that MLFLOW_TRACKING_URI names."""

    what = "MLflow's SQLite file"

    def __init__(self, settings: Settings) -> None:
        self._path = sqlite_path(settings)
        self.address = f"sqlite:///{self._path}"
        super().__init__(settings)

    def _open(self, deadline: Deadline) -> SqliteDatabase:
        return SqliteDatabase(self._path, deadline=deadline)

    def _asked(self, opened: SqliteDatabase, parameters: Mapping[str, Any], deadline: Deadline) -> Asked:
        rows = SqliteRows(opened, parameters)
        rows.require_tables()
        return Asked(
            self.address, RowAnswers(rows), file_version(rows), None, sql.VERSIONS, parameters, deadline
        )


def sqlite_path(settings: Settings) -> Path:
    """The file of `sqlite:///relative` or `sqlite:////absolute`, as SQLAlchemy means it: relative to the
    current folder, and quoted since its version 2.1.
    """
    written = settings["MLFLOW_TRACKING_URI"].reveal().partition(":///")[2].partition("?")[0]
    meant = Path(unquote(written)).absolute()
    # which says no, too, of what may not be looked at: opening it says why
    is_written = not lexists(meant) and lexists(written)
    return Path(written).absolute() if is_written else meant


def file_version(rows: SqliteRows) -> str:
    """The library's version and MLflow's schema revision."""
    return f"SQLite {sqlite3.sqlite_version}" + (f", MLflow schema {rows.revision}" if rows.revision else "")
