"""Reads the A/B experiment from MLflow's PostgreSQL: one connection, one read-only transaction, one deadline;
which tables are there is looked at first.
"""

from __future__ import annotations

import math
import os
import queue
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import psycopg2
import psycopg2.extensions

from live_dashboards.errors import SourceError
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.address import MlflowAddress, mlflow_address
from live_dashboards.sources.mlflow.errors import (
    asking_failure,
    connecting_failure,
    no_rights,
    unreadable_text,
)
from live_dashboards.sources.mlflow.questions import Parameters, Row
from live_dashboards.sources.mlflow.reading import Asked, OpenedSource
from live_dashboards.sources.mlflow.sql import filled

# the server cancels a statement this long before the deadline, so that its answer still arrives
_CANCEL_SECONDS = 0.1
_APPLICATION_NAME = "live-dashboards"

REQUIRED_TABLES = ("experiments", "runs", "metrics", "latest_metrics", "params", "tags")
_OPTIONAL_TABLES = ("model_versions", "registered_model_aliases", "alembic_version")
_USUAL_SCHEMA = "public"


class MlflowConnection:
    """A context manager over one driver connection; raises SourceError with the reason and the fix,
    SettingsError for an unusable address.
    """

    warnings: tuple[str, ...] = ()

    def __init__(self, settings: Settings, *, deadline: Deadline) -> None:
        self.address: MlflowAddress = mlflow_address(settings)
        self._deadline = deadline
        self._lock = threading.Lock()
        self._arrivals: queue.SimpleQueue[psycopg2.extensions.connection | Exception] = queue.SimpleQueue()
        self._is_given_up = False
        self._driver: psycopg2.extensions.connection | None = None
        self._socket: socket.socket | None = None
        self._watchdog = threading.Timer(deadline.remaining_seconds, self.abort)
        self._watchdog.daemon = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._arrive, name="mlflow-connect", daemon=True).start()
        try:
            arrived = self._arrivals.get(timeout=self._deadline.remaining_seconds)
        except queue.Empty:
            arrived = TimeoutError("timeout expired")
        if isinstance(arrived, Exception):
            self._give_up()
            raise connecting_failure(arrived, self.address, seconds=self._deadline.seconds) from arrived
        self._driver = arrived
        self._socket = socket.socket(fileno=os.dup(arrived.fileno()))
        arrived.set_session(isolation_level="REPEATABLE READ", readonly=True)
        self._watchdog.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._driver is not None:
            self._close(self._driver)
        self._watchdog.cancel()
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    @property
    def encryption(self) -> str | None:
        """The TLS version in use, None where the connection is not encrypted."""
        info = self._connected.info
        return (info.ssl_attribute("protocol") or "TLS") if info.ssl_in_use else None

    def rows(self, question: str, sql: str, parameters: Parameters) -> list[Row]:
        """All rows that the statement gives; SourceError naming the question where it cannot be answered."""
        remaining_ms = math.floor((self._deadline.remaining_seconds - _CANCEL_SECONDS) * 1000)
        try:
            if remaining_ms <= 0 or self._is_given_up:
                raise psycopg2.extensions.QueryCanceledError
            with self._connected.cursor() as cursor:
                text = filled(sql, parameters)
                cursor.execute(f"set local statement_timeout = {remaining_ms};\n{text}", parameters)
                return cursor.fetchall()
        except psycopg2.Error as error:
            is_late = self._is_given_up or isinstance(error, psycopg2.extensions.QueryCanceledError)
            raise asking_failure(
                error, self.address, question=question, seconds=self._deadline.seconds, is_late=is_late
            ) from error
        except UnicodeDecodeError as error:
            raise unreadable_text(self.address, question) from error

    def optional_rows(self, question: str, sql: str, parameters: Parameters) -> list[Row] | None:
        """The rows, or None where this statement fails; what was asked before and comes after is not lost
        with it.
        """
        savepoint = f"savepoint live_dashboards;\n{sql}"
        try:
            return self.rows(question, savepoint, parameters)
        except SourceError:
            if self._connected.closed or self._deadline.remaining_seconds <= _CANCEL_SECONDS:
                raise
            with self._connected.cursor() as cursor:
                cursor.execute("rollback to savepoint live_dashboards")
            return None

    def text(self, question: str, sql: str, parameters: Parameters) -> str:  # noqa: ARG002 the text says it all
        """The statement with these parameters filled in."""
        with self._connected.cursor() as cursor:
            return cursor.mogrify(filled(sql, parameters), parameters).decode(errors="replace")

    def abort(self) -> None:
        """Ends a call that is under way in another thread, within moments: it raises SourceError there."""
        self._give_up()
        self._arrivals.put(TimeoutError("timeout expired"))
        with self._lock:
            if self._socket is not None:
                try:
                    self._socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    return  # the other side was faster

    @property
    def _connected(self) -> psycopg2.extensions.connection:
        if self._driver is None:
            raise RuntimeError("MlflowConnection is used outside its with block")
        return self._driver

    def _arrive(self) -> None:
        """Connects in a thread of its own: a name lookup knows no deadline, and the driver's own counts per
        address.
        """
        try:
            driver = psycopg2.connect(**self._keywords())
        except (psycopg2.Error, UnicodeError) as error:
            self._arrivals.put(error)
            return
        with self._lock:
            if not self._is_given_up:
                self._arrivals.put(driver)
                return
        driver.close()

    def _keywords(self) -> dict[str, Any]:
        remaining_seconds = self._deadline.remaining_seconds
        defaults = {
            "connect_timeout": max(1, math.ceil(remaining_seconds / len(self.address.hosts))),
            "application_name": _APPLICATION_NAME,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": math.ceil(remaining_seconds * 1000),
        }
        return defaults | dict(self.address.keywords)

    def _give_up(self) -> None:
        with self._lock:
            self._is_given_up = True

    def _close(self, driver: psycopg2.extensions.connection) -> None:
        """Ends the transaction, so that a pooler gets its connection back clean."""
        try:
            if not self._is_given_up:
                driver.rollback()
        except psycopg2.Error:
            pass  # the connection is gone, and the transaction with it
        finally:
            driver.close()


@dataclass(frozen=True, slots=True)
class SchemaTable:
    """One table by the name that the search path resolves, and the schemas that have one of this name."""

    is_there: bool
    is_readable: bool
    is_writable: bool
    schemas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MlflowSchema:
    """What the database says of itself; `clock_difference_seconds` is the server's clock minus this
    machine's.
    """

    user: str
    search_path: str
    server_version: str
    revision: str | None
    clock_difference_seconds: float
    tables: Mapping[str, SchemaTable]

    @property
    def version(self) -> str:
        """PostgreSQL's version and MLflow's schema revision, where it may be read."""
        mlflow = f", MLflow schema {self.revision}" if self.revision else ""
        return f"PostgreSQL {self.server_version}{mlflow}"

    @property
    def writable_tables(self) -> tuple[str, ...]:
        """The required tables that the user may also write."""
        return tuple(name for name in REQUIRED_TABLES if self.tables[name].is_writable)


def read_schema(connection: MlflowConnection) -> MlflowSchema:
    """The schema as this user sees it, usable or not; see `require_tables` and `require_rights`."""
    before_seconds = time.time()
    user, search_path, server_version, clock_seconds, _ = connection.rows("session", sql.SESSION, {})[0]
    difference_seconds = float(clock_seconds) - (before_seconds + time.time()) / 2
    rows = connection.rows("schema", sql.SCHEMA, {"tables": [*REQUIRED_TABLES, *_OPTIONAL_TABLES]})
    tables = {
        name: SchemaTable(there, readable, writable, tuple(schemas))
        for name, there, readable, writable, schemas in rows
    }
    revision = (
        connection.optional_rows("revision", sql.REVISION, {})
        if tables["alembic_version"].is_readable
        else None
    )
    return MlflowSchema(
        user,
        search_path or "",
        server_version.split()[0],
        revision[0][0] if revision else None,
        difference_seconds,
        tables,
    )


def require_tables(schema: MlflowSchema, connection: MlflowConnection) -> None:
    """SourceError with the fix where a table that is needed is not there."""
    missing = [name for name in REQUIRED_TABLES if not schema.tables[name].is_there]
    if missing:
        raise _without_tables(schema, missing, connection)


def require_rights(schema: MlflowSchema) -> None:
    """SourceError with the statements that help where a table that is needed is not readable."""
    unreadable = [name for name in REQUIRED_TABLES if not schema.tables[name].is_readable]
    if unreadable:
        raise no_rights(unreadable, schema.user)


def _without_tables(schema: MlflowSchema, missing: list[str], connection: MlflowConnection) -> SourceError:
    where = f"database {connection.address.database!r} at {connection.address.where}"
    elsewhere = schema.tables["experiments"].schemas
    quoted = '"' + schema.user.replace('"', '""') + '"'
    if "experiments" in missing and elsewhere:
        place = '"' + elsewhere[0].replace('"', '""') + '"'
        return SourceError(
            f"connected, but MLflow's tables in {where} lie in schema {', '.join(elsewhere)}, which "
            f"user {schema.user!r} does not see",
            f"let the owner run: grant usage on schema {place} to {quoted}; alter "
            f"role {quoted} set search_path = {place};",
            "no_tables",
        )
    names = "MLflow tables" if len(missing) == len(REQUIRED_TABLES) else f"tables {', '.join(missing)}"
    return SourceError(
        f"connected, but there are no {names} in schema(s) {schema.search_path or _USUAL_SCHEMA} of {where}",
        "is this the database of --backend-store-uri, or does the MLflow server use SQLite? A "
        "server makes its tables on its first start",
        "no_tables",
    )


class PostgresSource(OpenedSource[MlflowConnection]):
    """MLflow's PostgreSQL as the settings name it; raises SettingsError where they cannot name one."""

    what = "PostgreSQL"

    def __init__(self, settings: Settings) -> None:
        address = mlflow_address(settings)
        self.address = f"{address.where}/{address.database}"
        super().__init__(settings)

    def _open(self, deadline: Deadline) -> MlflowConnection:
        return MlflowConnection(self._settings, deadline=deadline)

    def _asked(self, opened: MlflowConnection, parameters: Mapping[str, Any], deadline: Deadline) -> Asked:
        schema = read_schema(opened)
        require_tables(schema, opened)
        require_rights(schema)
        return Asked(
            self.address,
            opened,
            schema.version,
            schema.clock_difference_seconds,
            versions_text(schema),
            parameters,
            deadline,
        )


def versions_text(schema: MlflowSchema) -> str | None:
    """The question for model versions as far as this schema and user can answer it: read-only roles often see
    neither table.
    """
    if not schema.tables["model_versions"].is_readable:
        return None
    has_aliases = schema.tables["registered_model_aliases"].is_readable
    return sql.VERSIONS.format(aliases=sql.ALIASES if has_aliases else "array[]::text[]")
