"""The connection test of MLflow: of its PostgreSQL from the settings to the values, one line a check, each
with its fix; then of the backup.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from functools import partial

from live_dashboards.errors import SourceError
from live_dashboards.model.check import Check, CheckState
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Asking, Deadline
from live_dashboards.sources.mlflow.address import MlflowAddress, host_and_port, mlflow_address
from live_dashboards.sources.mlflow.connection import MlflowConnection
from live_dashboards.sources.mlflow.data_checks import AB_CHECKS, MlflowData
from live_dashboards.sources.mlflow.reading import check_texts
from live_dashboards.sources.mlflow.steps import Step, run_steps, skipped
from live_dashboards.sources.mlflow.table_checks import CLOCK, TABLE_CHECKS, MlflowTables, clock_check
from live_dashboards.sources.mlflow.tracking_checks import tracking_checks

SETTINGS, HOST, PORT, TLS, LOGIN, DATABASE = (
    "MLflow settings",
    "MLflow host",
    "MLflow port",
    "MLflow TLS",
    "MLflow login",
    "MLflow database",
)
_CONNECTING = (TLS, LOGIN, DATABASE)
_DATA_CHECKS = (*TABLE_CHECKS, *AB_CHECKS, CLOCK)
_CHECK_OF_CODE = {"no_database": DATABASE, "no_connect_right": DATABASE}
_HOST_FIX = (
    "check its spelling; in Kubernetes it is name.namespace; a password with @ in a URL can look "
    "like a host too"
)
_PORT_FIX = (
    "is the server running, is the port right, does it listen on this address (listen_addresses), "
    "is a port-forward or a firewall rule needed?"
)


def mlflow_checks(settings: Settings, at: datetime) -> Iterator[Check]:
    """Each check as it ends; after one that makes the rest impossible these are skipped. Raises SettingsError
    for an unusable address or name.
    """
    if not settings.has_mlflow:
        yield Check(
            SETTINGS,
            CheckState.SKIPPED,
            "MLflow is not configured",
            "set MLFLOW_DB_HOST, MLFLOW_DB_URL or MLFLOW_TRACKING_URI",
            "not_configured",
        )
        return
    check_texts(settings)
    if settings.has_mlflow_database:
        yield from _database_checks(settings, at)
    if settings["MLFLOW_TRACKING_URI"] is not None:
        prefix = "MLflow backup " if settings.has_mlflow_database else "MLflow "
        yield from (
            replace(check, name=check.name.replace("MLflow ", prefix, 1))
            for check in tracking_checks(settings, at)
        )


def _database_checks(settings: Settings, at: datetime) -> Iterator[Check]:
    address, deadline = mlflow_address(settings), Deadline(settings.timeout_seconds)
    yield _look_at_settings(settings, address)
    reached = list(
        run_steps(
            [(HOST, lambda: _look_up(address, deadline)), (PORT, lambda: _knock(address, deadline))],
            "MLflow cannot be reached",
        )
    )
    yield from reached
    if any(check.has_failed for check in reached):
        yield from skipped([*_CONNECTING, *_DATA_CHECKS], "MLflow cannot be reached")
        return
    yield from _inside(settings, at, address)


def _inside(settings: Settings, at: datetime, address: MlflowAddress) -> Iterator[Check]:
    """The checks that need a connection."""
    try:
        with MlflowConnection(settings, deadline=Deadline(settings.timeout_seconds)) as connection:
            yield _look_at_encryption(connection, settings, address)
            yield Check(
                LOGIN, CheckState.OK, f"user {address.user!r} is logged in" if address.user else "logged in"
            )
            yield Check(
                DATABASE, CheckState.OK, f"connected to database {address.database!r} at {address.where}"
            )
            yield from run_steps(_data_steps(connection, settings, at), "an earlier check failed")
    except SourceError as error:  # only connecting raises here; each look inside catches its own
        yield from _not_connected(error)


def _data_steps(connection: MlflowConnection, settings: Settings, at: datetime) -> list[Step]:
    tables, data = MlflowTables(connection), MlflowData(connection, settings, at)
    inside = [(name, partial(look, tables)) for name, look in TABLE_CHECKS.items()]
    held = [(name, partial(look, data)) for name, look in AB_CHECKS.items()]
    return [
        *inside,
        *held,
        (CLOCK, lambda: clock_check("PostgreSQL", tables.schema.clock_difference_seconds)),
    ]


def _not_connected(error: SourceError) -> Iterator[Check]:
    """The line that the failure belongs to; a server looks at the login before the database, and what cannot
    be known is skipped.
    """
    name = _CHECK_OF_CODE.get(error.code, TLS if error.code.startswith("tls") else LOGIN)
    for each in _CONNECTING:
        if each == name:
            yield Check(name, CheckState.FAILED, error.reason, error.fix, error.code)
        elif (each, name) == (LOGIN, DATABASE):
            yield Check(LOGIN, CheckState.OK, "the server accepts user and password")
        else:
            yield from skipped([each], f"{name} failed")
    yield from skipped(list(_DATA_CHECKS), f"{name} failed")


def _look_at_settings(settings: Settings, address: MlflowAddress) -> Check:
    found = f"PostgreSQL at {address.where}, database {address.database!r}, user {address.user!r}"
    if not {"MLFLOW_DB_PASSWORD", "MLFLOW_DB_URL"}.isdisjoint(settings.placeholders):
        return Check(
            SETTINGS,
            CheckState.WARNING,
            f"{found}; the password is a placeholder of an example file",
            "set MLFLOW_DB_PASSWORD to the real one",
            "placeholder",
        )
    return Check(SETTINGS, CheckState.OK, found)


def _look_up(address: MlflowAddress, deadline: Deadline) -> Check:
    found, unknown = [], []
    for host, port in address.hosts:
        if _is_socket(host):
            found.append(f"{host} is a socket folder")
            continue
        try:
            addresses = _addresses(host, port, deadline)
        except socket.gaierror:
            unknown.append(host)
        else:
            found.append(f"{host} is {', '.join(addresses)}")
    return _judged(
        HOST, found, [f"host name {host!r} is not found" for host in unknown], _HOST_FIX, "unknown_host"
    )


def _addresses(host: str, port: int, deadline: Deadline) -> list[str]:
    asking = Asking(
        "mlflow-host", lambda: socket.getaddrinfo(host or "localhost", port, type=socket.SOCK_STREAM)
    )
    answers = asking.result(deadline, abort=lambda: None, what=f"the name lookup of {host}")
    return sorted({str(answer[4][0]) for answer in answers})


def _knock(address: MlflowAddress, deadline: Deadline) -> Check:
    found, closed = [], []
    for host, port in address.hosts:
        where = host_and_port(host, port)
        try:
            _open(host, port, deadline)
        except ConnectionRefusedError:
            closed.append(f"PostgreSQL {where} refuses the connection")
        except TimeoutError:
            closed.append(f"no answer from PostgreSQL {where} in {deadline.seconds:g} s")
        except OSError as error:
            closed.append(f"PostgreSQL {where} cannot be reached: {error.strerror or type(error).__name__}")
        else:
            found.append(f"{where} is open")
    return _judged(PORT, found, closed, _PORT_FIX, "closed")


def _open(host: str, port: int, deadline: Deadline) -> None:
    """Connects and hangs up; OSError where it cannot."""
    seconds = max(0.1, deadline.remaining_seconds)
    if not _is_socket(host):
        socket.create_connection((host or "localhost", port), timeout=seconds).close()
        return
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as local:
        local.settimeout(seconds)
        local.connect(f"{host}/.s.PGSQL.{port}")


def _judged(name: str, good: Sequence[str], bad: Sequence[str], fix: str, code: str) -> Check:
    """Fine where nothing is bad, a warning where one of several hosts is; SourceError where no host is
    good.
    """
    if not good:
        raise SourceError("; ".join(bad), fix, code)
    return (
        Check(name, CheckState.WARNING, "; ".join((*bad, *good)), fix, code)
        if bad
        else Check(name, CheckState.OK, "; ".join(good))
    )


def _look_at_encryption(connection: MlflowConnection, settings: Settings, address: MlflowAddress) -> Check:
    mode, encryption = (
        address.keywords.get("sslmode", str(settings["MLFLOW_DB_SSLMODE"])),
        connection.encryption,
    )
    if encryption:
        verified = {
            "verify-ca": "certificate verified",
            "verify-full": "certificate and host name verified",
        }.get(mode, "certificate not verified")
        return Check(TLS, CheckState.OK, f"{encryption}, {verified} (sslmode {mode})")
    if mode == "disable" or all(_is_here(host) for host, _ in address.hosts):
        return Check(TLS, CheckState.OK, f"not encrypted (sslmode {mode})")
    return Check(
        TLS,
        CheckState.WARNING,
        f"the connection is not encrypted (sslmode {mode})",
        "turn on ssl in the server, then set MLFLOW_DB_SSLMODE=verify-full",
        "not_encrypted",
    )


def _is_socket(host: str) -> bool:
    return host.startswith(("/", "@"))


def _is_here(host: str) -> bool:
    """Whether the connection does not leave this machine."""
    try:
        return host in {"", "localhost"} or _is_socket(host) or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
