"""One SQLite file, opened to be read and never made, until the deadline; each statement locks it for itself,
so that nobody who writes waits for long.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Self
from urllib.parse import quote

from live_dashboards.errors import SourceError
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.questions import Row

_STEPS_BETWEEN_LOOKS = 10_000
_HEADER_BYTES = 20
_VERSIONS, _WAL = slice(18, 20), b"\x02\x02"  # where the file's header tells its mode
_MADE_BY = "a server or client of MLflow makes its tables on its first call"


class SqliteDatabase:
    """A context manager over one connection; SourceError with the reason and the fix where it cannot be
    read.
    """

    def __init__(self, path: Path, *, deadline: Deadline) -> None:
        self.path = path
        self._deadline = deadline
        self._is_given_up = threading.Event()
        self._connection: sqlite3.Connection | None = None
        self._quiet: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        self._require_file()
        self._quiet = self._quiet_state()
        uri = f"file:{quote(os.fsencode(self.path))}?mode=ro" + ("&immutable=1" if self._quiet else "")
        try:
            self._connection = sqlite3.connect(
                uri,
                uri=True,
                timeout=self._deadline.remaining_seconds,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise self._failure(error, "opening it") from error
        self._connection.text_factory = lambda text: text.decode("utf-8", "replace")
        self._connection.set_progress_handler(self._is_over, _STEPS_BETWEEN_LOOKS)
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rows(
        self, question: str, sql: str, parameters: dict[str, object] | tuple[object, ...] = ()
    ) -> list[Row]:
        """All rows; SourceError naming the question."""
        if self._connection is None:
            raise RuntimeError("SqliteDatabase is used outside its with block")
        if self._is_over():
            raise self._late(question)
        try:
            self._connection.execute(
                f"pragma busy_timeout = {max(1, int(self._deadline.remaining_seconds * 1000))}"
            )
            found = self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error, f"the question {question!r}") from error
        if self._quiet and self._quiet_state() != self._quiet:
            raise SourceError(
                f"the SQLite file {self.path} was written to while it was read", "try again", "changed"
            )
        return found

    def columns(self, table: str) -> frozenset[str]:
        """The table's columns; none where there is no such table."""
        return frozenset(
            str(name) for (name,) in self.rows("tables", "select name from pragma_table_info(?)", (table,))
        )

    def abort(self) -> None:
        """Ends a statement under way in another thread, and all to come."""
        self._is_given_up.set()

    def _require_file(self) -> None:
        fix = "correct the path in MLFLOW_TRACKING_URI: sqlite:///relative.db or sqlite:////absolute.db"
        try:
            is_file = stat.S_ISREG(self.path.stat().st_mode)
        except PermissionError as error:
            raise SourceError(
                f"the SQLite file {self.path} cannot be reached: {error.strerror}",
                "give this account the right to enter its folder",
                "rights",
            ) from error
        except (FileNotFoundError, NotADirectoryError):
            is_file = False
        except (OSError, ValueError) as error:  # a name that is too long, a ring of links, a zero byte
            raise SourceError(
                f"there can be no file {self.path}: {getattr(error, 'strerror', None) or error}",
                fix,
                "no_file",
            ) from error
        if not is_file:
            raise SourceError(f"there is no file {self.path}", fix, "no_file")

    def _quiet_state(self) -> tuple[int, int] | None:
        """Time and size of a file in WAL mode that nobody has open; None of any other.

        SQLite would make two files beside it to read it, in our name, and leave them. It makes none of what
        it takes for immutable.
        """
        try:
            with self.path.open("rb") as file:
                is_wal = file.read(_HEADER_BYTES)[_VERSIONS] == _WAL
            state = self.path.stat()
        except OSError:
            return None  # opening it says why
        return (
            (state.st_mtime_ns, state.st_size) if is_wal and not Path(f"{self.path}-wal").exists() else None
        )

    def _is_over(self) -> bool:
        return self._is_given_up.is_set() or self._deadline.remaining_seconds <= 0

    def _late(self, question: str) -> SourceError:
        return SourceError(
            f"the SQLite file {self.path} did not answer {question} in {self._deadline.seconds:.3g} s",
            "raise SOURCE_TIMEOUT_SECONDS, or move MLflow to PostgreSQL, which answers this by index",
            "timeout",
        )

    def _failure(self, error: sqlite3.Error, question: str) -> SourceError:
        code, said = getattr(error, "sqlite_errorcode", 0) & 0xFF, str(error)
        where = f"the SQLite file {self.path}"
        if code == sqlite3.SQLITE_INTERRUPT:
            return self._late(question)
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return SourceError(
                f"{where} stayed locked for {self._deadline.seconds:.3g} s",
                "another program writes into it without end; try again, or move MLflow to PostgreSQL, "
                "which many can use at a time",
                "locked",
            )
        if code == sqlite3.SQLITE_NOTADB:
            return SourceError(
                f"{where} is no SQLite database",
                "name the file of --backend-store-uri in MLFLOW_TRACKING_URI",
                "not_sqlite",
            )
        if code in {
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_PERM,
            sqlite3.SQLITE_AUTH,
            sqlite3.SQLITE_READONLY,
        }:
            return SourceError(
                f"{where} cannot be opened: {said}",
                "give this account the right to read it; in WAL mode (a -wal file beside it) also to "
                "write in its folder",
                "rights",
            )
        if code == sqlite3.SQLITE_ERROR and "no such" in said:
            return no_tables(self.path, said)
        return SourceError(
            f"{where} could not be read at {question}: {said}",
            "look at it with sqlite3 FILE 'pragma integrity_check'",
            "query",
        )


def no_tables(path: Path, said: str) -> SourceError:
    """The error for a database that is not MLflow's."""
    return SourceError(
        f"the SQLite file {path} holds no MLflow tables: {said}",
        f"is this the file of --backend-store-uri? {_MADE_BY}",
        "no_tables",
    )
