"""The checks of MLflow's database itself: tables, rights and clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from live_dashboards.model.check import Check, CheckState
from live_dashboards.sources.mlflow.connection import MlflowConnection
from live_dashboards.sources.mlflow.schema import (
    REQUIRED_TABLES,
    MlflowSchema,
    read_schema,
    require_rights,
    require_tables,
)

CLOCK = "MLflow clock"
_CLOCK_SECONDS = 60.0


class MlflowTables:
    """The tables as the user sees them, looked up once."""

    def __init__(self, connection: MlflowConnection) -> None:
        self.connection = connection

    @cached_property
    def schema(self) -> MlflowSchema:
        """What the database says of itself."""
        return read_schema(self.connection)


def _tables(tables: MlflowTables) -> Check:
    require_tables(tables.schema, tables.connection)
    return Check(
        "MLflow tables", CheckState.OK, f"{', '.join(REQUIRED_TABLES)} are there ({tables.schema.version})"
    )


def _read_rights(tables: MlflowTables) -> Check:
    require_rights(tables.schema)
    return Check("MLflow read rights", CheckState.OK, f"user {tables.schema.user!r} may read them")


def _write_rights(tables: MlflowTables) -> Check:
    name, user, written = "MLflow write rights", tables.schema.user, tables.schema.writable_tables
    if not written:
        return Check(name, CheckState.OK, f"user {user!r} may not write")
    names = ", ".join(REQUIRED_TABLES)
    fix = (
        "nothing is ever written, but a role that only reads is safer: create role dash_ro login "
        f"password '...'; grant select on {names} to dash_ro;"
    )
    return Check(
        name, CheckState.WARNING, f"user {user!r} may also write {', '.join(written)}", fix, "can_write"
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


TABLE_CHECKS: Mapping[str, Callable[[MlflowTables], Check]] = {
    "MLflow tables": _tables,
    "MLflow read rights": _read_rights,
    "MLflow write rights": _write_rights,
}
