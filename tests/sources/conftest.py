"""The same truth of MLflow behind each way to ask for it, shared by the tests that only read it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from live_dashboards.demo.servers import PostgresServer
from tests.conftest import MLFLOW_PASSWORD, MLFLOW_ROLE
from tests.sources.mlflow_ways import Ways, write_truth
from tests.support.mlflow_database import MlflowDatabase
from tests.support.mlflow_server import copy_to_sqlite, mlflow_server


@pytest.fixture(scope="session")
def ways(postgres: PostgresServer, mlflow_3_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    """One truth in PostgreSQL, in a SQLite file, and behind an MLflow server over that file."""
    folder = tmp_path_factory.mktemp("ways")
    postgres.create_database("mlflow_ways", mlflow_3_template, owner=MLFLOW_ROLE)
    database = MlflowDatabase(postgres, "mlflow_ways", MLFLOW_ROLE, MLFLOW_PASSWORD, 3)
    write_truth(database)
    path = folder / "mlflow #1 é.db"
    server = mlflow_server(f"sqlite:///{path}", folder)
    try:
        server.start()  # which makes the tables
        copy_to_sqlite(database, path)
        yield Ways(database, f"http://127.0.0.1:{server.port}", path)
    finally:
        server.stop()
