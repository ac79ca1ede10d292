"""The same truth of MLflow behind each way to ask for it, shared by the tests that only read it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from live_dashboards.demo.postgres_server import PostgresServer
from tests.conftest import MLFLOW_PASSWORD, MLFLOW_ROLE
from tests.sources.mlflow_ways import Ways, write_truth
from tests.support.mlflow_database import MlflowDatabase
from tests.support.mlflow_server import copy_to_sqlite, mlflow_server
from tests.support.mlflow_tables import tracking_uri


@pytest.fixture(scope="session")
def ways(postgres: PostgresServer, mlflow_3_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    """One truth in PostgreSQL, behind an MLflow server over it, and in a SQLite file."""
    folder = tmp_path_factory.mktemp("ways")
    postgres.create_database("mlflow_ways", mlflow_3_template, owner=MLFLOW_ROLE)
    database = MlflowDatabase(postgres, "mlflow_ways", MLFLOW_ROLE, MLFLOW_PASSWORD, 3)
    write_truth(database)
    copy_to_sqlite(database, folder / "mlflow #1 é.db")
    server = mlflow_server(tracking_uri(postgres, database.name, MLFLOW_ROLE, MLFLOW_PASSWORD), folder)
    try:
        server.start()
        yield Ways(database, f"http://127.0.0.1:{server.port}", folder / "mlflow #1 é.db")
    finally:
        server.stop()
