"""Variants wherever they are read, with the clients, servers and tables of several MLflow versions: `python -m tests.support.mlflow_versions` runs it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from live_dashboards.demo.servers import PostgresServer
from tests.conftest import MLFLOW_PASSWORD, MLFLOW_ROLE
from tests.pipeline.test_as_clients_log import MODELS, QUIET
from tests.sources.mlflow_ways import read
from tests.support.mlflow_database import MlflowDatabase
from tests.support.mlflow_server import mlflow_server
from tests.support.mlflow_tables import tracking_uri
from tests.support.mlflow_versions import VERSIONS, python_of

LOGS = """
import sys
import mlflow

uri, folder, _ = sys.argv[1:]
mlflow.set_tracking_uri(uri)
client = mlflow.MlflowClient()
mlflow.set_experiment(experiment_id=mlflow.create_experiment("own tag", artifact_location=folder))
for lane, accuracy in (("control", 0.774), ("new", 0.848)):
    with mlflow.start_run():
        mlflow.set_tag("my lane", lane)
        mlflow.log_metric("accuracy", accuracy)
mlflow.set_experiment(experiment_id=mlflow.create_experiment("by alias", artifact_location=folder))
client.create_registered_model("fraud")
for alias, accuracy in (("champion", 0.774), ("challenger", 0.848)):
    with mlflow.start_run() as run:
        mlflow.log_metric("accuracy", accuracy)
    version = client.create_model_version("fraud", f"{run.info.artifact_uri}/m", run.info.run_id)
    client.set_registered_model_alias("fraud", alias, version.version)
"""
BY_VERSION = [(version, kind) for version in VERSIONS for kind in ("compare", "evaluate", "external params", "external tags") if version != "2.22"]
_numbers = count(1)


@dataclass(frozen=True)
class Logged:
    """Where one client logs the same into PostgreSQL and into a file with a server of its version over it."""

    python: Path
    folder: Path
    uris: tuple[str, str]
    environments: dict[str, dict[str, str]]

    def run(self, program: str, kind: str = "") -> None:
        for uri in self.uris:
            command = [str(self.python), "-W", "ignore", "-c", program, uri, str(self.folder / "artifacts"), kind]
            done = subprocess.run(command, cwd=self.folder, env={**QUIET, "HOME": str(self.folder)}, check=False, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr

    def accuracies(self, **settings: str) -> list[dict[str, float]]:
        """By variant, in each way."""
        found = (read(environment, **settings).values for environment in self.environments.values())
        return [{value.variant: round(value.value, 6) for value in values if value.metric.startswith("accuracy")} for values in found]


@pytest.fixture
def logged(postgres: PostgresServer, tmp_path: Path, request: pytest.FixtureRequest):
    python = PYTHONS[request.param]
    name = f"mlflow_of_version_{next(_numbers)}"
    postgres.create_database(name, owner=MLFLOW_ROLE)
    database = MlflowDatabase(postgres, name, MLFLOW_ROLE, MLFLOW_PASSWORD, 3)
    file = f"sqlite:///{tmp_path / 'mlflow.db'}"
    server = mlflow_server(file, tmp_path, str(python))
    try:
        server.start()
        environments = {"PostgreSQL": database.environment, "REST": {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{server.port}"}, "SQLite": {"MLFLOW_TRACKING_URI": file}}
        yield Logged(python, tmp_path, (tracking_uri(postgres, name, MLFLOW_ROLE, MLFLOW_PASSWORD), file), environments)
    finally:
        server.stop()


PYTHONS = {version: python_of(version) for version in VERSIONS}  # before the environment is closed


@pytest.mark.parametrize("logged", VERSIONS, indirect=True)
def test_variants_are_read_from_own_tags_aliases_and_model_names(logged):
    logged.run(LOGS)
    assert logged.accuracies(AB_EXPERIMENT="own tag", AB_VARIANT_FROM="tag:my lane") == [{"control": 0.774, "new": 0.848}] * 3
    assert logged.accuracies() == [{"champion": 0.774, "challenger": 0.848}] * 3
    assert logged.accuracies(AB_EXPERIMENT="by alias", AB_VARIANT_FROM="model_name") == [{"fraud": 0.848}] * 3


@pytest.mark.parametrize(("logged", "kind"), BY_VERSION, indirect=["logged"])
def test_what_runs_measured_of_models_is_read(logged, kind):
    logged.run(MODELS, kind)
    assert logged.accuracies() == [{"baseline": 0.774, "enhanced": 0.848}] * 3
