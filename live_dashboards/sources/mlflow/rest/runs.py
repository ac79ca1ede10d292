"""Runs, their histories and model versions as the REST API gives them, page by page, checked at the door."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.questions import Parameters, Row
from live_dashboards.sources.mlflow.rest.exchange import API, LateError, RestClient, not_mlflow
from live_dashboards.sources.mlflow.rows.records import (
    LONGEST_TEXT,
    DatasetRow,
    ExperimentRow,
    MetricRow,
    ModelPoint,
    ModelRow,
    PointRow,
    RunRow,
    VersionRow,
    WantedKeys,
)

Document = Mapping[str, Any]
# the last: JSON's 1e999 as a whole number
SHAPE_ERRORS = (KeyError, TypeError, ValueError, AttributeError, OverflowError)

_Read = TypeVar("_Read")

_HISTORY_RUNS = 100
_HISTORY_PAGE = 25_000  # the most that MLflow gives at once
_HISTORY_PAGES = 4
_SHARE_OF_TIME = 0.9  # after which no call goes on

_RUN_PAGES = 20  # of all experiments together, after the first of each
_READ_EXPERIMENTS = 50
_COUNTED_KEYS = 2_000  # of each experiment, of which the check names a few
_SHARE_OF_RUNS = 0.65  # of the time, after which no page is waited for

_CONTEXT_KEY, _LONGEST_PROFILE = "mlflow.data.context", 1000
_PAGES = 10
_MODEL_PAGES = 10
_MODELS = 25  # whose aliases are asked for, a call each
_SHARE_OF_VERSIONS = 0.95  # of the time, after which no call goes on

EXPERIMENT_PAGE = 1000
MARKED_PAGE = 1000  # a server takes about a second for a thousand runs
RUN_PAGE = 500
_PLACES = {"param": "params", "tag": "tags"}
_KNOWN_AT_ONCE = 200
VERSIONS: dict[str, str | int] = {"order_by": "creation_timestamp DESC", "max_results": 1000}
_VIEWS = {False: "ACTIVE_ONLY", True: "ALL"}


def experiment_row(document: Document) -> ExperimentRow:
    """An experiment of `experiments/search`."""
    workspace = str(document.get("workspace") or "default")
    return ExperimentRow(
        int(document["experiment_id"]),
        str(document["name"]),
        workspace,
        document.get("lifecycle_stage") == "active",
    )


def run_row(document: Document, wanted: WantedKeys) -> RunRow:
    """What is wanted of a run of `runs/search`."""
    info, data = document["info"], document.get("data", {})
    return RunRow(
        int(info["experiment_id"]),
        str(info.get("run_id") or info["run_uuid"]),
        str(info.get("run_name", "")),
        str(info["status"]),
        _milliseconds(info.get("start_time")),
        _milliseconds(info.get("end_time")),
        _texts(data.get("params", ()), wanted.params),
        _texts(data.get("tags", ()), wanted.tags),
        {
            str(metric["key"]): metric_row(metric)
            for metric in data.get("metrics", ())
            if wanted.has_metric(str(metric["key"]))
        },
        *wanted.signs(_milliseconds(metric.get("timestamp")) for metric in data.get("metrics", ())),
        datasets=tuple(map(dataset_row, document.get("inputs", {}).get("dataset_inputs", ()))),
    ).named({"variant_ways": wanted.ways, "known": {}})


def marks(parameters: Parameters, known: Sequence[str]) -> list[str]:
    """The filters that find the runs with a variant: by each param and tag, then those known by id."""
    ways = parameters["variant_ways"]
    found = [f"{_PLACES[way.kind]}.{_quoted(way.name)} LIKE '%'" for way in ways if way.kind in _PLACES]
    runs = [run_id for run_id in known if run_id.isalnum()]
    parts = [runs[start : start + _KNOWN_AT_ONCE] for start in range(0, len(runs), _KNOWN_AT_ONCE)]
    return [*found, *(f"attributes.run_id IN ({', '.join(map(repr, part))})" for part in parts)]


def _quoted(name: str) -> str:
    """The key as a filter takes it."""
    return name if name.isidentifier() else f"`{name}`"


def dataset_row(document: Document) -> DatasetRow:
    """A data set of a run, as `runs/search` has it."""
    dataset = document.get("dataset", {})
    contexts = (
        str(tag.get("value", "")) for tag in document.get("tags", ()) if tag.get("key") == _CONTEXT_KEY
    )
    return DatasetRow(
        next(contexts, ""), str(dataset.get("name", "")), str(dataset.get("profile", ""))[:_LONGEST_PROFILE]
    )


def metric_keys(document: Document) -> set[str]:
    """The keys that a run of `runs/search` logs."""
    return {str(metric["key"]) for metric in document.get("data", {}).get("metrics", ())}


def metric_row(document: Document) -> MetricRow:
    """A metric's value; NaN and infinities come as words."""
    value = float(document.get("value", 0.0))
    step = _milliseconds(document.get("step")) or 0
    return MetricRow(value, _milliseconds(document.get("timestamp")), math.isnan(value), step)


def point_rows(run_id: str, documents: Iterable[Document]) -> list[PointRow]:
    """The values of `metrics/get-history`; NaN and what has no time are left out."""
    metrics = (metric_row(document) for document in documents)
    return [
        PointRow(run_id, metric.at_ms, metric.value)
        for metric in metrics
        if metric.at_ms is not None and metric.is_finite
    ]


def version_row(document: Document) -> VersionRow | None:
    """A version of `model-versions/search`, which tells no aliases; None where it does not tell its run or
    its time.
    """
    made_ms, run_id = _milliseconds(document.get("creation_timestamp")), document.get("run_id")
    if made_ms is None or not run_id:
        return None
    return VersionRow(str(document["name"]), int(document["version"]), made_ms, str(run_id), ())


def _milliseconds(number: Any) -> int | None:
    return None if number is None else int(number)


def _texts(documents: Iterable[Document], wanted: Container[str]) -> dict[str, str]:
    return {
        str(document["key"]): str(document.get("value", ""))[:LONGEST_TEXT]
        for document in documents
        if document["key"] in wanted
    }


class Pages:
    """Reads records through one client; `warnings` are said on the page."""

    def __init__(self, client: RestClient) -> None:
        self.client = client
        self.warnings: list[str] = []

    def one(
        self, path: str, search: Document, name: str, read: Callable[[Document], _Read], token: str
    ) -> tuple[list[_Read], str]:
        """The records of the page with this token (none: the first), and the token of the next, empty where
        there is none.
        """
        document = self.client.post(path, {**search, **({"page_token": token} if token else {})})
        return self.read(document, name, read), str(document.get("next_page_token") or "")

    def read(self, document: Document, name: str, read: Callable[[Document], _Read]) -> list[_Read]:
        """The records in a list of the answer; SourceError where they are of another shape."""
        return self.checked(lambda: [read(each) for each in document.get(name, ())])

    def checked(self, read: Callable[[], list[_Read]]) -> list[_Read]:
        """What `read` gives; SourceError where it meets another shape."""
        try:
            return read()
        except SHAPE_ERRORS as error:
            raise not_mlflow(self.client.address, "JSON of another shape") from error

    def cut(self, *, when: bool, what: str) -> None:
        """Notes what alone could be read, where more was there."""
        if when:
            self.warnings.append(
                f"by its REST API only {what} could be read; MLFLOW_DB_HOST (access to "
                "the database) reads all"
            )


def history_points(
    pages: Pages, runs: Sequence[RunRow], key: str, from_ms: int, at_ms: int
) -> Sequence[PointRow]:
    """What these runs logged within the window; the runs of a sweep only of a variant that nothing else
    has logged for.
    """
    likely = [
        run for run in runs if run.counts and key in run.metrics and _may_have_logged(run, key, from_ms)
    ]
    points = _points(pages, [run for run in likely if not run.is_child], key, from_ms, at_ms)
    by_id = {run.run_id: (run.experiment_id, run.variant) for run in likely}
    known = {by_id[point.run_id] for point in points}
    return [
        *points,
        *_points(
            pages,
            [run for run in likely if run.is_child and by_id[run.run_id] not in known],
            key,
            from_ms,
            at_ms,
        ),
    ]


def _points(pages: Pages, runs: Sequence[RunRow], key: str, from_ms: int, at_ms: int) -> list[PointRow]:
    newest = sorted(runs, key=lambda run: ((run.start_ms or 0) > at_ms, -(run.start_ms or 0)))
    found: list[PointRow] = []
    with pages.client.limited(_SHARE_OF_TIME):
        for number, run in enumerate(newest):
            points = _points_of(pages, run, key) if number < _HISTORY_RUNS else None
            if points is None:
                pages.cut(when=True, what=f"the history of the newest {number} of {len(newest)} runs")
                break
            found.extend(point for point in points if from_ms < point.at_ms <= at_ms)
    return found


def _points_of(pages: Pages, run: RunRow, key: str) -> list[PointRow] | None:
    """None where the time was over before all of them had come."""
    try:
        return _all_points(pages, run, key)
    except LateError:
        return None


def _all_points(pages: Pages, run: RunRow, key: str) -> list[PointRow]:
    found: list[PointRow] = []
    parameters: dict[str, str | int] = {
        "run_id": run.run_id,
        "metric_key": key,
        "max_results": _HISTORY_PAGE,
    }
    for _ in range(_HISTORY_PAGES):
        document = pages.client.get("metrics/get-history", parameters)
        found.extend(pages.checked(partial(point_rows, run.run_id, document.get("metrics", ()))))
        token = document.get("next_page_token")
        if not token:
            return found
        parameters["page_token"] = str(token)
    pages.cut(
        when=True, what=f"the first {_HISTORY_PAGES * _HISTORY_PAGE} values of {key} of run {run.run_id}"
    )
    return found


def _may_have_logged(run: RunRow, key: str, from_ms: int) -> bool:
    """Not where it had ended, and logged its latest value, before the window: each run costs a call."""
    return run.end_ms is None or max(run.end_ms, run.metrics[key].at_ms or 0) > from_ms


@dataclass(slots=True)
class _RunsOfOne:
    """What was read so far of one experiment's active runs; `token` is that of the next page, empty of the
    first, None where there is none.
    """

    experiment_id: int
    runs: list[RunRow] = field(default_factory=list)
    token: str | None = ""
    keys: Counter[str] = field(default_factory=Counter)

    def count(self, keys: Iterable[str], wanted: WantedKeys) -> None:
        """Adds the keys that a page's runs log."""
        for key in keys:
            if key in self.keys or len(self.keys) < _COUNTED_KEYS or wanted.has_metric(key):
                self.keys[key] += 1

    @property
    def is_begun(self) -> bool:
        """Whether the first page is read."""
        return self.token != ""


class RestRuns:
    """Keeps what was read."""

    def __init__(self, pages: Pages, wanted: WantedKeys) -> None:
        self._pages, self._wanted = pages, wanted
        self._runs: dict[int, _RunsOfOne] = {}

    def recent(self, experiment_ids: Sequence[int]) -> Sequence[RunRow]:
        """The first page of each experiment, in this order."""
        begun = self._begun(experiment_ids[:_READ_EXPERIMENTS])
        count = sum(each.is_begun for each in begun)
        self._pages.cut(
            when=count < len(experiment_ids),
            what=f"the runs of the newest {count} of {len(experiment_ids)} experiments",
        )
        return [run for each in begun for run in each.runs]

    def all(self, experiment_ids: Iterable[int]) -> Sequence[RunRow]:
        """All of them, as far as the pages reach; the newest of each come before older ones of any."""
        begun = self._begun(sorted(experiment_ids, reverse=True))
        for _ in range(_RUN_PAGES):
            waiting = [each for each in begun if each.token]
            if not waiting or not self._continue_in_time(min(waiting, key=lambda each: len(each.runs))):
                break
        is_unread = any(each.token is not None for each in begun)
        self._pages.cut(when=is_unread, what=f"the newest {sum(len(each.runs) for each in begun)} runs")
        return [run for each in begun for run in each.runs]

    def metric_keys(self, experiment_ids: Iterable[int]) -> Mapping[str, int]:
        """How many of the runs that were read log each key."""
        return sum((self._runs[each].keys for each in experiment_ids if each in self._runs), Counter())

    def _begun(self, experiment_ids: Iterable[int]) -> list[_RunsOfOne]:
        """The first page of each experiment: the very first at any cost, as there is nothing without it,
        others in time.
        """
        found = [self._runs.setdefault(each, _RunsOfOne(each)) for each in experiment_ids]
        for each in found:
            if each.is_begun:
                continue
            if not any(other.is_begun for other in self._runs.values()):
                self._continue(each)
            elif not self._continue_in_time(each):
                break
        return found

    def _continue_in_time(self, reading: _RunsOfOne) -> bool:
        """Whether the next page came before the share of the time was over."""
        try:
            with self._pages.client.limited(_SHARE_OF_RUNS):
                self._continue(reading)
        except LateError:
            return False
        return True

    def _continue(self, reading: _RunsOfOne) -> None:
        search = runs_search([reading.experiment_id], "", deleted_too=False)
        page, token = self._pages.one(
            "runs/search",
            search,
            "runs",
            lambda each: (run_row(each, self._wanted), metric_keys(each)),
            reading.token or "",
        )
        own = [run for run, _ in page if run.experiment_id == reading.experiment_id]
        reading.count((key for _, keys in page for key in keys), self._wanted)
        if len(own) < len(page):
            self._pages.warnings.append(
                f"MLflow's server {self._pages.client.address} gave runs of another experiment than it was "
                "asked for, which are left out; look at what answers there"
            )
        # pages are cut by place, so a run that began meanwhile moves others to the next one
        known = {run.run_id for run in reading.runs}
        reading.runs.extend(run for run in own if run.run_id not in known)
        reading.token = token or None


def versions_of(pages: Pages, runs: Sequence[RunRow]) -> Sequence[VersionRow]:
    """The newest versions that were made from these runs, as many of each experiment as are shown, with
    the aliases that their models have now.
    """
    with pages.client.limited(_SHARE_OF_VERSIONS):
        found = _made_from(pages, {run.run_id: run.experiment_id for run in runs})
        aliases = _aliases(pages, dict.fromkeys(version.name for version in found))
    return [
        replace(
            version,
            aliases=tuple(
                alias for alias, number in aliases.get(version.name, ()) if number == version.version
            ),
        )
        for version in found
    ]


def _made_from(pages: Pages, experiment_of: dict[str, int]) -> list[VersionRow]:
    """Page by page, until each experiment has as many as are shown."""
    found: list[VersionRow] = []
    read, token, missing = 0, "", Counter(dict.fromkeys(experiment_of.values(), sql.MAX_VERSIONS))
    for _ in range(_PAGES):
        try:
            document = pages.client.get(
                "model-versions/search", {**VERSIONS, **({"page_token": token} if token else {})}
            )
        except LateError:
            break
        page = pages.read(document, "model_versions", version_row)
        own = [version for version in page if version is not None and version.run_id in experiment_of]
        found.extend(own)
        missing.subtract(experiment_of[version.run_id] for version in own)
        read, token = read + len(page), str(document.get("next_page_token") or "")
        if not token or all(count <= 0 for count in missing.values()):
            return found
    pages.cut(when=True, what=f"the newest {read} model versions of the server")
    return found


def _aliases(pages: Pages, names: Iterable[str]) -> dict[str, list[tuple[str, int]]]:
    """Each model's aliases, and the version that has it."""
    wanted, found = list(names), {}
    for name in wanted[:_MODELS]:
        try:
            found[name] = _aliases_of(pages, name)
        except LateError:
            break
    pages.cut(when=len(found) < len(wanted), what=f"the aliases of {len(found)} of {len(wanted)} models")
    return found


def _aliases_of(pages: Pages, name: str) -> list[tuple[str, int]]:
    model = pages.client.get("registered-models/get", {"name": name}).get("registered_model", {})
    return pages.read(model, "aliases", lambda each: (str(each["alias"]), int(each["version"])))


def aliased_runs(pages: Pages) -> list[Row]:
    """(run, alias) of the model versions that have one, of the models and versions that pages reach."""
    aliases: dict[tuple[str, int], list[str]] = {}
    for model in _paged(pages, "registered-models/search", {"max_results": 1000}, "registered_models"):
        for each in model.get("aliases", ()):
            aliases.setdefault((str(model["name"]), int(each["version"])), []).append(str(each["alias"]))
    if not aliases:
        return []
    return [
        (version.run_id, alias)
        for version in sorted(_versions(pages), key=lambda each: -each.created_ms)
        for alias in sorted(aliases.get((version.name, version.version), ()))
    ]


def named_runs(pages: Pages) -> list[Row]:
    """(run, name) of the newest model versions."""
    placed = sorted(_versions(pages), key=lambda each: (-each.created_ms, each.name, -each.version))
    return [(each.run_id, each.name) for each in placed[:1000]]


def model_rows(pages: Pages, experiment_ids: Sequence[int], wanted: WantedKeys) -> list[ModelRow]:
    """The LoggedModels of these experiments; SourceError of a server that knows none."""
    search = models_search(experiment_ids)
    found: list[ModelRow] = []
    token = ""
    for _ in range(_MODEL_PAGES):
        page, token = pages.one(
            "logged-models/search", search, "models", lambda each: model_row(each, wanted), token
        )
        found.extend(page)
        if not token:
            break
    pages.cut(when=bool(token), what=f"the newest {len(found)} LoggedModels")
    return found


def models_search(experiment_ids: Sequence[int]) -> dict[str, Any]:
    """The LoggedModels of these experiments, as many as MLflow gives at once."""
    return {"experiment_ids": [str(each) for each in experiment_ids], "max_results": 50}


def model_row(document: Document, wanted: WantedKeys) -> ModelRow:
    """What is wanted of a model of `logged-models/search`."""
    info, data = document["info"], document.get("data", {})
    points = (
        ModelPoint(str(each["run_id"]), str(each["key"]), row.value, row.at_ms or 0, row.step)
        for each in data.get("metrics", ())
        if each.get("run_id") and wanted.has_metric(str(each["key"]))
        for row in (metric_row(each),)
    )
    return ModelRow(
        int(info["experiment_id"]),
        str(info["model_id"]),
        info.get("source_run_id") or None,
        _texts(data.get("params", ()), wanted.params),
        _texts(info.get("tags", ()), wanted.tags),
        tuple(points),
    )


def nan_points_of(pages: Pages, run_id: str, key: str) -> frozenset[tuple[int, int]]:
    """(milliseconds, step) of the NaN that a run logged under that key, as far as a page reaches."""
    parameters: dict[str, str | int] = {"run_id": run_id, "metric_key": key, "max_results": _HISTORY_PAGE}
    document = pages.client.get("metrics/get-history", parameters)
    rows = pages.read(document, "metrics", metric_row)
    return frozenset((row.at_ms or 0, row.step) for row in rows if row.is_nan)


def _versions(pages: Pages) -> list[VersionRow]:
    found = _paged(pages, "model-versions/search", VERSIONS, "model_versions")
    return [each for each in pages.checked(lambda: [version_row(each) for each in found]) if each is not None]


def _paged(pages: Pages, path: str, search: Document, name: str) -> list[Document]:
    """The documents of all pages, as far as they reach in time."""
    found: list[Document] = []
    token = ""
    for _ in range(_PAGES):
        try:
            with pages.client.limited(_SHARE_OF_RUNS):
                document = pages.client.get(path, {**search, **({"page_token": token} if token else {})})
        except LateError:
            break
        found.extend(pages.read(document, name, lambda each: each))
        token = str(document.get("next_page_token") or "")
        if not token:
            return found
    pages.cut(when=True, what=f"{len(found)} of {name.replace('_', ' ')}")
    return found


def experiments_search(*, deleted_too: bool) -> dict[str, Any]:
    """All experiments, newest first."""
    return {
        "view_type": _VIEWS[deleted_too],
        "order_by": ["experiment_id DESC"],
        "max_results": EXPERIMENT_PAGE,
    }


def runs_search(experiment_ids: Sequence[Any], wanted: str, *, deleted_too: bool) -> dict[str, Any]:
    """The runs of these experiments that the filter wants, newest first."""
    ids, size = [str(each) for each in experiment_ids], MARKED_PAGE if wanted else RUN_PAGE
    return {
        "experiment_ids": ids,
        "filter": wanted,
        "run_view_type": _VIEWS[deleted_too],
        "order_by": ["attributes.start_time DESC"],
        "max_results": size,
    }


def request(path: str, document: Document) -> str:
    """The search in text."""
    return f"POST {API}{path} {json.dumps(document, ensure_ascii=False)}"
