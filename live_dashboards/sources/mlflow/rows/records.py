"""What is read of MLflow where no SQL of ours can be asked: experiments, runs with their params, tags and
latest metrics, metric values, model versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.questions import Parameters

_BLANKS = " \t\r\n\f\x0b"
_LONGEST_TEXT = 250


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    """An experiment; `is_active` is false of a deleted one."""

    experiment_id: int
    name: str
    workspace: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A value as logged, and when (milliseconds since 1970)."""

    value: float
    at_ms: int | None
    is_nan: bool

    @property
    def is_finite(self) -> bool:
        """Whether it is a number that can be shown."""
        return not self.is_nan and abs(self.value) < sql.LARGEST


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run with those of its latest metrics that are wanted, by key, and when it logged any: at all, and by
    the moment asked for (milliseconds since 1970).
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

    @property
    def variant(self) -> str | None:
        """The param of that name, else the tag; None where both are blank or not there."""
        return _trimmed(self.params.get(sql.VARIANT_KEY)) or _trimmed(self.tags.get(sql.VARIANT_KEY))

    @property
    def is_child(self) -> bool:
        """Whether it belongs to another run."""
        return bool(self.tags.get(sql.PARENT_KEY))

    @property
    def name(self) -> str:
        """Its name, else the tag with it, else the beginning of its id."""
        return (self.logged_name or self.tags.get(sql.RUN_NAME_KEY) or self.run_id[:8])[:_LONGEST_TEXT]

    @property
    def counts(self) -> bool:
        """Whether its values count for its variant."""
        return self.variant is not None and self.status in {"FINISHED", "RUNNING"}

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


class RowSource(Protocol):
    """A place to read rows from; each call is made once. SourceError where it cannot be read."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where what was read so far was cut off."""

    def experiments(self, *, deleted_too: bool) -> Sequence[ExperimentRow]:
        """All experiments."""

    def marked_runs(self, experiments: Sequence[ExperimentRow], *, deleted_too: bool) -> Sequence[RunRow]:
        """The runs of these experiments that have a param or tag with a variant."""

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

    def text(self, question: str, parameters: Parameters) -> str:
        """What is asked to answer the question."""


def _trimmed(text: str | None) -> str | None:
    return (text or "")[:_LONGEST_TEXT].strip(_BLANKS) or None
