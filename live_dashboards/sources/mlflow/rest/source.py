"""Reads the A/B experiment from MLflow's REST API: the rows that the tables would hold."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.experiments import HISTORY
from live_dashboards.sources.mlflow.questions import Parameters, Row, alone
from live_dashboards.sources.mlflow.reading import Asked, OpenedSource
from live_dashboards.sources.mlflow.rest.exchange import API, LateError, RestClient, rest_endpoint
from live_dashboards.sources.mlflow.rest.runs import (
    EXPERIMENT_PAGE,
    VERSIONS,
    Document,
    Pages,
    RestRuns,
    aliased_runs,
    experiment_row,
    experiments_search,
    history_points,
    marks,
    model_rows,
    models_search,
    named_runs,
    nan_points_of,
    request,
    run_row,
    runs_search,
    versions_of,
)
from live_dashboards.sources.mlflow.rows.records import (
    ExperimentRow,
    ModelRow,
    PointRow,
    RunRow,
    VersionRow,
    WantedKeys,
)
from live_dashboards.sources.mlflow.rows.rules import RowAnswers
from live_dashboards.sources.mlflow.variants import known_runs

_EXPERIMENT_PAGES = sql.MAX_EXPERIMENTS // EXPERIMENT_PAGE
_MARKED_PAGES = 4
_SHARE_OF_MARKED = 0.35  # of the time, after which no more pages are asked for, nor waited for
_MARKED_ARE_CUT = "the newest runs with a variant (so their numbers by variant are too low)"


class RestRows:
    """Reads through one client what the questions bound to these parameters need; the experiment that they
    name before all others.
    """

    def __init__(self, client: RestClient, parameters: Parameters) -> None:
        self._pages, self._parameters = Pages(client), parameters
        self._experiment, self._wanted = parameters["experiment"], WantedKeys.of(parameters)
        self._order: dict[int, tuple[bool, int]] = {}
        self._runs = RestRuns(self._pages, self._wanted)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where what was read so far was cut off."""
        return tuple(dict.fromkeys(self._pages.warnings))

    def experiments(self, *, deleted_too: bool) -> Sequence[ExperimentRow]:
        """All experiments, newest first."""
        found: list[ExperimentRow] = []
        search, token = experiments_search(deleted_too=deleted_too), ""
        for _ in range(_EXPERIMENT_PAGES):
            page, token = self._pages.one("experiments/search", search, "experiments", experiment_row, token)
            found.extend(page)
            if not token:
                break
        self._pages.cut(when=bool(token), what=f"the newest {len(found)} experiments")
        self._order = {
            each.experiment_id: (each.name != self._experiment, -each.experiment_id) for each in found
        }
        return found

    def marked_runs(
        self, experiments: Sequence[ExperimentRow], known: Sequence[str], *, deleted_too: bool
    ) -> Sequence[RunRow]:
        """The runs of these experiments that have a param or tag with a variant, and those known by id.

        All of them where they fit on a page; else those of an experiment with two variants, of which more
        need not be known, are left out of further pages.
        """
        found: dict[str, RunRow] = {}
        for wanted in marks(self._parameters, known) if experiments else ():
            ids, token = [each.experiment_id for each in experiments], ""
            for number in range(1, _MARKED_PAGES + 1):
                try:
                    page, token = self._marked_page(
                        runs_search(ids, wanted, deleted_too=deleted_too), token, is_needed=number == 1
                    )
                except LateError:
                    self._pages.cut(when=True, what=_MARKED_ARE_CUT)
                    break
                found |= {run.run_id: run for run in page}
                if not token:
                    break
                enough = _with_two_variants(found.values())
                rest = [each for each in ids if each not in enough]
                is_last = (
                    number == _MARKED_PAGES or not rest or self._pages.client.used_share > _SHARE_OF_MARKED
                )
                self._pages.cut(when=is_last or len(rest) < len(ids), what=_MARKED_ARE_CUT)
                if is_last:
                    break
                ids, token = (rest, "") if len(rest) < len(ids) else (ids, token)
        return list(found.values())

    def recent_runs(self, experiment_ids: Sequence[int]) -> Sequence[RunRow]:
        """The first page of each experiment, the wanted one's and the newest ones' first."""
        return self._runs.recent(sorted(experiment_ids, key=lambda each: self._order[each]))

    def runs(self, experiment_ids: Sequence[int]) -> Sequence[RunRow]:
        """All active runs of these experiments, as far as the pages reach."""
        return self._runs.all(experiment_ids)

    def metric_keys(self, experiment_ids: Sequence[int]) -> Mapping[str, int]:
        """How many of the runs that were read log each key."""
        return self._runs.metric_keys(experiment_ids)

    def history(self, runs: Sequence[RunRow], key: str, from_ms: int, at_ms: int) -> Sequence[PointRow]:
        """What these runs logged within the window."""
        return history_points(self._pages, runs, key, from_ms, at_ms)

    def versions(self, runs: Sequence[RunRow]) -> Sequence[VersionRow]:
        """The newest model versions of the server that were made from these runs, with the aliases that their
        models have now.
        """
        return versions_of(self._pages, runs)

    def aliased(self) -> list[Row]:
        """(run, alias) of the registered model versions that have one."""
        return aliased_runs(self._pages)

    def model_names(self) -> list[Row]:
        """(run, name) of the newest registered model versions, newest first."""
        return named_runs(self._pages)

    def models(self, experiment_ids: Sequence[int]) -> Sequence[ModelRow]:
        """The newest LoggedModels of these experiments."""
        return model_rows(self._pages, experiment_ids, self._wanted)

    def nan_points(self, run_id: str, key: str) -> frozenset[tuple[int, int]]:
        """(milliseconds, step) of the NaN that a run logged under that key."""
        return nan_points_of(self._pages, run_id, key)

    def text(self, question: str, parameters: Parameters) -> str:
        """The request or requests behind the answer."""
        ids = parameters["experiment_ids"]
        search = request("runs/search", runs_search(ids, "", deleted_too=False))
        filters = marks(parameters, known_runs(parameters))
        marked = (request("runs/search", runs_search(["…"], each, deleted_too=False)) for each in filters)
        texts = {
            "experiments": "; ".join(
                (request("experiments/search", experiments_search(deleted_too=False)), *marked)
            ),
            HISTORY: f"{search}; then for each run GET {API}metrics/get-history "
            f"{json.dumps({'metric_key': alone(parameters['accuracy_keys'])})}, "
            f"timestamp > {parameters['from_ms']} and <= {parameters['at_ms']}",
            "model points": request("logged-models/search", models_search(ids)),
            "versions": f"GET {API}model-versions/search {json.dumps(VERSIONS)}; GET "
            f"{API}registered-models/get of each model",
        }
        return f"MLflow REST API: {texts.get(question, search)}"

    def _marked_page(self, search: Document, token: str, *, is_needed: bool) -> tuple[list[RunRow], str]:
        with nullcontext() if is_needed else self._pages.client.limited(_SHARE_OF_MARKED):
            return self._pages.one(
                "runs/search", search, "runs", lambda each: run_row(each, self._wanted), token
            )


def _with_two_variants(runs: Iterable[RunRow]) -> set[int]:
    """The experiments that these runs show to be A/B tests."""
    pairs = {(run.experiment_id, run.variant) for run in runs if run.variant is not None}
    return {each for each, count in Counter(each for each, _ in pairs).items() if count >= 2}


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
