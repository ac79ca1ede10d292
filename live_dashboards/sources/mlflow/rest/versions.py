"""Registered model versions by MLflow's REST API, which gives all of the server, newest first, and a model's
aliases apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.rest.failures import LateError
from live_dashboards.sources.mlflow.rest.pages import Pages
from live_dashboards.sources.mlflow.rest.parsing import version_row
from live_dashboards.sources.mlflow.rest.searches import VERSIONS
from live_dashboards.sources.mlflow.rows.records import RunRow, VersionRow

_PAGES = 10
_MODELS = 25  # whose aliases are asked for, a call each
_SHARE_OF_VERSIONS = 0.95  # of the time, after which no call goes on


class RestVersions:
    """Reads through one client."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def of(self, runs: Sequence[RunRow]) -> Sequence[VersionRow]:
        """The newest versions that were made from these runs, as many of each experiment as are shown, with
        the aliases that their models have now.
        """
        with self._pages.client.limited(_SHARE_OF_VERSIONS):
            found = self._made_from({run.run_id: run.experiment_id for run in runs})
            aliases = self._aliases(dict.fromkeys(version.name for version in found))
        return [
            replace(
                version,
                aliases=tuple(
                    alias for alias, number in aliases.get(version.name, ()) if number == version.version
                ),
            )
            for version in found
        ]

    def _made_from(self, experiment_of: dict[str, int]) -> list[VersionRow]:
        """Page by page, until each experiment has as many as are shown."""
        found: list[VersionRow] = []
        read, token, missing = 0, "", Counter(dict.fromkeys(experiment_of.values(), sql.MAX_VERSIONS))
        for _ in range(_PAGES):
            try:
                document = self._pages.client.get(
                    "model-versions/search", {**VERSIONS, **({"page_token": token} if token else {})}
                )
            except LateError:
                break
            page = self._pages.read(document, "model_versions", version_row)
            own = [version for version in page if version is not None and version.run_id in experiment_of]
            found.extend(own)
            missing.subtract(experiment_of[version.run_id] for version in own)
            read, token = read + len(page), str(document.get("next_page_token") or "")
            if not token or all(count <= 0 for count in missing.values()):
                return found
        self._pages.cut(when=True, what=f"the newest {read} model versions of the server")
        return found

    def _aliases(self, names: Iterable[str]) -> dict[str, list[tuple[str, int]]]:
        """Each model's aliases, and the version that has it."""
        wanted, found = list(names), {}
        for name in wanted[:_MODELS]:
            try:
                found[name] = self._aliases_of(name)
            except LateError:
                break
        self._pages.cut(
            when=len(found) < len(wanted), what=f"the aliases of {len(found)} of {len(wanted)} models"
        )
        return found

    def _aliases_of(self, name: str) -> list[tuple[str, int]]:
        model = self._pages.client.get("registered-models/get", {"name": name}).get("registered_model", {})
        return self._pages.read(model, "aliases", lambda each: (str(each["alias"]), int(each["version"])))
