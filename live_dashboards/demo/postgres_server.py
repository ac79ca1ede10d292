"""A PostgreSQL of our own for as long as it is wanted: new data folder, free loopback port, generated
password, gone afterwards.
"""

from __future__ import annotations

import secrets
import shutil
import signal
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Self

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 # a class under a lower-case name

from live_dashboards.demo.interrupts import uninterrupted
from live_dashboards.demo.programs import postgres_programs
from live_dashboards.demo.server_process import LOOPBACK, ServerProcess, run_program
from live_dashboards.demo.work_folder import make_work_folder, postgres_account, remove_work_folder

THROW_AWAY = {  # nothing here survives the process, so nothing needs to survive a crash
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
}


class PostgresServer:
    """A running PostgreSQL; a context manager. Passwords are really checked (scram-sha-256), on TCP as on the
    socket.
    """

    def __init__(self, *, settings: Mapping[str, str] | None = None) -> None:
        self.host = LOOPBACK
        self.user = "postgres"
        self.password = secrets.token_urlsafe(18)
        self._settings = {**THROW_AWAY, **(settings or {})}
        self._account = postgres_account()
        self._folder: Path | None = None
        self._server: ServerProcess | None = None

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1."""
        if self._server is None:
            raise RuntimeError("the server is not running")
        return self._server.port

    @property
    def folder(self) -> Path:
        """Where everything of this server lies (data, log, `socket`), until `stop`."""
        if self._folder is None:
            raise RuntimeError("the server is not running")
        return self._folder

    @property
    def process_id(self) -> int | None:
        """The server's main process, or none where it is not running."""
        return self._server.process_id if self._server is not None else None

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

    def stop(self) -> None:
        """Stop the server and remove its folder; harmless where there is none."""
        if self._server is not None:
            # SIGINT: end sessions and close; SIGQUIT: do not even close
            self._server.stop(signal.SIGINT, signal.SIGQUIT)
            self._server = None
        if self._folder is not None:
            remove_work_folder(self._folder)
            self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

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

    def drop_database(self, name: str) -> None:
        """Remove a database with whoever is connected to it."""
        self.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

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
