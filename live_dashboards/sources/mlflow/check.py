"""The connection test of MLflow, whichever way leads to it: every check one line, with the fix."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from typing import Any

from live_dashboards.errors import SourceError
from live_dashboards.model.notices import Check, CheckState
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Asking, Deadline
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.address import MlflowAddress, host_and_port, mlflow_address
from live_dashboards.sources.mlflow.data_checks import AB_CHECKS, MlflowData
from live_dashboards.sources.mlflow.postgres import (
    REQUIRED_TABLES,
    MlflowConnection,
    MlflowSchema,
    read_schema,
    require_rights,
    require_tables,
    versions_text,
)
from live_dashboards.sources.mlflow.questions import ANY_TEST, Preference, Questions
from live_dashboards.sources.mlflow.reading import check_texts, question_parameters
from live_dashboards.sources.mlflow.rest.exchange import RestClient, rest_endpoint
from live_dashboards.sources.mlflow.rest.source import RestRows, server_version
from live_dashboards.sources.mlflow.rows.rules import RowAnswers
from live_dashboards.sources.mlflow.sqlite.database import SqliteDatabase
from live_dashboards.sources.mlflow.sqlite.source import SqliteRows, file_version, sqlite_path

Step = tuple[str, Callable[[], Check]]

CLOCK = "MLflow clock"
_CLOCK_SECONDS = 60.0

TRACKING, SERVER, TRACKING_LOGIN, API, FILE, TABLES, READ_RIGHTS, WRITE_RIGHTS = (
    f"MLflow {thing}"
    for thing in ("settings", "server", "login", "API", "file", "tables", "read rights", "write rights")
)
_LAYERS = (SERVER, TRACKING_LOGIN, API)
_API_CODES = {"not_found", "not_mlflow", "http_error", "host_not_allowed", "redirect"}

SETTINGS, HOST, PORT, TLS, LOGIN, DATABASE = (
    "MLflow settings",
    "MLflow host",
    "MLflow port",
    "MLflow TLS",
    "MLflow login",
    "MLflow database",
)
_CONNECTING = (TLS, LOGIN, DATABASE)
_CHECK_OF_CODE = {"no_database": DATABASE, "no_connect_right": DATABASE}
_HOST_FIX = (
    "check its spelling; in Kubernetes it is name.namespace; a password with @ in a URL can look "
    "like a host too"
)
_PORT_FIX = (
    "is the server running, is the port right, does it listen on this address (listen_addresses), "
    "is a port-forward or a firewall rule needed?"
)


def run_steps(steps: Sequence[Step], reason: str) -> Iterator[Check]:
    """The checks in turn; what raises SourceError fails and makes the rest impossible."""
    for index, (name, look) in enumerate(steps):
        try:
            yield look()
        except SourceError as error:
            yield Check(name, CheckState.FAILED, error.reason, error.fix, error.code)
            yield from skipped([later for later, _ in steps[index + 1 :]], reason)
            return


def skipped(names: Sequence[str], reason: str) -> Iterator[Check]:
    """A line for each check that was not made."""
    for name in names:
        yield Check(name, CheckState.SKIPPED, f"not looked at: {reason}", code="skipped")


def _tables(schema: MlflowSchema, connection: MlflowConnection) -> Check:
    require_tables(schema, connection)
    return Check(TABLES, CheckState.OK, f"{', '.join(REQUIRED_TABLES)} are there ({schema.version})")


def _read_rights(schema: MlflowSchema) -> Check:
    require_rights(schema)
    return Check(READ_RIGHTS, CheckState.OK, f"user {schema.user!r} may read them")


def _write_rights(schema: MlflowSchema) -> Check:
    user, written = schema.user, schema.writable_tables
    if not written:
        return Check(WRITE_RIGHTS, CheckState.OK, f"user {user!r} may not write")
    names = ", ".join(REQUIRED_TABLES)
    return Check(
        WRITE_RIGHTS,
        CheckState.WARNING,
        f"user {user!r} may also write {', '.join(written)}",
        "nothing is ever written, but a role that only reads is safer: create role dash_ro login "
        f"password '...'; grant select on {names} to dash_ro;",
        "can_write",
    )


def clock_check(what: str, seconds: float) -> Check:
    """Whether the clock of what is called `what` and ours agree; `seconds` is its clock minus ours."""
    if abs(seconds) < _CLOCK_SECONDS:
        return Check(
            CLOCK, CheckState.OK, f"{what}'s clock and this machine's differ by {abs(seconds):.1f} s"
        )
    side = "ahead of" if seconds > 0 else "behind"
    return Check(
        CLOCK,
        CheckState.WARNING,
        f"{what}'s clock is {abs(seconds):.0f} s {side} this machine's",
        "synchronise both clocks (NTP)",
        "clock",
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """How the checks look at MLflow: by these settings, at that moment, and what chooses an experiment where
    the settings name none.
    """

    settings: Settings
    at: datetime
    preference: Preference

    @property
    def parameters(self) -> dict[str, Any]:
        """What questions are bound to."""
        return question_parameters(self.settings, self.at, self.settings.window_seconds)


def tracking_checks(look: _Look) -> Iterator[Check]:
    """Each check as it ends. Raises SettingsError for a login that cannot be used."""
    if look.settings["MLFLOW_TRACKING_URI"].reveal().startswith("sqlite:"):
        yield from _file_checks(look)
    else:
        yield from _server_checks(look)


def _server_checks(look: _Look) -> Iterator[Check]:
    settings = look.settings
    yield _look_at_tracking_settings(settings)
    with RestClient(settings, deadline=Deadline(settings.timeout_seconds)) as client:
        try:
            client.post("experiments/search", {"max_results": 1})
        except SourceError as error:
            yield from _not_answered(error)
            return
        yield Check(SERVER, CheckState.OK, f"{client.address} answers")
        yield Check(
            TRACKING_LOGIN, CheckState.OK, "accepted" if client.has_login else "the server asks for none"
        )
        yield Check(API, CheckState.OK, f"MLflow's REST API answers ({server_version(client)})")
        rows = RestRows(client, look.parameters)
        yield from run_steps(_held(RowAnswers(rows), look), "an earlier check failed")
        if client.clock_difference_seconds is not None:
            yield clock_check("the server", client.clock_difference_seconds)


def _file_checks(look: _Look) -> Iterator[Check]:
    path = sqlite_path(look.settings)
    yield Check(TRACKING, CheckState.OK, f"MLflow's SQLite file {path}")
    try:
        with SqliteDatabase(path, deadline=Deadline(look.settings.timeout_seconds)) as database:
            rows = SqliteRows(database, look.parameters)
            yield Check(FILE, CheckState.OK, f"{path} is opened, to be read only")
            yield from run_steps(
                [(TABLES, partial(_look_at_tables, rows)), *_held(RowAnswers(rows), look)],
                "an earlier check failed",
            )
    except SourceError as error:  # only opening raises here; each look inside catches its own
        yield Check(FILE, CheckState.FAILED, error.reason, error.fix, error.code)
        yield from skipped([TABLES, *AB_CHECKS], f"{FILE} failed")


def _held(
    answers: Questions, look: _Look, versions_text: Callable[[], str | None] = lambda: sql.VERSIONS
) -> list[Step]:
    data = MlflowData(answers, look.settings, look.at, look.preference, versions_text)
    return [(name, partial(check, data)) for name, check in AB_CHECKS.items()]


def _look_at_tables(rows: SqliteRows) -> Check:
    rows.require_tables()
    return Check(TABLES, CheckState.OK, f"{', '.join(REQUIRED_TABLES)} are there ({file_version(rows)})")


def _look_at_tracking_settings(settings: Settings) -> Check:
    endpoint, placeholders = (
        rest_endpoint(settings),
        [name for name in settings.placeholders if name.startswith("MLFLOW_TRACKING_")],
    )
    login = (
        f"{endpoint.authorization.partition(' ')[0].lower()} login"
        if endpoint.authorization
        else "without a login"
    )
    found = f"MLflow's REST API at {endpoint.url}, {login}"
    if placeholders:
        return Check(
            TRACKING,
            CheckState.WARNING,
            f"{found}; the password is a placeholder",
            f"set {placeholders[0]} to the real one",
            "placeholder",
        )
    if endpoint.authorization and endpoint.url.startswith("http:") and not endpoint.is_loopback:
        return Check(
            TRACKING,
            CheckState.WARNING,
            f"{found}, which everybody on the way can read",
            "use https://",
            "not_encrypted",
        )
    return Check(TRACKING, CheckState.OK, found)


def _not_answered(error: SourceError) -> Iterator[Check]:
    """The layers that must have worked, the one that failed, and the rest skipped."""
    failed = TRACKING_LOGIN if error.code == "auth" else API if error.code in _API_CODES else SERVER
    for name in _LAYERS[: _LAYERS.index(failed)]:
        yield Check(name, CheckState.OK, "it answers" if name == SERVER else "not asked for, or accepted")
    yield Check(failed, CheckState.FAILED, error.reason, error.fix, error.code)
    yield from skipped([*_LAYERS[_LAYERS.index(failed) + 1 :], *AB_CHECKS, CLOCK], f"{failed} failed")


_DATA_CHECKS = (TABLES, READ_RIGHTS, WRITE_RIGHTS, *AB_CHECKS, CLOCK)


def mlflow_checks(settings: Settings, at: datetime, preference: Preference = ANY_TEST) -> Iterator[Check]:
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
    look = _Look(settings, at, preference)
    if settings.has_mlflow_database:
        yield from _database_checks(look)
    if settings["MLFLOW_TRACKING_URI"] is not None:
        prefix = "MLflow backup " if settings.has_mlflow_database else "MLflow "
        yield from (
            replace(check, name=check.name.replace("MLflow ", prefix, 1)) for check in tracking_checks(look)
        )


def _database_checks(look: _Look) -> Iterator[Check]:
    settings = look.settings
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
    yield from _inside(look, address)


def _inside(look: _Look, address: MlflowAddress) -> Iterator[Check]:
    """The checks that need a connection."""
    settings = look.settings
    try:
        with MlflowConnection(settings, deadline=Deadline(settings.timeout_seconds)) as connection:
            yield _look_at_encryption(connection, settings, address)
            yield Check(
                LOGIN, CheckState.OK, f"user {address.user!r} is logged in" if address.user else "logged in"
            )
            yield Check(
                DATABASE, CheckState.OK, f"connected to database {address.database!r} at {address.where}"
            )
            yield from run_steps(_data_steps(connection, look), "an earlier check failed")
    except SourceError as error:  # only connecting raises here; each look inside catches its own
        yield from _not_connected(error)


def _data_steps(connection: MlflowConnection, look: _Look) -> list[Step]:
    schema = cache(partial(read_schema, connection))  # looked up once
    return [
        (TABLES, lambda: _tables(schema(), connection)),
        (READ_RIGHTS, lambda: _read_rights(schema())),
        (WRITE_RIGHTS, lambda: _write_rights(schema())),
        *_held(connection, look, lambda: versions_text(schema())),
        (CLOCK, lambda: clock_check("PostgreSQL", schema().clock_difference_seconds)),
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
