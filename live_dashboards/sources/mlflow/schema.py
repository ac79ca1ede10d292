"""What of MLflow's tables is there and readable; never judged by the schema's revision number, since an
unknown newer one is normal.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from live_dashboards.errors import SourceError
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.connection import MlflowConnection
from live_dashboards.sources.mlflow.failures import no_rights

REQUIRED_TABLES = ("experiments", "runs", "metrics", "latest_metrics", "params", "tags")
_OPTIONAL_TABLES = ("model_versions", "registered_model_aliases", "alembic_version")
_USUAL_SCHEMA = "public"


@dataclass(frozen=True, slots=True)
class Table:
    """One table by the name that the search path resolves, and the schemas that have one of this name."""

    is_there: bool
    is_readable: bool
    is_writable: bool
    columns: frozenset[str]
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
    tables: Mapping[str, Table]

    @property
    def version(self) -> str:
        """PostgreSQL's version and MLflow's schema revision, where it may be read."""
        mlflow = f", MLflow schema {self.revision}" if self.revision else ""
        return f"PostgreSQL {self.server_version}{mlflow}"

    @property
    def writable_tables(self) -> tuple[str, ...]:
        """The required tables that the user may also write."""
        return tuple(name for name in REQUIRED_TABLES if self.tables[name].is_writable)

    def can_read(self, table: str) -> bool:
        """Whether the table is there and the user may read it."""
        return self.tables[table].is_readable


def read_schema(connection: MlflowConnection) -> MlflowSchema:
    """The schema as this user sees it, usable or not; see `require_tables` and `require_rights`."""
    before_seconds = time.time()
    user, search_path, server_version, clock_seconds, _ = connection.rows("session", sql.SESSION, {})[0]
    difference_seconds = float(clock_seconds) - (before_seconds + time.time()) / 2
    rows = connection.rows("schema", sql.SCHEMA, {"tables": [*REQUIRED_TABLES, *_OPTIONAL_TABLES]})
    tables = {
        name: Table(there, readable, writable, frozenset(columns), tuple(schemas))
        for name, there, readable, writable, columns, schemas in rows
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
    unreadable = [name for name in REQUIRED_TABLES if not schema.can_read(name)]
    if unreadable:
        raise no_rights(unreadable, schema.user)


def _without_tables(schema: MlflowSchema, missing: list[str], connection: MlflowConnection) -> SourceError:
    where = f"database {connection.address.database!r} at {connection.address.where}"
    elsewhere = schema.tables["experiments"].schemas
    quoted = '"' + schema.user.replace('"', '""') + '"'
    if "experiments" in missing and elsewhere:
        place = '"' + elsewhere[0].replace('"', '""') + '"'
        found = (
            f"connected, but MLflow's tables in {where} lie in schema {', '.join(elsewhere)}, which "
            f"user {schema.user!r} does not see"
        )
        return SourceError(
            found,
            f"let the owner run: grant usage on schema {place} to {quoted}; alter "
            f"role {quoted} set search_path = {place};",
            "no_tables",
        )
    names = "MLflow tables" if len(missing) == len(REQUIRED_TABLES) else f"tables {', '.join(missing)}"
    found = (
        f"connected, but there are no {names} in schema(s) {schema.search_path or _USUAL_SCHEMA} of {where}"
    )
    return SourceError(
        found,
        "is this the database of --backend-store-uri, or does the MLflow server use SQLite? A "
        "server makes its tables on its first start",
        "no_tables",
    )
