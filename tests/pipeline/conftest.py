"""One pair of real servers with all worlds, shared by the tests that only read them."""

import pytest

from live_dashboards.demo.postgres_server import PostgresServer
from tests.conftest import MLFLOW_PASSWORD, MLFLOW_ROLE, filled_prometheus
from tests.support.mlflow_database import MlflowDatabase
from tests.support.worlds import Worlds, fill_mlflow, fill_prometheus


@pytest.fixture(scope="session")
def worlds(postgres: PostgresServer, mlflow_3_template: str, tmp_path_factory: pytest.TempPathFactory, end_moment: float):
    postgres.create_database("worlds", mlflow_3_template, owner=MLFLOW_ROLE)
    database = MlflowDatabase(postgres, "worlds", MLFLOW_ROLE, MLFLOW_PASSWORD, 3)
    fill_mlflow(database.truth, end_moment)
    with filled_prometheus(fill_prometheus(end_moment), tmp_path_factory.mktemp("worlds")) as prometheus:
        yield Worlds({**database.environment, **prometheus.environment, "AB_WINDOW": "2h"}, end_moment)
    postgres.drop_database("worlds")
