"""Each way a database can fail becomes one sentence with its fix, within the deadline and without a secret."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from urllib.parse import quote

import pytest

from live_dashboards.errors import SourceError
from live_dashboards.model.snapshot import ChosenTest
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.postgres import MlflowConnection
from tests.sources.mlflow_reading import ab_test, ask
from tests.support.mlflow_database import drop_database
from tests.support.pace import ends_within
from tests.support.waiting import LONGEST_SECONDS, wait_until

PASSWORD = "p@ss:w/o%rd #1'x"


def failure(database, *, seconds: float = LONGEST_SECONDS, **settings: str) -> SourceError:
    told: list[ChosenTest | None] = []
    with pytest.raises(SourceError) as failed:
        ask(database, seconds=seconds, on_experiment=told.append, **settings)
    assert len(told) == 1
    assert is_one_clear_sentence(failed.value)
    return failed.value


def is_one_clear_sentence(error: SourceError) -> bool:
    text = str(error)
    return bool(error.reason and error.fix) and not any(unwanted in text for unwanted in (PASSWORD, "o%rd", "#1'x", "\n", "Traceback", "DETAIL", "FATAL", "psycopg2"))


def where(database) -> str:
    return f"{database.host}:{database.port}"


def test_a_wrong_password_names_the_user_and_what_to_check(mlflow_database):
    error = failure(replace(mlflow_database, password="wrong-one"))
    assert (error.code, error.reason) == ("auth", f"PostgreSQL {where(mlflow_database)} refuses user 'mlflow' or its password")
    assert "MLFLOW_DB_PASSWORD" in error.fix
    assert "wrong-one" not in str(error)


def test_an_unknown_user_reads_like_a_wrong_password(mlflow_database):
    assert failure(replace(mlflow_database, user="nobody")).reason.endswith("refuses user 'nobody' or its password")


def test_no_password_is_told_apart_from_a_wrong_one(mlflow_database):
    settings = {name: text for name, text in mlflow_database.environment.items() if name != "MLFLOW_DB_PASSWORD"}
    with pytest.raises(SourceError, match="wants a password for user 'mlflow' and none is given") as failed, connection(settings):
        pass
    assert "chmod 600" in failed.value.fix


def test_an_unknown_database_is_named(mlflow_database):
    error = failure(replace(mlflow_database, name="mlflowdb"))
    assert (error.code, error.reason) == ("no_database", f"database 'mlflowdb' does not exist at {where(mlflow_database)}")


def test_an_unknown_host_is_named(mlflow_database):
    error = failure(mlflow_database, MLFLOW_DB_HOST="no-such-host.invalid")
    assert (error.code, error.reason) == ("unknown_host", "host name 'no-such-host.invalid' is not found")


def test_a_closed_port_refuses(mlflow_database, fault_proxy):
    proxy = fault_proxy(mlflow_database.host, mlflow_database.port)
    proxy.refuse()
    error = failure(mlflow_database, MLFLOW_DB_PORT=str(proxy.port))
    assert (error.code, error.reason) == ("refused", f"PostgreSQL 127.0.0.1:{proxy.port} refuses the connection")


def test_a_missing_socket_refuses_too(mlflow_database):
    error = failure(mlflow_database, MLFLOW_DB_HOST="/no/such/folder")
    assert (error.code, error.reason) == ("refused", f"PostgreSQL /no/such/folder/.s.PGSQL.{mlflow_database.port} refuses the connection")


@pytest.mark.parametrize("quoted", [PASSWORD, quote(PASSWORD, safe="")], ids=["unquoted", "quoted"])
def test_a_url_reaches_the_database_and_its_failures_hide_the_password(mlflow_database, quoted):
    ab_test(mlflow_database.truth)
    url = f"postgresql+psycopg2://mlflow:{quoted}@{where(mlflow_database)}"
    with connection({"MLFLOW_DB_URL": f"{url}/{mlflow_database.name}"}) as connected:
        assert connected.rows("one", "select 1", {}) == [(1,)]
    with pytest.raises(SourceError, match="database 'gone' does not exist") as failed, connection({"MLFLOW_DB_URL": f"{url}/gone"}):
        pass
    assert is_one_clear_sentence(failed.value)


def test_several_hosts_are_tried_in_order(mlflow_database, fault_proxy):
    ab_test(mlflow_database.truth)
    proxy = fault_proxy(mlflow_database.host, mlflow_database.port)
    proxy.refuse()
    both = {"MLFLOW_DB_HOST": "127.0.0.1,127.0.0.1", "MLFLOW_DB_PORT": f"{proxy.port},{mlflow_database.port}"}
    assert ask(mlflow_database, **both).experiment == "ab"
    error = failure(replace(mlflow_database, password="wrong"), **both)
    assert error.reason == f"PostgreSQL 127.0.0.1:{proxy.port} refuses the connection; PostgreSQL {where(mlflow_database)} refuses user 'mlflow' or its password"
    assert error.code == "auth"


def test_a_silent_first_host_leaves_time_for_the_others(mlflow_database, fault_proxy):
    ab_test(mlflow_database.truth)
    proxy = fault_proxy(mlflow_database.host, mlflow_database.port)
    proxy.hang()
    others = 59  # so many that each has three seconds; one will do, but on a machine that stands still
    ports = ",".join(map(str, (proxy.port, *[mlflow_database.port] * others)))
    assert ask(mlflow_database, MLFLOW_DB_HOST=",".join(["127.0.0.1"] * (1 + others)), MLFLOW_DB_PORT=ports).experiment == "ab"


def test_too_many_connections_say_so(mlflow_database):
    reader = mlflow_database.reader()
    mlflow_database.execute(f"alter role {reader.user} connection limit 0")
    error = failure(reader)
    assert (error.code, error.reason) == ("too_many", f"PostgreSQL {where(reader)} has no free connection for user '{reader.user}'")


def test_a_role_that_may_not_connect_gets_the_grant(mlflow_database):
    reader = mlflow_database.reader()
    mlflow_database.execute(f"revoke connect on database {reader.name} from public, {reader.user}")
    error = failure(reader)
    assert error.code == "no_connect_right"
    assert f'grant connect on database "{reader.name}" to "{reader.user}"' in error.fix


def test_a_database_without_mlflows_tables_is_named_with_what_to_look_at(mlflow_database, postgres):
    postgres.create_database("empty_one", owner="mlflow")
    error = failure(replace(mlflow_database, name="empty_one"))
    drop_database(postgres, "empty_one")
    assert (error.code, error.reason) == (
        "no_tables",
        f"connected, but there are no MLflow tables in schema(s) public of database 'empty_one' at {where(mlflow_database)}",
    )
    assert "SQLite" in error.fix


@pytest.mark.mlflow_versions(2, 3)
def test_one_missing_table_is_named(mlflow_database):
    mlflow_database.execute("alter table latest_metrics rename to lost")
    assert "there are no tables latest_metrics in schema" in failure(mlflow_database).reason


def test_tables_in_a_schema_off_the_search_path_are_found(mlflow_database):
    mlflow_database.execute("alter schema public rename to ml; create schema public")
    error = failure(mlflow_database)
    assert error.code == "no_tables"
    assert "lie in schema ml, which user 'mlflow' does not see" in error.reason
    assert 'set search_path = "ml"' in error.fix


def test_a_search_path_of_the_role_is_respected(mlflow_database):
    ab_test(mlflow_database.truth)
    reader = mlflow_database.reader()
    mlflow_database.execute(f"alter schema public rename to ml; create schema public; alter role {reader.user} set search_path = ml")
    assert ask(reader).experiment == "ab"


def test_missing_read_rights_come_with_the_grant_in_the_users_name(mlflow_database):
    reader = mlflow_database.reader()
    mlflow_database.execute(f"revoke select on params, tags from {reader.user}")
    error = failure(reader)
    assert (error.code, error.reason) == ("rights", f"connected, but user '{reader.user}' may not read params, tags")
    assert f'grant select on params, tags to "{reader.user}"' in error.fix


def test_a_column_that_is_gone_names_itself(mlflow_database):
    mlflow_database.execute("alter table runs rename column lifecycle_stage to stage")
    error = failure(mlflow_database)
    assert error.code == "schema"
    assert "lifecycle_stage" in error.reason


def test_a_locked_table_ends_with_the_statement_timeout(mlflow_database, monkeypatch):
    ab_test(mlflow_database.truth)
    rows = MlflowConnection.rows

    def shortened(self, question, *more):
        if question == "history":
            self._deadline = Deadline(1.0)
        return rows(self, question, *more)

    monkeypatch.setattr(MlflowConnection, "rows", shortened)
    with mlflow_database.connect() as held, held.cursor() as cursor:
        cursor.execute("lock table metrics")
        with ends_within(1.0):
            error = failure(mlflow_database)
        held.rollback()
    held.close()
    assert error.code == "statement_timeout"
    assert error.reason.endswith("did not answer the question 'history' in 1 s")


def test_a_deadline_that_is_over_asks_nothing(mlflow_database):
    error = failure(mlflow_database, seconds=0.0)
    assert error.code in {"timeout", "statement_timeout"}  # while connecting; where that was quicker, before the first question


@pytest.mark.parametrize(("fault", "code"), [("hang", "timeout"), ("cut", "cut"), ("slow", "timeout"), ("garbage", "not_postgresql")])
def test_a_fault_while_connecting_ends_within_the_deadline(mlflow_database, fault_proxy, fault, code):
    proxy = fault_proxy(mlflow_database.host, mlflow_database.port)
    misbehave(proxy, fault)
    with ends_within(1.5):
        error = failure(mlflow_database, seconds=1.5 if code == "timeout" else LONGEST_SECONDS, MLFLOW_DB_PORT=str(proxy.port))
    assert (error.code, f"127.0.0.1:{proxy.port}" in error.reason) == (code, True)


@pytest.mark.parametrize("fault", ["hang", "cut", "slow", "garbage"])
def test_a_fault_in_the_middle_ends_within_the_deadline(mlflow_database, fault_proxy, fault):
    proxy = fault_proxy(mlflow_database.host, mlflow_database.port)
    is_over_time = fault in {"hang", "slow"}
    settings, seconds = {**mlflow_database.environment, "MLFLOW_DB_PORT": str(proxy.port)}, 1.5 if is_over_time else LONGEST_SECONDS
    with answered_before(settings, seconds) as connected:
        misbehave(proxy, fault)
        with ends_within(1.5), pytest.raises(SourceError) as failed:
            connected.rows("the middle", "select repeat('x', 100000)", {})
    assert is_one_clear_sentence(failed.value)
    assert "'the middle'" in failed.value.reason
    assert failed.value.code == ("statement_timeout" if is_over_time else "cut")


def test_another_thread_can_end_a_question(mlflow_database):
    with connection(mlflow_database.environment) as connected:
        threading.Timer(0.3, connected.abort).start()
        with ends_within(0.3), pytest.raises(SourceError, match="did not answer the question 'sleep'"):
            connected.rows("sleep", "select pg_sleep(600)", {})


def test_another_thread_can_end_the_connecting(mlflow_database, fault_proxy):
    proxy = fault_proxy(mlflow_database.host, mlflow_database.port)
    proxy.hang()
    waiting = connection({**mlflow_database.environment, "MLFLOW_DB_PORT": str(proxy.port)})
    threading.Timer(0.3, waiting.abort).start()
    with ends_within(0.3), pytest.raises(SourceError, match="no answer"), waiting:
        pass


def test_a_server_that_ends_the_session_is_told_as_closed(mlflow_database):
    with connection(mlflow_database.environment) as connected:
        pid = connected.rows("pid", "select pg_backend_pid()", {})[0][0]
        mlflow_database.execute("select pg_terminate_backend(%s)", (pid,))
        with pytest.raises(SourceError, match="closed the connection during the question 'next'") as failed:
            connected.rows("next", "select 1", {})
    assert failed.value.code == "cut"


def test_writing_is_refused_even_to_the_owner(mlflow_database):
    for statement in ("insert into experiments (name) values ('x') returning 1", "create table x ()"):
        with connection(mlflow_database.environment) as connected, pytest.raises(SourceError, match="in a read-only transaction"):
            connected.rows("write", statement, {})


def test_all_questions_see_one_moment(mlflow_database):
    with connection(mlflow_database.environment) as connected:
        before = connected.rows("count", "select count(*) from runs", {})
        ab_test(mlflow_database.truth)
        assert connected.rows("count", "select count(*) from runs", {}) == before


def test_text_in_another_encoding_is_told(mlflow_database, postgres):
    postgres.execute("create database ascii template template0 encoding 'SQL_ASCII'")
    with pytest.raises(SourceError, match="holds text that is not UTF-8") as failed, connection({**mlflow_database.environment, "MLFLOW_DB_NAME": "ascii"}) as connected:
        connected.rows("text", r"select E'caf\xe9'", {})
    drop_database(postgres, "ascii")
    assert failed.value.code == "encoding"


def test_a_text_in_another_language_goes_through_as_it_is_but_for_the_secret(mlflow_database):
    said = f"Passwort-Authentifizierung für Benutzer »mlflow« fehlgeschlagen ({PASSWORD})"
    with answering(lambda: error_message(said)) as port:
        error = failure(mlflow_database, MLFLOW_DB_PORT=str(port), MLFLOW_DB_SSLMODE="disable")
    assert error.code == "failed"
    assert "Passwort-Authentifizierung für Benutzer »mlflow« fehlgeschlagen (***)" in error.reason
    assert "psql" in error.fix


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("the database system is starting up", "not_ready"),
        ('no pg_hba.conf entry for host "127.0.0.1", user "mlflow", database "d", no encryption', "no_entry"),
        ('unsupported startup parameter: "options"', "options"),
        ("server login has been failing, try again later (server_login_retry)", "pooler"),
        ("no such database: x", "no_database"),
        ("sorry, too many clients already", "too_many"),
        ('role "mlflow" is not permitted to log in', "auth"),
    ],
)
def test_what_servers_and_poolers_say_at_login_is_understood(mlflow_database, said, code):
    with answering(lambda: error_message(said)) as port:
        assert failure(mlflow_database, MLFLOW_DB_PORT=str(port), MLFLOW_DB_SSLMODE="disable").code == code


def test_http_is_told_apart_from_postgresql(mlflow_database):
    with answering(lambda: b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        error = failure(mlflow_database, MLFLOW_DB_PORT=str(port))
    assert error.reason == f"127.0.0.1:{port} answers, but does not speak PostgreSQL"


def connection(settings: dict[str, str], seconds: float = LONGEST_SECONDS) -> MlflowConnection:
    return MlflowConnection(load_settings(environment=settings), deadline=Deadline(seconds))


@contextmanager
def answered_before(settings: dict[str, str], seconds: float) -> Iterator[MlflowConnection]:
    """A connection that has answered a question within that deadline: the first one, but on a machine that stands still."""

    def attempt() -> tuple[ExitStack, MlflowConnection] | None:
        opened = ExitStack()
        try:
            connected = opened.enter_context(connection(settings, seconds))
            connected.rows("before", "select 1", {})
        except SourceError:
            opened.close()
            return None
        return opened, connected

    opened, connected = wait_until(attempt, "an answer within the deadline")
    with opened:
        yield connected


def misbehave(proxy, fault: str) -> None:
    actions: dict[str, Callable[[], None]] = {"hang": proxy.hang, "cut": lambda: proxy.cut(1), "slow": lambda: proxy.slow(2), "garbage": proxy.garbage}
    actions[fault]()


def error_message(text: str) -> bytes:
    """What a PostgreSQL server sends when it lets nobody in."""
    fields = b"SFATAL\0C28P01\0M" + text.encode() + b"\0\0"
    return b"E" + struct.pack("!i", len(fields) + 4) + fields


@contextmanager
def answering(reply: Callable[[], bytes]) -> Iterator[int]:
    """The port of a server that answers the first message of each connection with that, and hangs up."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.recv(4096)
                    client.sendall(reply())

        server = threading.Thread(target=serve)
        server.start()
        stack.callback(server.join)
        stack.callback(listener.shutdown, socket.SHUT_RDWR)
        yield listener.getsockname()[1]
