"""A streaming standby of PostgreSQL: it is read where it comes first or is preferred, and where it is down the primary answers."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest

from live_dashboards.demo.programs import postgres_programs
from live_dashboards.demo.server_process import LOOPBACK, ServerProcess, make_work_folder, postgres_account, remove_work_folder, run_program
from live_dashboards.errors import SourceError
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.postgres import MlflowConnection
from tests.sources.mlflow_reading import ab_test, ask, logged
from tests.support.waiting import LONGEST_SECONDS, wait_until

SETTINGS = ("fsync=off", "shared_buffers=16MB", f"listen_addresses={LOOPBACK}", "unix_socket_directories=")


@pytest.fixture
def standby(mlflow_database) -> Iterator[ServerProcess]:
    """A standby that streams from the session's server: a base backup of it, made now, without pg_basebackup, which not every PostgreSQL brings."""
    primary, account, programs = mlflow_database.server, postgres_account(), postgres_programs()
    folder = make_work_folder(account)
    source = f"host={primary.host} port={primary.port} user={primary.user} password={primary.password}"

    def command(port: int) -> list[str]:
        return [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), *(part for setting in SETTINGS for part in ("-c", setting))]

    server = ServerProcess("standby", command, folder=folder, is_ready=lambda port: is_up(mlflow_database, port), account=account)
    try:
        with closing(psycopg2.connect(f"{source} dbname=postgres")) as connection:
            back_up(connection, folder / "data", lambda *command: run_program(command, folder=folder, account=account))
        give(folder / "data", "standby.signal", "")
        with (folder / "data/postgresql.auto.conf").open("a") as settings:
            settings.write(f"primary_conninfo = '{source}'\n")
        server.start()
        yield server
    finally:
        server.stop(signal.SIGINT)
        remove_work_folder(folder)


def back_up(connection, data: Path, run: Callable[..., object]) -> None:
    """The server's files as they are between the two calls, and the label that tells from where they are replayed."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("select pg_backup_start('standby', fast => true), current_setting('data_directory')")
        source = Path(cursor.fetchone()[1])
        run("cp", "-a", source, data)
        cursor.execute("select labelfile from pg_backup_stop(wait_for_archive => false)")
        give(data, "backup_label", cursor.fetchone()[0])
    for name in ("postmaster.pid", "postmaster.opts"):
        (data / name).unlink(missing_ok=True)


def give(data: Path, name: str, text: str) -> None:
    """A file that the server may change, as it does with its own."""
    path, owner = data / name, data.stat()
    path.write_text(text)
    os.chown(path, owner.st_uid, owner.st_gid)


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
    with MlflowConnection(load_settings(environment=environment), deadline=Deadline(LONGEST_SECONDS)) as connection:
        return connection.rows("who answers", sql, {})[0][0]


def catch_up(database, environment) -> None:
    """Until the standby has all that the primary has written."""
    written = read(database.environment, "select pg_current_wal_insert_lsn()::text")  # of what is committed some may not be written yet
    wait_until(lambda: read(environment, f"select pg_last_wal_replay_lsn() >= '{written}'::pg_lsn"), "a standby that has caught up")


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

    give_way_at_once(database, port)
    assert ended_by_the_primary(database, alone).reason == f"the standby at {LOOPBACK}:{port} ended the question 'waiting' for a change of its primary"

    standby.stop(signal.SIGINT)
    for environment in (first, preferred):
        assert read(environment, "select pg_is_in_recovery()") is False
        assert logged(ask(Reached(environment)), "enhanced") == 0.83


def give_way_at_once(database, port: int) -> None:
    """Lets what the primary changes end questions on the standby, which else have half a minute."""
    with closing(database.server.connect(port=port)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("alter system set max_standby_streaming_delay = 0")
        cursor.execute("select pg_reload_conf()")


def ended_by_the_primary(database, environment) -> SourceError:
    """What is raised where a question on the standby stands in the way of what the primary has changed."""

    def change_when_asked() -> None:
        wait_until(lambda: read(environment, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"), "the question")
        database.execute("alter table runs add column later integer")

    change = threading.Thread(target=change_when_asked)
    with MlflowConnection(load_settings(environment=environment), deadline=Deadline(LONGEST_SECONDS)) as connection:
        connection.rows("runs", "select count(*) from runs", {})
        change.start()
        with pytest.raises(SourceError) as failure:
            connection.rows("waiting", "select pg_sleep(600)::text", {})
    change.join()
    return failure.value
