"""MLflow's rows by its REST API: a bounded number of pages and calls, however many runs there are; where that cuts something off, it is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.questions import Parameters
from live_dashboards.sources.mlflow.readings import HISTORY
from live_dashboards.sources.mlflow.rest.exchange import API, RestClient
from live_dashboards.sources.mlflow.rest.failures import not_mlflow
from live_dashboards.sources.mlflow.rest.parsing import SHAPE_ERRORS, Document, experiment_row, point_rows, run_row, version_row
from live_dashboards.sources.mlflow.rows.records import ExperimentRow, PointRow, RunRow, VersionRow

_EXPERIMENT_PAGE = 1000
_EXPERIMENT_PAGES = sql.MAX_EXPERIMENTS // _EXPERIMENT_PAGE
_MARKED_PAGE = 1000  # a server takes about a second for a thousand runs
_MARKED_PAGES = 4
_RUN_PAGE = 500
_RUN_PAGES = 20  # of all experiments together, after the first of each
_READ_EXPERIMENTS = 50
_SHARE_OF_MARKED, _SHARE_OF_RUNS, _SHARE_OF_HISTORY = 0.35, 0.65, 0.9  # of the time, after which no more pages of these are asked for
_MODELS = 10
_HISTORY_RUNS = 100
_HISTORY_PAGE = 25_000  # the most that MLflow gives at once
_HISTORY_PAGES = 4
_VIEWS = {False: "ACTIVE_ONLY", True: "ALL"}
_MARKED = tuple(f"{place}.{sql.VARIANT_KEY} LIKE '%'" for place in ("params", "tags"))

_Read = TypeVar("_Read")


@dataclass(slots=True)
class _RunsOfOne:
    """What was read so far of one experiment's active runs; `token` is that of the next page, empty where there is none."""

    experiment_id: int
    runs: list[RunRow] = field(default_factory=list)
    token: str = ""


class RestRows:
    """Reads through one client."""

    def __init__(self, client: RestClient) -> None:
        self._client = client
        self._warnings: list[str] = []
        self._runs: dict[int, _RunsOfOne] = {}

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
        """The runs of these experiments that have a param or tag with a variant.

        All of them where they fit on a page; else those of an experiment with two variants, of which more need not be known, are left out of further pages.
        """
        found: dict[str, RunRow] = {}
        for wanted in _MARKED if experiments else ():
            ids, token = [each.experiment_id for each in experiments], ""
            for number in range(1, _MARKED_PAGES + 1):
                page, token = self._page("runs/search", _runs_search(ids, wanted, deleted_too=deleted_too), "runs", run_row, token)
                found |= {run.run_id: run for run in page}
                if not token:
                    break
                known = _with_two_variants(found.values())
                rest = [each for each in ids if each not in known]
                is_last = number == _MARKED_PAGES or not rest or self._client.used_share > _SHARE_OF_MARKED
                self._cut(when=is_last or len(rest) < len(ids), what="the newest runs with a variant (so their numbers by variant are too low)")
                if is_last:
                    break
                ids, token = (rest, "") if len(rest) < len(ids) else (ids, token)
        return list(found.values())

    def recent_runs(self, experiment_ids: Sequence[int]) -> Sequence[RunRow]:
        """The first page of each experiment."""
        newest = sorted(experiment_ids, reverse=True)
        self._cut(when=len(newest) > _READ_EXPERIMENTS, what=f"the runs of the newest {_READ_EXPERIMENTS} of {len(newest)} experiments")
        return [run for each in newest[:_READ_EXPERIMENTS] for run in self._begun(each).runs]

    def runs(self, experiment_ids: Sequence[int]) -> Sequence[RunRow]:
        """All active runs of these experiments, as far as the pages reach; the newest of each come before older ones of any."""
        begun = [self._begun(each) for each in sorted(experiment_ids, reverse=True)]
        for _ in range(_RUN_PAGES):
            waiting = [each for each in begun if each.token]
            if not waiting or self._client.used_share > _SHARE_OF_RUNS:
                break
            self._continue(min(waiting, key=lambda each: len(each.runs)))
        unread = [each for each in begun if each.token]
        self._cut(when=bool(unread), what=f"the newest {sum(len(each.runs) for each in begun)} runs")
        return [run for each in begun for run in each.runs]

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
        found: list[PointRow] = []
        for number, run in enumerate(newest):
            if number == _HISTORY_RUNS or self._client.used_share > _SHARE_OF_HISTORY:
                self._cut(when=True, what=f"the history of the newest {number} of {len(newest)} runs")
                break
            found.extend(point for point in self._points_of(run, key) if from_ms < point.at_ms <= at_ms)
        return found

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

    def _begun(self, experiment_id: int) -> _RunsOfOne:
        """The runs of an experiment, of which at least the first page is read."""
        if experiment_id not in self._runs:
            self._runs[experiment_id] = _RunsOfOne(experiment_id)
            self._continue(self._runs[experiment_id])
        return self._runs[experiment_id]

    def _continue(self, reading: _RunsOfOne) -> None:
        page, reading.token = self._page("runs/search", _runs_search([reading.experiment_id], "", deleted_too=False), "runs", run_row, reading.token)
        reading.runs.extend(page)

    def _pages(self, path: str, search: Document, name: str, read: Callable[[Document], _Read]) -> Iterator[tuple[list[_Read], bool]]:
        """Each page's records, and whether there is another one."""
        token = ""
        while True:
            page, token = self._page(path, search, name, read, token)
            yield page, bool(token)
            if not token:
                return

    def _page(self, path: str, search: Document, name: str, read: Callable[[Document], _Read], token: str) -> tuple[list[_Read], str]:
        """The records of the page with this token (none: the first), and the token of the next, empty where there is none."""
        document = self._client.post(path, {**search, **({"page_token": token} if token else {})})
        return self._read(document, name, read), str(document.get("next_page_token") or "")

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


def _with_two_variants(runs: Iterable[RunRow]) -> set[int]:
    """The experiments that these runs show to be A/B tests."""
    variants: dict[int, set[str]] = {}
    for run in runs:
        if run.variant is not None:
            variants.setdefault(run.experiment_id, set()).add(run.variant)
    return {each for each, names in variants.items() if len(names) >= 2}


def _experiments_search(*, deleted_too: bool) -> dict[str, Any]:
    return {"view_type": _VIEWS[deleted_too], "order_by": ["experiment_id DESC"], "max_results": _EXPERIMENT_PAGE}


def _runs_search(experiment_ids: Sequence[Any], wanted: str, *, deleted_too: bool) -> dict[str, Any]:
    ids, size = [str(each) for each in experiment_ids], _MARKED_PAGE if wanted else _RUN_PAGE
    return {"experiment_ids": ids, "filter": wanted, "run_view_type": _VIEWS[deleted_too], "order_by": ["attributes.start_time DESC"], "max_results": size}


_VERSIONS: dict[str, str | int] = {"order_by": "creation_timestamp DESC", "max_results": 1000}


def _request(path: str, document: Document) -> str:
    return f"POST {API}{path} {json.dumps(document, ensure_ascii=False)}"


def _may_have_logged(run: RunRow, key: str, from_ms: int) -> bool:
    """Not where it had ended, and logged its latest value, before the window: each run costs a call."""
    return run.end_ms is None or max(run.end_ms, run.metrics[key].at_ms or 0) > from_ms
