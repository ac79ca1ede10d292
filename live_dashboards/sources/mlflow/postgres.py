"""Reads the A/B experiment from MLflow's PostgreSQL: one connection, one read-only transaction, one deadline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from live_dashboards.model.snapshot import MlflowAnswer
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.address import mlflow_address
from live_dashboards.sources.mlflow.answers import Asked
from live_dashboards.sources.mlflow.connection import MlflowConnection
from live_dashboards.sources.mlflow.reading import Once, check_texts, question_parameters, read_each, read_one
from live_dashboards.sources.mlflow.schema import MlflowSchema, read_schema, require_rights, require_tables


class MlflowSource:
    """MLflow's PostgreSQL as the settings name it; raises SettingsError where they cannot name one."""

    what = "PostgreSQL"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        address = mlflow_address(settings)
        self.address = f"{address.where}/{address.database}"
        self._connection: MlflowConnection | None = None
        check_texts(settings)

    def read(self, *, at: datetime, window_seconds: float, deadline: Deadline, on_experiment: Callable[[str | None], None]) -> MlflowAnswer:
        """What MLflow's tables hold on the chosen experiment at that moment.

        `on_experiment` is called once, as early as possible, with the chosen experiment's name, None where there is none. Raises SourceError where MLflow
        cannot be asked, UsageError where AB_EXPERIMENT names no active experiment.
        """
        tell = Once(on_experiment)
        try:
            self._connection = MlflowConnection(self._settings, deadline=deadline)
            with self._connection as connection:
                return read_one(self._asked(connection, at, window_seconds, deadline), self._settings["AB_EXPERIMENT"], tell)
        finally:
            tell(None)

    def read_all(self, *, at: datetime, window_seconds: float, deadline: Deadline) -> tuple[MlflowAnswer, ...]:
        """What `read` gives for each A/B experiment, the one with the newest activity first, by as many statements as for one.

        One answer without an experiment where there is none. Raises SourceError where MLflow cannot be asked.
        """
        self._connection = MlflowConnection(self._settings, deadline=deadline)
        with self._connection as connection:
            return read_each(self._asked(connection, at, window_seconds, deadline))

    def abort(self) -> None:
        """Ends a read that is under way in another thread; it raises SourceError there."""
        if self._connection is not None:
            self._connection.abort()

    def _asked(self, connection: MlflowConnection, at: datetime, window_seconds: float, deadline: Deadline) -> Asked:
        schema = read_schema(connection)
        require_tables(schema, connection)
        require_rights(schema)
        parameters = question_parameters(self._settings, at, window_seconds)
        return Asked(self.address, connection, schema.version, schema.clock_difference_seconds, _versions_text(schema), parameters, deadline)


def _versions_text(schema: MlflowSchema) -> str | None:
    """The question for model versions as far as this schema and user can answer it: read-only roles often see neither table."""
    if not schema.can_read("model_versions"):
        return None
    return sql.VERSIONS.format(aliases=sql.ALIASES if schema.can_read("registered_model_aliases") else "array[]::text[]")
