"""A streaming standby of PostgreSQL: it is read where it comes first or is preferred, and where it is down the primary answers."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote

import psycopg2
import pytest

from live_dashboards.demo.programs import postgres_programs
from live_dashboards.demo.server_process import LOOPBACK, ServerProcess, run_program
from live_dashboards.demo.work_folder import make_work_folder, postgres_account, remove_work_folder
from live_dashboards.errors import SourceError
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.connection import MlflowConnection
from tests.sources.mlflow_reading import ab_test, ask, logged

SETTINGS = ("fsync=off", "shared_buffers=16MB", f"listen_addresses={LOOPBACK}", "unix_socket_directories=", "max_standby_streaming_delay=0")


@pytest.fixture
def standby(mlflow_database) -> Iterator[ServerProcess]:
    """A standby that streams from the session's server: a base backup of it, made now."""
    primary, account, programs = mlflow_database.server, postgres_account(), postgres_programs()
    folder = make_work_folder(account)
    source = f"host={primary.host} port={primary.port} user={primary.user} password={primary.password}"

    def command(port: int) -> list[str]:
        return [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), *(part for setting in SETTINGS for part in ("-c", setting))]

    server = ServerProcess("standby", command, folder=folder, is_ready=lambda port: is_up(mlflow_database, port), account=account)
    try:
        backup = [programs / "pg_basebackup", "-d", source, "-D", folder / "data", "-R", "--checkpoint=fast", "--no-sync"]
        run_program(backup, folder=folder, account=account)
        server.start()
        yield server
    finally:
        server.stop(signal.SIGINT)
        remove_work_folder(folder)


@dataclass(frozen=True)
class Reached:
    """The database by other settings."""

    environment: dict[str, str]


def is_up(database, port: int) -> bool:
    try:
        psycopg2.connect(host=LOOPBACK, port=port, dbname=database.name, user=database.user, password=database.password).close()
    except psycopg2.OperationalError:
        return False
    return True


def read(environment, sql: str):
    with MlflowConnection(load_settings(environment=environment), deadline=Deadline(5.0)) as connection:
        return connection.rows("who answers", sql, {})[0][0]


def catch_up(database, environment) -> None:
    """Until the standby has all that the primary has written."""
    written = read(database.environment, "select pg_current_wal_insert_lsn()::text")  # of what is committed some may not be written yet
    until = time.monotonic() + 10
    while not read(environment, f"select pg_last_wal_replay_lsn() >= '{written}'::pg_lsn"):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_hot_standby_answers_as_the_primary_does_and_the_primary_where_it_is_down(mlflow_database, standby):
    database, port = mlflow_database, standby.port
    alone = database.environment | {"MLFLOW_DB_PORT": str(port)}
    first = alone | {"MLFLOW_DB_HOST": f"{LOOPBACK},{LOOPBACK}", "MLFLOW_DB_PORT": f"{port},{database.port}"}
    url = f"postgresql://{database.user}:{quote(database.password, safe='')}@{LOOPBACK}:{database.port},{LOOPBACK}:{port}/{database.name}"
    preferred = {"MLFLOW_DB_URL": f"{url}?target_session_attrs=prefer-standby"}
    ab_test(database.truth, "streamed", enhanced=0.83)  # after the backup, so that it can only come by streaming
    catch_up(database, alone)

    for environment in (first, preferred):
        assert read(environment, "select pg_is_in_recovery()") is True
    from_standby, from_primary = (ask(Reached(environment)) for environment in (first, database.environment))
    assert logged(from_standby, "enhanced") == 0.83
    assert replace(from_standby, status=from_primary.status) == from_primary

    assert ended_by_the_primary(database, alone).reason == f"the standby at {LOOPBACK}:{port} ended the question 'waiting' for a change of its primary"

    standby.stop(signal.SIGINT)
    for environment in (first, preferred):
        assert read(environment, "select pg_is_in_recovery()") is False
        assert logged(ask(Reached(environment)), "enhanced") == 0.83


def ended_by_the_primary(database, environment) -> SourceError:
    """What is raised where a question on the standby stands in the way of what the primary has changed."""
    change = threading.Timer(0.3, database.execute, ("alter table runs add column later integer",))
    with MlflowConnection(load_settings(environment=environment), deadline=Deadline(5.0)) as connection:
        connection.rows("runs", "select count(*) from runs", {})
        change.start()
        with pytest.raises(SourceError) as failure:
            connection.rows("waiting", "select pg_sleep(4)::text", {})
    change.join()
    return failure.value
