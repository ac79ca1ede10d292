"""Reads the A/B experiment from an MLflow server by its REST API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.reading import Asked, OpenedSource
from live_dashboards.sources.mlflow.rest.endpoint import rest_endpoint
from live_dashboards.sources.mlflow.rest.exchange import RestClient
from live_dashboards.sources.mlflow.rest.rows import RestRows
from live_dashboards.sources.mlflow.rows.answers import RowAnswers


class MlflowRestSource(OpenedSource[RestClient]):
    """The MLflow server that MLFLOW_TRACKING_URI names; raises SettingsError where a login cannot be used."""

    what = "MLflow's REST API"

    def __init__(self, settings: Settings) -> None:
        self.address = rest_endpoint(settings).url
        super().__init__(settings)

    def _open(self, deadline: Deadline) -> RestClient:
        return RestClient(self._settings, deadline=deadline)

    def _asked(self, opened: RestClient, parameters: Mapping[str, Any], deadline: Deadline) -> Asked:
        # whether this is an MLflow at all, and what its clock says
        opened.post("experiments/search", {"max_results": 1})
        return Asked(
            self.address,
            RowAnswers(RestRows(opened, parameters)),
            server_version(opened),
            opened.clock_difference_seconds,
            sql.VERSIONS,
            parameters,
            deadline,
        )


def server_version(client: RestClient) -> str:
    """The version that the server tells beside its API, where it does."""
    told = (client.text("/version") or "").strip()
    return f"{told}, REST API" if re.fullmatch(r"\d+\.\d+[\w.]{0,30}", told) else "REST API"
