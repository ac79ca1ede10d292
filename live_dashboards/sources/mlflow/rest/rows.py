"""MLflow's rows by its REST API: a bounded number of pages and calls, however many runs there are; where that cuts something off, it is said."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.questions import Parameters
from live_dashboards.sources.mlflow.readings import HISTORY
from live_dashboards.sources.mlflow.rest.exchange import API, RestClient
from live_dashboards.sources.mlflow.rest.failures import not_mlflow
from live_dashboards.sources.mlflow.rest.parsing import SHAPE_ERRORS, Document, experiment_row, point_rows, run_row, version_row
from live_dashboards.sources.mlflow.rows.records import ExperimentRow, PointRow, RunRow, VersionRow

_PAGE = 1000
_EXPERIMENT_PAGES = sql.MAX_EXPERIMENTS // _PAGE
_MARKED_PAGES = 3
_MODELS = 10
_READ_EXPERIMENTS = 50
_FURTHER_PAGES = 10  # of runs, over all experiments, after the first page of each
_HISTORY_RUNS = 100
_HISTORY_PAGE = 25_000  # the most that MLflow gives at once
_HISTORY_PAGES = 4
_VIEWS = {False: "ACTIVE_ONLY", True: "ALL"}
_MARKED = tuple(f"{place}.{sql.VARIANT_KEY} LIKE '%'" for place in ("params", "tags"))

_Read = TypeVar("_Read")


class RestRows:
    """Reads through one client."""

    def __init__(self, client: RestClient) -> None:
        self._client = client
        self._warnings: list[str] = []

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where what was read so far was cut off."""
        return tuple(dict.fromkeys(self._warnings))

    def experiments(self, *, deleted_too: bool) -> Sequence[ExperimentRow]:
        """All experiments, newest first."""
        found: list[ExperimentRow] = []
        for number, (page, has_more) in enumerate(self._pages("experiments/search", _experiments_search(deleted_too=deleted_too), "experiments", experiment_row), 1):
            found.extend(page)
            if number == _EXPERIMENT_PAGES:
                self._cut(when=has_more, what=f"the newest {len(found)} experiments")
                break
        return found

    def marked_runs(self, experiments: Sequence[ExperimentRow], *, deleted_too: bool) -> Sequence[RunRow]:
        """The runs of these experiments that have a param or tag with a variant."""
        ids = [each.experiment_id for each in experiments]
        found: dict[str, RunRow] = {}
        for wanted in _MARKED if ids else ():
            for number, (page, has_more) in enumerate(self._pages("runs/search", _runs_search(ids, wanted, deleted_too=deleted_too), "runs", run_row), 1):
                found |= {run.run_id: run for run in page}
                if number == _MARKED_PAGES:
                    self._cut(when=has_more, what=f"the newest {number * _PAGE} runs with {wanted.partition(' ')[0]}, for which experiments there are and their counts")
                    break
        return list(found.values())

    def runs(self, experiment_ids: Sequence[int]) -> Sequence[RunRow]:
        """The active runs of these experiments; the newest of each come before older ones of any."""
        newest = sorted(experiment_ids, reverse=True)
        self._cut(when=len(newest) > _READ_EXPERIMENTS, what=f"the runs of the newest {_READ_EXPERIMENTS} of {len(newest)} experiments")
        found: list[RunRow] = []
        waiting = deque(self._pages("runs/search", _runs_search([each], "", deleted_too=False), "runs", run_row) for each in newest[:_READ_EXPERIMENTS])
        for _ in range(len(waiting) + _FURTHER_PAGES):
            if not waiting:
                break
            pages = waiting.popleft()
            page, has_more = next(pages)
            found.extend(page)
            if has_more:
                waiting.append(pages)
        self._cut(when=bool(waiting), what=f"the newest runs of {len(waiting)} experiment{'' if len(waiting) == 1 else 's'}, {len(found)} runs in all")
        return found

    def history(self, runs: Sequence[RunRow], key: str, from_ms: int, at_ms: int) -> Sequence[PointRow]:
        """What these runs logged within the window; the runs of a sweep only of a variant that nothing else has logged for."""
        likely = [run for run in runs if run.counts and key in run.metrics and _may_have_logged(run, key, from_ms)]
        points = self._points([run for run in likely if not run.is_child], key, from_ms, at_ms)
        by_id = {run.run_id: (run.experiment_id, run.variant) for run in likely}
        known = {by_id[point.run_id] for point in points}
        return [*points, *self._points([run for run in likely if run.is_child and by_id[run.run_id] not in known], key, from_ms, at_ms)]

    def versions(self, runs: Sequence[RunRow]) -> Sequence[VersionRow]:
        """The newest model versions of the server that were made from these runs, with the aliases that their models have now."""
        ids = {run.run_id for run in runs}
        document = self._client.get("model-versions/search", _VERSIONS)
        found = [version for version in self._read(document, "model_versions", version_row) if version is not None and version.run_id in ids]
        aliases = {name: self._aliases(name) for name in list(dict.fromkeys(version.name for version in found))[:_MODELS]}
        return [replace(version, aliases=tuple(alias for alias, number in aliases.get(version.name, ()) if number == version.version)) for version in found]

    def text(self, question: str, parameters: Parameters) -> str:
        """The request or requests behind the answer."""
        ids = parameters["experiment_ids"]
        search = _request("runs/search", _runs_search(ids, "", deleted_too=False))
        marked = (_request("runs/search", _runs_search(["…"], each, deleted_too=False)) for each in _MARKED)
        texts = {
            "experiments": "; ".join((_request("experiments/search", _experiments_search(deleted_too=False)), *marked)),
            HISTORY: f"{search}; then for each run GET {API}metrics/get-history {json.dumps({'metric_key': parameters['accuracy_key']})}, "
            f"timestamp > {parameters['from_ms']} and <= {parameters['at_ms']}",
            "versions": f"GET {API}model-versions/search {json.dumps(_VERSIONS)}; GET {API}registered-models/get of each model",
        }
        return f"MLflow REST API: {texts.get(question, search)}"

    def _aliases(self, name: str) -> list[tuple[str, int]]:
        """Each alias of the registered model, and the version that has it."""
        model = self._client.get("registered-models/get", {"name": name}).get("registered_model", {})
        return self._read(model, "aliases", lambda each: (str(each["alias"]), int(each["version"])))

    def _points(self, runs: Sequence[RunRow], key: str, from_ms: int, at_ms: int) -> list[PointRow]:
        newest = sorted(runs, key=lambda run: ((run.start_ms or 0) > at_ms, -(run.start_ms or 0)))
        self._cut(when=len(newest) > _HISTORY_RUNS, what=f"the history of the newest {_HISTORY_RUNS} of {len(newest)} runs")
        return [point for run in newest[:_HISTORY_RUNS] for point in self._points_of(run, key) if from_ms < point.at_ms <= at_ms]

    def _points_of(self, run: RunRow, key: str) -> list[PointRow]:
        found: list[PointRow] = []
        parameters: dict[str, str | int] = {"run_id": run.run_id, "metric_key": key, "max_results": _HISTORY_PAGE}
        for _ in range(_HISTORY_PAGES):
            document = self._client.get("metrics/get-history", parameters)
            found.extend(self._checked(partial(point_rows, run.run_id, document.get("metrics", ()))))
            token = document.get("next_page_token")
            if not token:
                return found
            parameters["page_token"] = str(token)
        self._cut(when=True, what=f"the first {_HISTORY_PAGES * _HISTORY_PAGE} values of {key} of run {run.run_id}")
        return found

    def _pages(self, path: str, search: Document, name: str, read: Callable[[Document], _Read]) -> Iterator[tuple[list[_Read], bool]]:
        """Each page's records, and whether there is another one."""
        token = None
        while True:
            document = self._client.post(path, {**search, **({"page_token": token} if token else {})})
            token = document.get("next_page_token") or None
            yield self._read(document, name, read), token is not None
            if token is None:
                return

    def _read(self, document: Document, name: str, read: Callable[[Document], _Read]) -> list[_Read]:
        return self._checked(lambda: [read(each) for each in document.get(name, ())])

    def _checked(self, read: Callable[[], list[_Read]]) -> list[_Read]:
        try:
            return read()
        except SHAPE_ERRORS as error:
            raise not_mlflow(self._client.address, "JSON of another shape") from error

    def _cut(self, *, when: bool, what: str) -> None:
        if when:
            self._warnings.append(f"by its REST API only {what} could be read; MLFLOW_DB_HOST (access to the database) reads all")


def _experiments_search(*, deleted_too: bool) -> dict[str, Any]:
    return {"view_type": _VIEWS[deleted_too], "order_by": ["experiment_id DESC"], "max_results": _PAGE}


def _runs_search(experiment_ids: Sequence[Any], wanted: str, *, deleted_too: bool) -> dict[str, Any]:
    ids = [str(each) for each in experiment_ids]
    return {"experiment_ids": ids, "filter": wanted, "run_view_type": _VIEWS[deleted_too], "order_by": ["attributes.start_time DESC"], "max_results": _PAGE}


_VERSIONS: dict[str, str | int] = {"order_by": "creation_timestamp DESC", "max_results": _PAGE}


def _request(path: str, document: Document) -> str:
    return f"POST {API}{path} {json.dumps(document, ensure_ascii=False)}"


def _may_have_logged(run: RunRow, key: str, from_ms: int) -> bool:
    """Not where it had ended, and logged its latest value, before the window: each run costs a call."""
    return run.end_ms is None or max(run.end_ms, run.metrics[key].at_ms or 0) > from_ms
