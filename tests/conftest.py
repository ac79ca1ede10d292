"""Real servers for the tests: PostgreSQL once a session, a fresh database a test, Prometheus as the test wants it; all else is closed."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from live_dashboards.demo.server_process import STARTED
from live_dashboards.demo.servers import PostgresServer, PrometheusServer
from live_dashboards.errors import SettingsError
from tests.support import pace
from tests.support.closed_network import close_environment, close_network
from tests.support.engines import engine_versions, keep_engines
from tests.support.fault_proxy import FaultProxy
from tests.support.mlflow_database import MlflowDatabase, drop_database
from tests.support.mlflow_tables import SCHEMA_OF_MLFLOW_2, make_tables, tracking_uri
from tests.support.orphans import end_with
from tests.support.prometheus_truth import PrometheusTruth
from tests.support.standard_truth import standard_truth

# The same examples in each run, and no limit of time: neither chance nor a busy machine fails a change. `--hypothesis-profile=search` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")

MLFLOW_ROLE = "mlflow"
MLFLOW_PASSWORD = "p@ss:w/o%rd #1'x"  # every character that some program misreads
LOG_LINES_COUNT = 50  # of each server that is up where a test fails
ENGINES: pytest.StashKey[dict[str, str]] = pytest.StashKey()
_numbers = count(1)


class RunningPrometheus(PrometheusServer):
    """A Prometheus with the truth it was filled with; `end` is the moment of its newest sample in unix seconds."""

    truth: PrometheusTruth

    @property
    def end(self) -> float:
        return self.truth.end

    @property
    def environment(self) -> dict[str, str]:
        return {"PROMETHEUS_URL": self.url}


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):  # one of the processes that pytest-xdist starts
        end_with(config.workerinput["parent_id"])
        pace.set_slowness(config.workerinput["slowness"])
    else:
        pace.set_slowness(pace.measure())
    keep_engines()
    try:
        config.stash[ENGINES] = engine_versions()
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
    config.addinivalue_line("markers", "mlflow_versions(*versions): run the test once with the tables of each of these MLflow versions (2, 3); default 3")


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [
        f"slowness: {pace.slowness()} (this machine takes so many times longer than usual; tests wait accordingly)",
        "engines: " + ", ".join(f"{name} {version}" for name, version in config.stash[ENGINES].items()),
    ]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called where pytest-xdist starts a process."""
    node.workerinput |= {"slowness": pace.slowness(), "parent_id": os.getpid()}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """What the servers said stands below what the test said."""
    report: pytest.TestReport = yield
    if report.failed:
        report.sections += [(f"log of {server.name} on port {server.port}", "\n".join(server.log.splitlines()[-LOG_LINES_COUNT:])) for server in STARTED]
    return report


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("mlflow_versions")
    if marker is not None:
        metafunc.parametrize("mlflow_database", marker.args, indirect=True, ids=[f"mlflow-{version}" for version in marker.args])


@pytest.fixture(scope="session", autouse=True)
def closed_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting of the caller comes in, be it from the environment or from the settings file of this checkout; no connection leaves loopback."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("nowhere", numbered=True))
        close_environment(list(os.environ), patch)
        close_network(patch)
        yield


@pytest.fixture(autouse=True)
def own_log_level() -> Iterator[None]:
    """A command that ran in this process leaves its --quiet or --verbose to no later test, whichever that is."""
    log = logging.getLogger("live_dashboards")
    level = log.level
    yield
    log.setLevel(level)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this session with the role that owns MLflow's databases."""
    with PostgresServer() as server:
        server.create_role(MLFLOW_ROLE, MLFLOW_PASSWORD)
        yield server


@pytest.fixture(scope="session")
def mlflow_3_template(postgres: PostgresServer) -> str:
    """A database whose tables the newest MLflow 3 made, here and now."""
    postgres.create_database("mlflow_3", owner=MLFLOW_ROLE)
    make_tables(tracking_uri(postgres, "mlflow_3", MLFLOW_ROLE, MLFLOW_PASSWORD))
    return "mlflow_3"


@pytest.fixture(scope="session")
def mlflow_2_template(postgres: PostgresServer) -> str:
    """A database with the tables that MLflow 2.22 made."""
    postgres.create_database("mlflow_2", owner=MLFLOW_ROLE)
    with closing(postgres.connect("mlflow_2", user=MLFLOW_ROLE, password=MLFLOW_PASSWORD)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA_OF_MLFLOW_2.read_text(encoding="utf-8"))
    return "mlflow_2"


@pytest.fixture
def mlflow_database(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[MlflowDatabase]:
    """A fresh database with MLflow's tables, owned by the role that `environment` names."""
    version: int = getattr(request, "param", 3)
    template: str = request.getfixturevalue(f"mlflow_{version}_template")
    name = f"mlflow_test_{next(_numbers)}"
    postgres.create_database(name, template, owner=MLFLOW_ROLE)
    yield MlflowDatabase(postgres, name, MLFLOW_ROLE, MLFLOW_PASSWORD, version)
    drop_database(postgres, name)


@pytest.fixture
def mlflow_reader(mlflow_database: MlflowDatabase) -> MlflowDatabase:
    """The same database through a role that can only read; write the truth through `mlflow_database`."""
    return mlflow_database.reader()


@pytest.fixture(scope="session")
def end_moment() -> float:
    """The moment at which standard data end: the whole minute in which the session began, in unix seconds."""
    return time.time() // 60 * 60


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Callable[..., RunningPrometheus]]:
    """`prometheus(truth, flags=[...])`: a running Prometheus that holds this truth."""
    with ExitStack() as running:
        yield lambda truth, **more: running.enter_context(filled_prometheus(truth, tmp_path, **more))


@pytest.fixture(scope="session")
def standard_prometheus(tmp_path_factory: pytest.TempPathFactory, end_moment: float) -> Iterator[RunningPrometheus]:
    """A Prometheus with the standard truth, shared by all tests that only read it."""
    with filled_prometheus(standard_truth(end_moment), tmp_path_factory.mktemp("standard")) as server:
        yield server


@pytest.fixture
def fault_proxy() -> Iterator[Callable[[str, int], FaultProxy]]:
    """`fault_proxy(host, port)`: a proxy before that server which misbehaves when told to."""
    with ExitStack() as running:
        yield lambda host, port: running.enter_context(FaultProxy(host, port))


@pytest.fixture(scope="session")
def two_tests(postgres: PostgresServer, mlflow_3_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Any]]:
    """Makes `Sources` that hold two A/B tests: a database of its own each time, one Prometheus for all, each behind a proxy of its own.

    Prometheus' samples go on into the future, so that a suite that takes long still finds fresh ones.
    """
    from tests.web.two_tests import Sources, fill_mlflow, fill_prometheus  # which know the servers of this file

    end = time.time() // 60 * 60 + 3 * 3600
    with ExitStack() as running:
        prometheus = running.enter_context(filled_prometheus(fill_prometheus(end), tmp_path_factory.mktemp("web")))

        def make() -> Sources:
            name = f"web_{len(names)}"
            names.append(name)
            postgres.create_database(name, mlflow_3_template, owner=MLFLOW_ROLE)
            database = MlflowDatabase(postgres, name, MLFLOW_ROLE, MLFLOW_PASSWORD, 3)
            fill_mlflow(database.truth)
            in_front = [
                running.enter_context(FaultProxy(*address)) for address in ((database.host, database.port), ("127.0.0.1", int(prometheus.url.rpartition(":")[2])))
            ]
            return Sources(database, prometheus, *in_front)

        names: list[str] = []
        yield make
    for name in names:
        drop_database(postgres, name)


def filled_prometheus(truth: PrometheusTruth, folder: Path, **more: Any) -> RunningPrometheus:
    """A Prometheus, not yet started, that will hold this truth."""
    server = RunningPrometheus(**more)
    server.truth = truth
    with ExitStack() as undo:
        undo.callback(server.stop)
        server.backfill(truth.write(folder / f"truth-{next(_numbers)}.txt"))
        undo.pop_all()
    return server
