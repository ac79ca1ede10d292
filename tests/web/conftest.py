"""A browser, and the web page over real sources that tests can change, cut off and bring back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from live_dashboards.demo.postgres_server import PostgresServer
from live_dashboards.web.access.passwords import generate_password, hash_password
from tests.conftest import MLFLOW_PASSWORD, MLFLOW_ROLE, filled_prometheus
from tests.support.fault_proxy import FaultProxy
from tests.support.mlflow_database import MlflowDatabase
from tests.web.live_page import LivePage
from tests.web.two_tests import Sources, fill_mlflow, fill_prometheus

# Nothing but loopback can be reached, nor looked up, whatever the page or the browser itself wants.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def two_tests(postgres: PostgresServer, mlflow_3_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Sources]]:
    """Makes sources that hold two A/B tests: a database of its own each time, one Prometheus for all, each behind a proxy of its own.

    Prometheus' samples go on into the future, so that a suite that takes long still finds fresh ones.
    """
    end = time.time() // 60 * 60 + 3600
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
        postgres.drop_database(name)


@pytest.fixture
def live_page(two_tests: Callable[[], Sources], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LivePage]]:
    """`live_page(DASHBOARD_X=...)`: the web page of fresh sources, as a process of its own."""
    with ExitStack() as running:
        yield lambda **settings: running.enter_context(LivePage(two_tests(), tmp_path_factory.mktemp("page"), settings))


@pytest.fixture(scope="session")
def steady_page(two_tests: Callable[[], Sources], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePage]:
    """One page for all tests that only look at it."""
    with LivePage(two_tests(), tmp_path_factory.mktemp("steady"), {"DASHBOARD_REFRESH_INTERVAL": "5"}) as page:
        page.wait("readyz")
        yield page


@pytest.fixture(scope="session")
def password_hash() -> tuple[str, str]:
    """A password and its hash."""
    password = generate_password()
    return password, hash_password(password)
