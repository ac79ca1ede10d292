"""Reads the A/B experiment from MLflow's PostgreSQL: one connection, one read-only transaction, one
deadline.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.address import mlflow_address
from live_dashboards.sources.mlflow.answers import Asked
from live_dashboards.sources.mlflow.connection import MlflowConnection
from live_dashboards.sources.mlflow.opened import OpenedSource
from live_dashboards.sources.mlflow.schema import MlflowSchema, read_schema, require_rights, require_tables


class MlflowSource(OpenedSource[MlflowConnection]):
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
            _versions_text(schema),
            parameters,
            deadline,
        )


def _versions_text(schema: MlflowSchema) -> str | None:
    """The question for model versions as far as this schema and user can answer it: read-only roles often see
    neither table.
    """
    if not schema.can_read("model_versions"):
        return None
    return sql.VERSIONS.format(
        aliases=sql.ALIASES if schema.can_read("registered_model_aliases") else "array[]::text[]"
    )
