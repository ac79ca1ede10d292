"""The demo: a PostgreSQL and a Prometheus of its own, filled with one A/B test that is still going on, and
the settings that make the dashboards read them.
"""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Self

import numpy as np
from numpy.typing import NDArray
from psycopg2 import sql

from live_dashboards.demo.exporter import CORRECT_METRIC, JOB, LABELLED_METRIC, Exporter, write_history
from live_dashboards.demo.mlflow_rows import fill_tables, make_tables
from live_dashboards.demo.programs import MissingProgramError
from live_dashboards.demo.server_process import Running, termination_unwinds, uninterrupted
from live_dashboards.demo.servers import PostgresServer, PrometheusServer, ScrapeTarget
from live_dashboards.demo.world import INSTANCES, World

DATABASE = "mlflow"
OWNER = "mlflow"
READER = "dashboard"
HISTORY_DAYS = 8  # longer than AB_MINIMUM_DAYS; each costs about a second of start-up on two cores
SCRAPE_SECONDS = 5

_READ_TABLES = ("experiments", "runs", "metrics", "latest_metrics", "params", "tags")
# both at least twice in five minutes, which the rates are taken over
_FINE_SECONDS, _COARSE_SECONDS = 60, 150
_FINE_SPAN_SECONDS = 26 * 3600


class Demo(Running):
    """Both servers, from `start` to `stop`; a context manager that also takes everything down on Ctrl-C,
    SIGTERM and SIGHUP, half-way up included.

    `environment` holds the settings to run the dashboards with; `notes` what the user should know, such as a
    program that is missing.
    """

    def __init__(self, *, history_days: float = HISTORY_DAYS) -> None:
        self.environment: dict[str, str] = {}
        self.notes: tuple[str, ...] = ()
        self._history_seconds = history_days * 86400
        self._up = ExitStack()

    def start(self) -> Self:
        """Bring everything up. Raises MissingProgramError without PostgreSQL; without Prometheus it goes on
        and `notes` says so.
        """
        with ExitStack() as undo:
            undo.callback(self.stop)
            self._up.enter_context(termination_unwinds())
            self.environment |= self._start_postgres()
            try:
                self.environment |= self._start_prometheus()
            except MissingProgramError as error:
                self.notes += (f"{error}; the demo goes on without it",)
            undo.pop_all()
        return self

    def stop(self) -> None:
        """Take everything down; harmless where nothing is up. A second Ctrl-C does not stop this half-way."""
        with uninterrupted(forget=True):
            self._up.close()
            self.environment = {}

    def settings_text(self) -> str:
        """The settings as lines of a settings file."""
        return "".join(f"{name}={value}\n" for name, value in self.environment.items())

    def _start_postgres(self) -> dict[str, str]:
        server = PostgresServer()
        self._up.callback(server.stop)
        server.start()
        owner_password, reader_password = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
        server.create_role(OWNER, owner_password)
        server.create_database(DATABASE, owner=OWNER)
        with closing(server.connect(DATABASE, user=OWNER, password=owner_password)) as connection:
            make_tables(connection)
            fill_tables(connection, datetime.now(UTC))
        _add_reader(server, reader_password)
        facts = {
            "HOST": server.host,
            "PORT": str(server.port),
            "NAME": DATABASE,
            "USER": READER,
            "PASSWORD": reader_password,
        }
        return {f"MLFLOW_DB_{name}": value for name, value in facts.items()}

    def _start_prometheus(self) -> dict[str, str]:
        now = float(int(time.time()))
        world = World(now - self._history_seconds)
        exporter = Exporter(world)
        self._up.callback(exporter.stop)
        targets = [
            ScrapeTarget(exporter.address, instance.name, exporter.path(instance)) for instance in INSTANCES
        ]
        server = PrometheusServer(scrape={JOB: targets}, scrape_interval_seconds=SCRAPE_SECONDS)
        self._up.callback(server.stop)
        history = server.folder / "history.txt"
        write_history(world, _scrape_times(world.start, now), history)
        server.backfill(history)
        history.unlink()
        exporter.start()
        server.start()
        shares = {instance.variant.name: instance.variant.traffic_share for instance in INSTANCES}
        return {
            "PROMETHEUS_URL": server.url,
            "AB_TRAFFIC_SPLIT": ",".join(f"{name}={round(100 * share)}" for name, share in shares.items()),
            "AB_ONLINE_LABELLED_METRIC": LABELLED_METRIC,
            "AB_ONLINE_CORRECT_METRIC": CORRECT_METRIC,
        }


def _scrape_times(start: float, now: float) -> NDArray[np.float64]:
    """When the history was scraped: finely over the last day, coarsely before, the last time now."""
    fine_start = max(start, now - _FINE_SPAN_SECONDS)
    coarse = np.arange(fine_start, start, -_COARSE_SECONDS)[:0:-1]
    fine = np.arange(now, fine_start, -_FINE_SECONDS)[::-1]
    return np.concatenate([[start], coarse, [fine_start] if fine_start > start else [], fine])


def _add_reader(server: PostgresServer, password: str) -> None:
    """The account a dashboard should have: it can read what it shows, and nothing else."""
    server.create_role(READER, password)
    tables = sql.SQL(", ").join(map(sql.Identifier, _READ_TABLES))
    grants = sql.SQL("grant select on {} to {}").format(tables, sql.Identifier(READER))
    server.execute(grants, database=DATABASE)
    server.execute(
        sql.SQL("alter role {} set default_transaction_read_only = on").format(sql.Identifier(READER))
    )
