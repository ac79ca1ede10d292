"""Reads the A/B experiment from an MLflow server by its REST API."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from live_dashboards.model.snapshot import MlflowAnswer
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.answers import Asked
from live_dashboards.sources.mlflow.reading import Once, check_texts, question_parameters, read_each, read_one
from live_dashboards.sources.mlflow.rest.endpoint import rest_endpoint
from live_dashboards.sources.mlflow.rest.exchange import RestClient
from live_dashboards.sources.mlflow.rest.rows import RestRows
from live_dashboards.sources.mlflow.rows.answers import RowAnswers


class MlflowRestSource:
    """The MLflow server that MLFLOW_TRACKING_URI names; raises SettingsError where a login cannot be used."""

    what = "MLflow's REST API"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.address = rest_endpoint(settings).url
        self._client: RestClient | None = None
        check_texts(settings)

    def read(self, *, at: datetime, window_seconds: float, deadline: Deadline, on_experiment: Callable[[str | None], None]) -> MlflowAnswer:
        """What the server holds on the chosen experiment at that moment; see MlflowSource of `questions`."""
        tell = Once(on_experiment)
        try:
            self._client = RestClient(self._settings, deadline=deadline)
            with self._client as client:
                return read_one(self._asked(client, at, window_seconds, deadline), self._settings["AB_EXPERIMENT"], tell)
        finally:
            tell(None)

    def read_all(self, *, at: datetime, window_seconds: float, deadline: Deadline) -> tuple[MlflowAnswer, ...]:
        """What `read` gives for each A/B experiment."""
        self._client = RestClient(self._settings, deadline=deadline)
        with self._client as client:
            return read_each(self._asked(client, at, window_seconds, deadline))

    def abort(self) -> None:
        """Ends a read that is under way in another thread; it raises SourceError there."""
        if self._client is not None:
            self._client.abort()

    def _asked(self, client: RestClient, at: datetime, window_seconds: float, deadline: Deadline) -> Asked:
        client.post("experiments/search", {"max_results": 1})  # whether this is an MLflow at all, and what its clock says
        parameters = question_parameters(self._settings, at, window_seconds)
        return Asked(
            client.address,
            RowAnswers(RestRows(client, parameters)),
            server_version(client),
            client.clock_difference_seconds,
            sql.VERSIONS,
            parameters,
            deadline,
        )


def server_version(client: RestClient) -> str:
    """The version that the server tells beside its API, where it does."""
    told = (client.text("/version") or "").strip()
    return f"{told}, REST API" if re.fullmatch(r"\d+\.\d+[\w.]{0,30}", told) else "REST API"
