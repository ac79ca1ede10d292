"""One pair of real servers with all worlds, shared by the tests that only read them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from live_dashboards.app.cli import main
from live_dashboards.demo.servers import PostgresServer
from tests.conftest import MLFLOW_PASSWORD, MLFLOW_ROLE, filled_prometheus
from tests.support.mlflow_database import MlflowDatabase, drop_database
from tests.support.mlflow_versions import FOLDER_VARIABLE
from tests.support.waiting import LONGEST_SECONDS
from tests.support.worlds import Worlds, fill_mlflow, fill_prometheus

ROOT = Path(__file__).resolve().parents[2]
# a command of its own, not of the suite
collect_ignore = [] if FOLDER_VARIABLE in os.environ else ["test_mlflow_versions.py"]


@pytest.fixture(scope="session")
def worlds(postgres: PostgresServer, mlflow_3_template: str, tmp_path_factory: pytest.TempPathFactory, end_moment: float):
    postgres.create_database("worlds", mlflow_3_template, owner=MLFLOW_ROLE)
    database = MlflowDatabase(postgres, "worlds", MLFLOW_ROLE, MLFLOW_PASSWORD, 3)
    fill_mlflow(database.truth, end_moment)
    with filled_prometheus(fill_prometheus(end_moment), tmp_path_factory.mktemp("worlds")) as prometheus:
        own = {"AB_WINDOW": "2h", "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}
        yield Worlds({**database.environment, **prometheus.environment, **own}, end_moment)
    drop_database(postgres, "worlds")


@pytest.fixture
def run(worlds, tmp_path, capsys, monkeypatch):
    """`run("ab", "--at", ..., AB_X="...")`: exit code, stdout, stderr; the settings come from a file, as with cron."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments, **changes):
        write_settings(worlds, tmp_path, changes)
        try:
            code = main(arguments)
        except SystemExit as leaving:
            code = leaving.code
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def start(worlds, tmp_path):
    """`start("ab", ..., AB_X="...")`: the command as a process of its own, under way; what still runs at the end is killed. `program` is what Python runs."""
    started = []

    def begin(*arguments, program=("-m", "live_dashboards"), **changes):
        write_settings(worlds, tmp_path, changes)
        command = [sys.executable, *program, *arguments]
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def write_settings(worlds, folder, changes):
    values = {**worlds.environment, "AB_EXPERIMENT": "base", **changes}
    lines = [f"{name}={json.dumps(value)}" for name, value in values.items() if value]
    path = folder / ".env.live-dashboards"
    path.touch(0o600)
    path.write_text("\n".join(lines))
