"""A PostgreSQL and a Prometheus of our own for as long as they are wanted: new data folder, free loopback
port, generated password, back-filled history and scrape targets, gone afterwards.
"""

from __future__ import annotations

import http.client
import json
import secrets
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 # a class under a lower-case name

from live_dashboards.demo.programs import postgres_programs, prometheus_program, promtool_program
from live_dashboards.demo.server_process import (
    LOOPBACK,
    Running,
    ServerProcess,
    make_work_folder,
    postgres_account,
    remove_work_folder,
    run_program,
    uninterrupted,
)

THROW_AWAY = {  # nothing here survives the process, so nothing needs to survive a crash
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
}

LONG_BLOCK = "240h"  # promtool reads the whole text once a block: long blocks make a long history cheap


class _OwnServer(Running):
    """A server and its folder, both gone after `stop`."""

    host = LOOPBACK
    _endings: tuple[signal.Signals, ...] = (signal.SIGTERM,)
    _folder: Path | None = None
    _server: ServerProcess | None = None

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1."""
        if self._server is None:
            raise RuntimeError("the server is not running")
        return self._server.port

    @property
    def process_id(self) -> int | None:
        """The server's main process, or none where it is not running."""
        return self._server.process_id if self._server is not None else None

    def stop(self) -> None:
        """Stop the server and remove its folder; harmless where there is none."""
        if self._server is not None:
            self._server.stop(*self._endings)
            self._server = None
        if self._folder is not None:
            remove_work_folder(self._folder)
            self._folder = None


class PostgresServer(_OwnServer):
    """A running PostgreSQL; a context manager. Passwords are really checked (scram-sha-256), on TCP as on the
    socket.
    """

    _endings = (signal.SIGINT, signal.SIGQUIT)  # end sessions and close; do not even close

    def __init__(self, *, settings: Mapping[str, str] | None = None) -> None:
        self.user = "postgres"
        self.password = secrets.token_urlsafe(18)
        self._settings = {**THROW_AWAY, **(settings or {})}
        self._account = postgres_account()

    @property
    def folder(self) -> Path:
        """Where everything of this server lies (data, log, `socket`), until `stop`."""
        if self._folder is None:
            raise RuntimeError("the server is not running")
        return self._folder

    def start(self) -> Self:
        """Make the data folder and start; what was begun is taken away again when that fails or is
        interrupted.
        """
        programs = postgres_programs()
        with ExitStack() as undo:
            undo.callback(self.stop)
            with uninterrupted():
                folder = self._folder = make_work_folder(self._account)
            self._make_data(programs, folder)
            self._server = ServerProcess(
                "PostgreSQL",
                lambda port: self._command(programs, folder, port),
                folder=folder,
                is_ready=self._is_ready,
                account=self._account,
            )
            self._server.start()
            undo.pop_all()
        return self

    def connect(self, database: str = "postgres", **more: Any) -> Connection:
        """A new connection, as the superuser where `more` does not say another `user` and `password`."""
        connection: Connection = psycopg2.connect(**{**self._access(self.port), "dbname": database, **more})
        return connection

    def execute(
        self,
        statement: str | sql.Composable,
        parameters: tuple[object, ...] = (),
        *,
        database: str = "postgres",
    ) -> None:
        """Run statements outside a transaction, as the superuser."""
        with closing(self.connect(database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)

    def create_role(self, name: str, password: str) -> None:
        """Make a role that may log in and nothing else."""
        self.execute(
            sql.SQL("create role {} login password {}").format(sql.Identifier(name), sql.Literal(password))
        )

    def create_database(self, name: str, template: str | None = None, owner: str | None = None) -> None:
        """Make a database, as a copy of `template` where one is given (nobody may be connected to it)."""
        statement = sql.SQL("create database {} template {} owner {}").format(
            *map(sql.Identifier, (name, template or "template0", owner or self.user))
        )
        self.execute(statement + sql.SQL(" strategy file_copy" if self._knows_strategy() else ""))

    def _make_data(self, programs: Path, folder: Path) -> None:
        password_file = folder / "password"
        password_file.write_text(self.password, encoding="utf-8")
        password_file.chmod(0o600)
        if self._account is not None:
            shutil.chown(password_file, self._account.user_id, self._account.group_id)
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        run_program(
            [
                programs / "initdb",
                "-D",
                folder / "data",
                "-U",
                self.user,
                f"--pwfile={password_file}",
                *options,
            ],
            folder=folder,
            account=self._account,
        )
        run_program(["/bin/mkdir", "-m", "700", folder / "socket"], folder=folder, account=self._account)
        password_file.unlink()

    def _command(self, programs: Path, folder: Path, port: int) -> list[str]:
        settings = {
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": str(folder / "socket"),
            **self._settings,
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), *flags]

    def _access(self, port: int) -> dict[str, Any]:
        return {
            "host": self.host,
            "port": port,
            "user": self.user,
            "password": self.password,
            "sslmode": "prefer",
            "connect_timeout": 60,
        }

    def _is_ready(self, port: int) -> bool:
        try:
            psycopg2.connect(**self._access(port), dbname="postgres").close()
        except psycopg2.OperationalError:
            return False  # not yet listening, or still starting up
        return True

    def _knows_strategy(self) -> bool:
        """Since 15, where copying through the log became the default; copying files is faster with fsync
        off.
        """
        with closing(self.connect()) as connection:
            return connection.server_version >= 150_000


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """Where one instance is scraped (`host:port` and path), and the label `instance` its series get."""

    address: str
    instance: str
    path: str = "/metrics"


class PrometheusServer(_OwnServer):
    """A running Prometheus; a context manager. `backfill` comes before `start`.

    `scrape` names the targets of each job; `flags` are added to the command line; a `--web.external-url` with
    a path moves `url` there.
    """

    def __init__(
        self,
        *,
        scrape: Mapping[str, Sequence[ScrapeTarget]] | None = None,
        scrape_interval_seconds: int = 5,
        retention: str = "10y",
        flags: Sequence[str] = (),
        configuration: Mapping[str, object] | None = None,
    ) -> None:
        self._configuration = {
            **_configuration(scrape or {}, scrape_interval_seconds),
            **(configuration or {}),
        }
        self._retention = retention
        self._flags = tuple(flags)

    @property
    def url(self) -> str:
        """The base URL, path prefix included."""
        return f"http://{self.host}:{self.port}{self._prefix}"

    @property
    def folder(self) -> Path:
        """Where everything of this server lies (data, configuration, log), until `stop`."""
        if self._folder is None:
            with uninterrupted():
                self._folder = make_work_folder()
        return self._folder

    def backfill(self, text: Path, *, block: str = LONG_BLOCK) -> None:
        """Turn an OpenMetrics text into blocks of this server, which must not run yet."""
        if self._server is not None:
            raise RuntimeError("the server is already running")
        tool = promtool_program()
        run_program(
            [
                tool,
                "tsdb",
                "create-blocks-from",
                f"--max-block-duration={block}",
                "--quiet",
                "openmetrics",
                text.resolve(),
                self._data,
            ],
            folder=self.folder,
        )

    def start(self) -> Self:
        """Start and wait until it answers queries; what was begun is taken away again when that fails or is
        interrupted.
        """
        with ExitStack() as undo:
            undo.callback(self.stop)
            program = prometheus_program()
            self._data.mkdir(exist_ok=True)
            # JSON is YAML
            (self.folder / "prometheus.yml").write_text(json.dumps(self._configuration), encoding="utf-8")
            self._server = ServerProcess(
                "Prometheus",
                lambda port: self._command(program, port),
                folder=self.folder,
                is_ready=self._is_ready,
            )
            self._server.start()
            undo.pop_all()
        return self

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _prefix(self) -> str:
        urls = [flag.partition("=")[2] for flag in self._flags if flag.startswith("--web.external-url=")]
        return "/" + urls[-1].split("/", 3)[3].strip("/") if urls and urls[-1].count("/") > 2 else ""

    def _command(self, program: Path, port: int) -> list[str]:
        own = {
            "config.file": self.folder / "prometheus.yml",
            "storage.tsdb.path": self._data,
            "storage.tsdb.retention.time": self._retention,
            "web.listen-address": f"{LOOPBACK}:{port}",
            "log.level": "warn",
        }
        return [str(program), *(f"--{name}={value}" for name, value in own.items()), *self._flags]

    def _is_ready(self, port: int) -> bool:
        with closing(http.client.HTTPConnection(self.host, port, timeout=2)) as connection:
            try:
                connection.request("GET", f"{self._prefix}/-/ready")
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return False  # not yet listening
        return status in {200, 400, 401}  # a server that wants TLS (400) or a login (401) is up


def _configuration(scrape: Mapping[str, Sequence[ScrapeTarget]], interval_seconds: int) -> dict[str, object]:
    interval = f"{interval_seconds}s"
    jobs = [
        {"job_name": job, "static_configs": [_target(target) for target in targets]}
        for job, targets in scrape.items()
    ]
    return {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": "1m"},
        "scrape_configs": jobs,
    }


def _target(target: ScrapeTarget) -> dict[str, object]:
    return {
        "targets": [target.address],
        "labels": {"instance": target.instance, "__metrics_path__": target.path},
    }
