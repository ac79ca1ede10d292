"""An MLflow server of the tests' own MLflow on loopback, and the rows of a PostgreSQL database in a SQLite file."""

from __future__ import annotations

import sqlite3
import sys
import urllib.request
from contextlib import closing
from pathlib import Path
from urllib.error import URLError

from live_dashboards.demo.server_process import LOOPBACK, ServerProcess
from tests.support.mlflow_database import MlflowDatabase
from tests.support.waiting import LONGEST_SECONDS

COPIED = (
    # data sets of runs
    "datasets",
    "inputs",
    "input_tags",
    "experiments",
    "runs",
    "params",
    "tags",
    "metrics",
    "latest_metrics",
    "registered_models",
    "model_versions",
    "registered_model_aliases",
    # what MLflow 3 keeps by model
    "logged_models",
    "logged_model_params",
    "logged_model_tags",
    "logged_model_metrics",
)


def mlflow_server(backend_uri: str, folder: Path, python: str = sys.executable) -> ServerProcess:
    """A server over that store, of that interpreter's MLflow, not yet started."""

    def command(port: int) -> list[str]:
        start = ["-W", "ignore", "-m", "mlflow", "server", "--workers", "1", "--host", LOOPBACK, "--port", str(port)]
        return ["/usr/bin/env", f"HOME={folder}", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false", python, *start, "--backend-store-uri", backend_uri]

    return ServerProcess("mlflow", command, folder=folder, is_ready=_is_ready)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/health", timeout=LONGEST_SECONDS) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def copy_to_sqlite(database: MlflowDatabase, path: Path) -> None:
    """The rows of the database into the tables that MLflow has made in a SQLite file."""
    with closing(database.connect()) as source, source.cursor() as cursor, closing(sqlite3.connect(path, timeout=LONGEST_SECONDS)) as target, target:
        for table in COPIED:
            target.execute(f"delete from {table}")  # a constant of this file
            cursor.execute(f"select * from {table}")  # a constant of this file
            names = [column[0] for column in cursor.description]
            places = ", ".join("?" for _ in names)
            target.executemany(f"insert into {table} ({', '.join(names)}) values ({places})", cursor.fetchall())  # the table's own columns
