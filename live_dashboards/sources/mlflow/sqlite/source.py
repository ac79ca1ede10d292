"""Reads the A/B experiment from MLflow's SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from os.path import lexists
from pathlib import Path
from urllib.parse import unquote

from live_dashboards.model.snapshot import MlflowAnswer
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.answers import Asked
from live_dashboards.sources.mlflow.reading import Once, check_texts, question_parameters, read_each, read_one
from live_dashboards.sources.mlflow.rows.answers import RowAnswers
from live_dashboards.sources.mlflow.sqlite.database import SqliteDatabase
from live_dashboards.sources.mlflow.sqlite.rows import SqliteRows


class MlflowSqliteSource:
    """The SQLite file that MLFLOW_TRACKING_URI names."""

    what = "MLflow's SQLite file"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = sqlite_path(settings)
        self.address = f"sqlite:///{self._path}"
        self._database: SqliteDatabase | None = None
        check_texts(settings)

    def read(self, *, at: datetime, window_seconds: float, deadline: Deadline, on_experiment: Callable[[str | None], None]) -> MlflowAnswer:
        """What the file holds on the chosen experiment at that moment; see MlflowSource of `questions`."""
        tell = Once(on_experiment)
        try:
            self._database = SqliteDatabase(self._path, deadline=deadline)
            with self._database as database:
                return read_one(self._asked(database, at, window_seconds, deadline), self._settings["AB_EXPERIMENT"], tell)
        finally:
            tell(None)

    def read_all(self, *, at: datetime, window_seconds: float, deadline: Deadline) -> tuple[MlflowAnswer, ...]:
        """What `read` gives for each A/B experiment."""
        self._database = SqliteDatabase(self._path, deadline=deadline)
        with self._database as database:
            return read_each(self._asked(database, at, window_seconds, deadline))

    def abort(self) -> None:
        """Ends a read that is under way in another thread; it raises SourceError there."""
        if self._database is not None:
            self._database.abort()

    def _asked(self, database: SqliteDatabase, at: datetime, window_seconds: float, deadline: Deadline) -> Asked:
        parameters = question_parameters(self._settings, at, window_seconds)
        rows = SqliteRows(database, parameters)
        rows.require_tables()
        return Asked(self.address, RowAnswers(rows), file_version(rows), None, sql.VERSIONS, parameters, deadline)


def sqlite_path(settings: Settings) -> Path:
    """The file of `sqlite:///relative` or `sqlite:////absolute`, as SQLAlchemy means it: relative to the current folder, and quoted since its version 2.1."""
    written = settings["MLFLOW_TRACKING_URI"].reveal().partition(":///")[2].partition("?")[0]
    meant = Path(unquote(written)).absolute()
    is_written = not lexists(meant) and lexists(written)  # which says no, too, of what may not be looked at: opening it says why
    return Path(written).absolute() if is_written else meant


def file_version(rows: SqliteRows) -> str:
    """The library's version and MLflow's schema revision."""
    return f"SQLite {sqlite3.sqlite_version}" + (f", MLflow schema {rows.revision}" if rows.revision else "")
