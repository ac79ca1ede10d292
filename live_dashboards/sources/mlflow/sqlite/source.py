"""Reads the A/B experiment from MLflow's SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from os.path import lexists
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.reading import Asked, OpenedSource
from live_dashboards.sources.mlflow.rows.answers import RowAnswers
from live_dashboards.sources.mlflow.sqlite.database import SqliteDatabase
from live_dashboards.sources.mlflow.sqlite.rows import SqliteRows


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
