"""Behind PgBouncer in transaction mode all works, and nothing of our session reaches another client of the pool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from live_dashboards.demo.server_process import ServerProcess, make_work_folder, postgres_account, remove_work_folder
from live_dashboards.errors import SourceError
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import postgres
from live_dashboards.sources.mlflow.postgres import MlflowConnection
from tests.sources.hand_clock import HandClock
from tests.sources.mlflow_reading import ab_test, ask, logged
from tests.support.waiting import LONGEST_SECONDS

SETTINGS = """
[databases]
{name} = host={host} port={port} dbname={name} user='{user}' password='{password}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 1
unix_socket_dir =
"""


@pytest.fixture
def pooler_port(mlflow_database) -> Iterator[int]:
    """The port of a pooler with a single server connection."""
    database, account = mlflow_database, postgres_account()
    folder = make_work_folder(account)
    facts = {"name": database.name, "host": database.host, "port": database.port, "user": database.user, "password": database.password.replace("'", "''")}

    def command(port: int) -> list[str]:
        (folder / "pgbouncer.ini").write_text(SETTINGS.format(**facts, own_port=port, folder=folder))
        (folder / "users").write_text(f'"{database.user}" "{database.password}"\n')
        return ["/usr/sbin/pgbouncer", str(folder / "pgbouncer.ini")]

    pooler = ServerProcess("PgBouncer", command, folder=folder, is_ready=lambda port: answers(database, port), account=account)
    try:
        pooler.start()
        yield pooler.port
    finally:
        pooler.stop()
        remove_work_folder(folder)


def client(database, port: int):
    return psycopg2.connect(host="127.0.0.1", port=port, dbname=database.name, user=database.user, password=database.password, connect_timeout=int(LONGEST_SECONDS))


def answers(database, port: int) -> bool:
    try:
        client(database, port).close()
    except psycopg2.OperationalError:
        return False
    return True


def session_of_another_client(database, port: int) -> tuple[str, str, str]:
    with closing(client(database, port)) as other, other.cursor() as cursor:
        cursor.execute("select current_setting('statement_timeout'), current_setting('transaction_read_only'), current_setting('transaction_isolation')")
        return cursor.fetchone()


def through(database, port: int, deadline: Deadline | None = None) -> MlflowConnection:
    return MlflowConnection(load_settings(environment={**database.environment, "MLFLOW_DB_PORT": str(port)}), deadline=deadline or Deadline(LONGEST_SECONDS))


def test_everything_is_read_through_the_pooler(mlflow_database, pooler_port):
    ab_test(mlflow_database.truth)
    direct, pooled = ask(mlflow_database), ask(mlflow_database, MLFLOW_DB_PORT=str(pooler_port))
    assert logged(pooled, "enhanced") == 0.8
    assert (pooled.values, pooled.runs, pooled.history, pooled.status.version) == (direct.values, direct.runs, direct.history, direct.status.version)


def test_timeout_and_read_only_do_not_leak_to_another_client(mlflow_database, pooler_port):
    ab_test(mlflow_database.truth)
    ask(mlflow_database, MLFLOW_DB_PORT=str(pooler_port))
    assert session_of_another_client(mlflow_database, pooler_port) == ("0", "off", "read committed")


def test_the_statement_timeout_works_behind_the_pooler_and_does_not_leak_after_a_failure(mlflow_database, pooler_port, monkeypatch):
    monkeypatch.setattr(postgres, "_CANCEL_SECONDS", LONGEST_SECONDS - 0.3)  # so that the server's word has time to come
    still = HandClock().deadline(LONGEST_SECONDS)
    with pytest.raises(SourceError, match="did not answer the question 'sleep'") as failed, through(mlflow_database, pooler_port, still) as connected:
        connected.rows("sleep", "select pg_sleep(600)", {})
    assert failed.value.code == "statement_timeout"
    assert "canceling statement due to statement timeout" in str(failed.value.__cause__)  # the server ended it, not only our side
    assert session_of_another_client(mlflow_database, pooler_port) == ("0", "off", "read committed")


def test_the_read_only_transaction_holds_behind_the_pooler(mlflow_database, pooler_port):
    with pytest.raises(SourceError, match="read-only transaction"), through(mlflow_database, pooler_port) as connected:
        connected.rows("write", "insert into experiments (name) values ('x') returning 1", {})


def test_the_poolers_own_refusals_are_understood(mlflow_database, pooler_port):
    for changed, code in (({"MLFLOW_DB_NAME": "nowhere"}, "no_database"), ({"MLFLOW_DB_PASSWORD": "wrong"}, "auth")):
        with pytest.raises(SourceError) as failed:
            ask(mlflow_database, MLFLOW_DB_PORT=str(pooler_port), **changed)
        assert failed.value.code == code


def test_a_startup_option_in_the_url_is_refused_by_the_pooler_with_a_fix(mlflow_database, pooler_port):
    url = f"postgresql://{mlflow_database.user}:{mlflow_database.password}@127.0.0.1:{pooler_port}/{mlflow_database.name}?options=-cwork_mem%3D64MB"
    connecting = MlflowConnection(load_settings(environment={"MLFLOW_DB_URL": url}), deadline=Deadline(LONGEST_SECONDS))
    with pytest.raises(SourceError, match="refuses a startup option") as failed, connecting:
        pass
    assert "MLFLOW_DB_URL" in failed.value.fix
