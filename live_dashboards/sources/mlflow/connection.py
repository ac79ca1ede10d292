"""One read-only transaction on MLflow's PostgreSQL that ends by its deadline, whatever the network does.

Nothing is set beyond the transaction: behind a connection pooler (PgBouncer in transaction mode) a session's
settings would reach other clients, and a startup option would be refused. So the statement timeout is SET
LOCAL, and read-only is the transaction's own.
"""

from __future__ import annotations

import math
import os
import queue
import socket
import threading
from types import TracebackType
from typing import Any, Self

import psycopg2
import psycopg2.extensions

from live_dashboards.errors import SourceError
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.address import MlflowAddress, mlflow_address
from live_dashboards.sources.mlflow.failures import (
    asking_failure,
    connecting_failure,
    silence,
    unreadable_text,
)
from live_dashboards.sources.mlflow.questions import Parameters, Row

# the server cancels a statement this long before the deadline, so that its answer still arrives
_CANCEL_SECONDS = 0.1
_APPLICATION_NAME = "live-dashboards"


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
            arrived = TimeoutError()
        if isinstance(arrived, Exception):
            self._give_up()
            raise self._not_connected(arrived) from arrived
        self._driver = arrived
        self._socket = socket.socket(fileno=os.dup(arrived.fileno()))
        arrived.set_session(isolation_level="REPEATABLE READ", readonly=True)
        self._watchdog.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
                cursor.execute(f"set local statement_timeout = {remaining_ms};\n{sql}", parameters)
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
            return cursor.mogrify(sql, parameters).decode(errors="replace")

    def abort(self) -> None:
        """Ends a call that is under way in another thread, within moments: it raises SourceError there."""
        self._give_up()
        self._arrivals.put(TimeoutError())
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
        share_seconds = max(1, math.ceil(remaining_seconds / len(self.address.hosts)))
        defaults = {
            "connect_timeout": share_seconds,
            "application_name": _APPLICATION_NAME,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": math.ceil(remaining_seconds * 1000),
        }
        return defaults | dict(self.address.keywords)

    def _not_connected(self, cause: Exception) -> SourceError:
        if isinstance(cause, TimeoutError):
            return silence(self.address, seconds=self._deadline.seconds)
        return connecting_failure(cause, self.address, seconds=self._deadline.seconds)

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
