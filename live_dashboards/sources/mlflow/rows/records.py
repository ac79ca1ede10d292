"""Rows of MLflow as records, and what of a run is read: a run may log hundreds of metrics and params, of
which the rules need a dozen.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from live_dashboards.model.class_scores import CLASS_SCORE
from live_dashboards.model.metrics import BEST
from live_dashboards.model.setting_types import VariantWay
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.experiments import hit_keys
from live_dashboards.sources.mlflow.questions import Parameters, Row
from live_dashboards.sources.mlflow.variants import variant_of

LONGEST_TEXT = 250
_DAY_MS = 86_400_000
_CLASS_SCORE = re.compile(CLASS_SCORE)


@dataclass(frozen=True, slots=True)
class WantedKeys:
    """The keys that are kept, and by when a metric is a sign of life: known at the moment asked for, and at
    all (milliseconds since 1970).
    """

    metrics: frozenset[str]
    prefixes: tuple[str, ...]
    has_scores: bool
    params: frozenset[str]
    tags: frozenset[str]
    near_ms: int
    tomorrow_ms: int
    ways: tuple[VariantWay, ...]

    @classmethod
    def of(cls, parameters: Parameters) -> WantedKeys:
        """What the questions bound to these parameters need; a caller of MLflow may log any time, and later
        ones than tomorrow are no sign of activity.
        """
        count, has_scores = parameters["test_count_key"], parameters["with_scores"]
        hits = {
            name
            for metric, key in zip(parameters["metrics"], parameters["keys"], strict=True)
            if metric in parameters["with_hits"]
            for name in hit_keys(key)
        }
        own = {*parameters["keys"], *(f"{BEST}{key}" for key in parameters["keys"])}
        told = {parameters["r2_key"]} if has_scores else set()
        prefixes = parameters["dataset_prefixes"]
        ways = parameters["variant_ways"]
        tags = frozenset({*(way.name for way in ways if way.kind == "tag"), sql.PARENT_KEY, sql.RUN_NAME_KEY})
        scorer = {parameters["scorer_key"]} if has_scores else set()
        tomorrow_ms = int(time.time() * 1000) + _DAY_MS
        return cls(
            frozenset({*own, *hits, *told, count, parameters["example_count_key"]}),
            (*prefixes, *(f"{BEST}{prefix}" for prefix in prefixes)),
            has_scores,
            frozenset({*(way.name for way in ways if way.kind == "param"), count, *scorer}),
            tags,
            parameters["near_ms"],
            tomorrow_ms,
            ways,
        )

    def has_metric(self, key: str) -> bool:
        """Whether that metric is kept."""
        return key in self.metrics or key.startswith(self.prefixes) or self.is_of_dataset(key)

    def is_of_dataset(self, key: str) -> bool:
        """Whether it is the score of a class on a data set, where these are looked at."""
        return self.has_scores and bool(_CLASS_SCORE.match(key))

    def signs(self, times_ms: Iterable[int | None]) -> tuple[int | None, int | None]:
        """The newest of them at all, and the newest that was known at the moment."""
        known = [each for each in times_ms if each is not None and each <= self.tomorrow_ms]
        return max(known, default=None), max((each for each in known if each <= self.near_ms), default=None)


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    """An experiment; `is_active` is false of a deleted one."""

    experiment_id: int
    name: str
    workspace: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A value as logged, and when (milliseconds since 1970), of which step."""

    value: float
    at_ms: int | None
    is_nan: bool
    step: int = 0

    @property
    def is_finite(self) -> bool:
        """Whether it is a number that can be shown."""
        return not self.is_nan and abs(self.value) < sql.LARGEST


class DatasetRow(NamedTuple):
    """A data set of a run: what for (`train`, `eval` or nothing), its name, and its profile as JSON text."""

    context: str
    name: str
    profile: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run with those of its latest metrics that are wanted, by key, and when it logged any: at all, and by
    the moment asked for (milliseconds since 1970); `way` is the place of the way that its variant is read by.
    """

    experiment_id: int
    run_id: str
    logged_name: str
    status: str
    start_ms: int | None
    end_ms: int | None
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, MetricRow]
    newest_sign_ms: int | None = None
    near_sign_ms: int | None = None
    datasets: tuple[DatasetRow, ...] = ()
    variant: str | None = None
    way: int = 0

    @property
    def parent(self) -> str:
        """The run that it belongs to, empty where it belongs to none."""
        return self.tags.get(sql.PARENT_KEY, "")[:LONGEST_TEXT]

    @property
    def is_child(self) -> bool:
        """Whether it belongs to another run."""
        return bool(self.parent)

    @property
    def name(self) -> str:
        """Its name, else the tag with it, else the beginning of its id."""
        return (self.logged_name or self.tags.get(sql.RUN_NAME_KEY) or self.run_id[:8])[:LONGEST_TEXT]

    @property
    def is_good(self) -> bool:
        """Whether its values count: it has ended well, or is under way."""
        return self.status in {"FINISHED", "RUNNING"}

    @property
    def counts(self) -> bool:
        """Whether its values count for its variant."""
        return self.variant is not None and self.is_good

    def named(self, parameters: Parameters) -> RunRow:
        """The same with the variant that these parameters lead to."""
        variant, way = variant_of(self.run_id, self.params, self.tags, parameters)
        return replace(self, variant=variant, way=way)

    def finite(self, key: str) -> float | None:
        """The latest value of that key, None where there is none that is a number."""
        metric = self.metrics.get(key)
        return metric.value if metric is not None and metric.is_finite else None


@dataclass(frozen=True, slots=True)
class PointRow:
    """One logged value of a run."""

    run_id: str
    at_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A registered model version made from a run."""

    name: str
    version: int
    created_ms: int
    run_id: str
    aliases: tuple[str, ...]


class ModelPoint(NamedTuple):
    """A value that a run measured of a model, as logged; a NaN is 0."""

    run_id: str
    key: str
    value: float
    at_ms: int
    step: int


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A LoggedModel with what is wanted of its params, tags and metrics; `source_run_id` is the run that
    trained it.
    """

    experiment_id: int
    model_id: str
    source_run_id: str | None
    params: Mapping[str, str]
    tags: Mapping[str, str]
    points: tuple[ModelPoint, ...]


class RowSource(Protocol):
    """A place to read rows from; each call is made once. SourceError where it cannot be read."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where what was read so far was cut off."""

    def experiments(self, *, deleted_too: bool) -> Sequence[ExperimentRow]:
        """All experiments."""

    def marked_runs(
        self, experiments: Sequence[ExperimentRow], known: Sequence[str], *, deleted_too: bool
    ) -> Sequence[RunRow]:
        """The runs of these experiments that have a param or tag with a variant, and those known by id."""

    def recent_runs(self, experiment_ids: Sequence[int]) -> Sequence[RunRow]:
        """At least the newest active runs of these experiments: enough to tell when each was last active."""

    def runs(self, experiment_ids: Sequence[int]) -> Sequence[RunRow]:
        """All active runs of these experiments."""

    def metric_keys(self, experiment_ids: Sequence[int]) -> Mapping[str, int]:
        """How many active runs of these experiments log each key; asked after `runs`."""

    def history(self, runs: Sequence[RunRow], key: str, from_ms: int, at_ms: int) -> Sequence[PointRow]:
        """The values that these runs logged after `from_ms`, up to `at_ms`; NaN left out."""

    def versions(self, runs: Sequence[RunRow]) -> Sequence[VersionRow]:
        """The model versions made from these runs."""

    def aliased(self) -> list[Row]:
        """(run, alias) of the registered model versions that have one."""

    def model_names(self) -> list[Row]:
        """(run, name) of the newest registered model versions, newest first."""

    def models(self, experiment_ids: Sequence[int]) -> Sequence[ModelRow]:
        """The LoggedModels of these experiments; none where MLflow keeps none."""

    def nan_points(self, run_id: str, key: str) -> frozenset[tuple[int, int]]:
        """(milliseconds, step) of the NaN that a run logged under that key."""

    def text(self, question: str, parameters: Parameters) -> str:
        """What is asked to answer the question."""
