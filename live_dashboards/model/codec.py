"""Snapshots as JSON and back, and what each source was last answered."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from live_dashboards.errors import UsageError
from live_dashboards.model.measurement import Origin
from live_dashboards.model.moment import format_moment, parse_moment
from live_dashboards.model.snapshot import (
    ChosenTest,
    MlflowAnswer,
    PrometheusAnswer,
    Snapshot,
    SourceState,
    SourceStatus,
)

Record = TypeVar("Record")
_UNWRITABLE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

Ages = tuple[float, float]
"""Seconds since MLflow's and since Prometheus' last good answer."""


def encode(value: Any) -> Any:
    """What `json.dumps(..., allow_nan=False)` can write."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, datetime):
        return format_moment(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a record holds {type(value).__name__}, which has no place in a document")


def decode(kind: type[Record], document: Any, path: str = "") -> Record:
    """The record that the document describes; UsageError names the place in it that does not fit. A key with
    a default may be absent.
    """
    record: Record = _decode(kind, document, path)
    return record


def _decode(kind: Any, value: Any, path: str) -> Any:
    if is_dataclass(kind):
        return _decode_record(kind, value, path)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _decode_union(get_args(kind), value, path)
    if origin is tuple:
        return _decode_tuple(get_args(kind), value, path)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _checked(kind, value, path, f"one of {', '.join(str(member.value) for member in kind)}")
    return _decode_plain(kind, value, path)


def _decode_record(kind: Any, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise _misfit(path, "an object", value)
    known = _fields(kind)
    unknown = [key for key in value if key not in known]
    if unknown:
        raise UsageError(
            f"{_place(path, unknown[0])} is not known to this version; read the file with the "
            "version that wrote it"
        )
    absent = [
        name
        for name, (field, _) in known.items()
        if name not in value and field.default is MISSING and field.default_factory is MISSING
    ]
    if absent:
        raise UsageError(f"{_place(path, absent[0])} is missing; give a complete file")
    parts = {name: _decode(known[name][1], part, _place(path, name)) for name, part in value.items()}
    return _checked(lambda given: kind(**given), parts, path, f"a {kind.__name__}")


def _decode_union(kinds: tuple[Any, ...], value: Any, path: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    errors = []
    for kind in kinds:
        if kind is not NoneType:
            try:
                return _decode(kind, value, path)
            except UsageError as error:
                errors.append(error)
    raise errors[0]


def _decode_tuple(kinds: tuple[Any, ...], value: Any, path: str) -> Any:
    if not isinstance(value, list):
        raise _misfit(path, "a list", value)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _misfit(path, f"a list of {len(kinds)}", value)
    return tuple(
        _decode(kind, item, f"{path}[{index}]")
        for index, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _decode_plain(kind: Any, value: Any, path: str) -> Any:
    if kind is datetime and isinstance(value, str):
        return _checked(parse_moment, value, path, "a moment such as 2026-11-23T10:00:00Z")
    if kind is float and isinstance(value, str) and value in _UNWRITABLE:
        return _UNWRITABLE[value]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return _checked(float, value, path, "a number")
    if type(value) is not kind:
        names: dict[Any, str] = {
            str: "text",
            float: "a number",
            int: "a whole number",
            bool: "true or false",
            datetime: "a moment",
        }
        raise _misfit(path, names.get(kind, str(kind)), value)
    return value


def _checked(make: Callable[[Any], Any], value: Any, path: str, expected: str) -> Any:
    try:
        return make(value)
    except (ValueError, OverflowError) as error:
        raise _misfit(path, expected, value) from error


def _misfit(path: str, expected: str, value: Any) -> UsageError:
    found = "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else repr(value)
    return UsageError(
        f"{path or 'the document'} must be {expected}, not {found[:60]}; give a file that this tool wrote"
    )


def _place(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@cache
def _fields(kind: Any) -> dict[str, tuple[Field[Any], Any]]:
    hints = get_type_hints(kind)
    return {field.name: (field, hints[field.name]) for field in fields(kind)}


@dataclass(frozen=True, slots=True)
class LastGood:
    """What each source answered last with A/B data, and for which moment; None where it never did.

    A moment without an answer is that of an answer to another question: nothing of it can be shown here, but
    the source is known to have been there. `prometheus_experiment` is the test that Prometheus' answer is of.
    """

    mlflow: MlflowAnswer | None = None
    mlflow_at: datetime | None = None
    prometheus: PrometheusAnswer | None = None
    prometheus_at: datetime | None = None
    prometheus_experiment: str | None = None

    @property
    def experiment(self) -> str | None:
        """The name of the experiment that MLflow chose last; Prometheus is to be asked for it while MLflow
        does not answer.
        """
        return None if self.mlflow is None else self.mlflow.experiment

    @property
    def chosen(self) -> ChosenTest | None:
        """The same with its variants."""
        return None if self.mlflow is None else self.mlflow.chosen

    def after(self, fetched: Snapshot) -> LastGood:
        """With the answers of a new fetch in place of older ones."""
        kept = self
        if fetched.mlflow.status.state is SourceState.ANSWERED:
            kept = replace(kept, mlflow=fetched.mlflow, mlflow_at=fetched.at)
        if fetched.prometheus.status.state is SourceState.ANSWERED:
            of = fetched.prometheus.experiment_filter or kept.experiment
            kept = replace(
                kept, prometheus=fetched.prometheus, prometheus_at=fetched.at, prometheus_experiment=of
            )
        return kept

    def seen_elsewhere(self, mlflow_at: datetime | None, prometheus_at: datetime | None) -> LastGood:
        """With the moments at which the sources answered another question, where they never answered this
        one.
        """
        return replace(
            self, mlflow_at=self.mlflow_at or mlflow_at, prometheus_at=self.prometheus_at or prometheus_at
        )

    def within(self, at: datetime, limit_seconds: float) -> LastGood:
        """Without the answers that are older than the limit at that moment: as if their source had never been
        there.
        """
        kept = self
        if _distance(at, self.mlflow_at) > limit_seconds:
            kept = replace(kept, mlflow=None, mlflow_at=None)
        if _distance(at, self.prometheus_at) > limit_seconds:
            kept = replace(kept, prometheus=None, prometheus_at=None, prometheus_experiment=None)
        return kept

    def fill(self, fetched: Snapshot, limit_seconds: float, ages: Ages | None = None) -> Snapshot:
        """The fetched snapshot in which a source that failed now shows its last good answer, as CACHED, while
        that is not older than the limit.

        An older answer, one of another experiment than the page's, or one of a source that is reachable but
        has no A/B data any more, is not shown; the status tells its moment. `ages` None: by the wall clock,
        of which an answer from the future is as far away as one from the past.
        """
        mlflow_age, prometheus_age = ages or (
            _distance(fetched.at, self.mlflow_at),
            _distance(fetched.at, self.prometheus_at),
        )
        now = fetched.mlflow.status
        if now.state is not SourceState.ANSWERED and self.mlflow_at is not None:
            status = _status(self.mlflow, now, self.mlflow_at, may_be_shown=mlflow_age <= limit_seconds)
            shown = self.mlflow if self.mlflow is not None and status.has_answered else fetched.mlflow
            fetched = replace(
                fetched,
                mlflow=replace(
                    shown, status=status, origin=Origin.CACHED if status.has_answered else shown.origin
                ),
            )
        now = fetched.prometheus.status
        if now.state is not SourceState.ANSWERED and self.prometheus_at is not None:
            is_same = self.prometheus_experiment in {
                None,
                fetched.mlflow.experiment or self.prometheus_experiment,
            }
            status = _status(
                self.prometheus,
                now,
                self.prometheus_at,
                may_be_shown=is_same and prometheus_age <= limit_seconds,
            )
            answer = (
                self.prometheus if self.prometheus is not None and status.has_answered else fetched.prometheus
            )
            fetched = replace(
                fetched,
                prometheus=replace(
                    answer, status=status, origin=Origin.CACHED if status.has_answered else answer.origin
                ),
            )
        return fetched


def _distance(at: datetime, answered_at: datetime | None) -> float:
    return 0.0 if answered_at is None else abs((at - answered_at).total_seconds())


def _status(
    good: MlflowAnswer | PrometheusAnswer | None,
    now: SourceStatus,
    answered_at: datetime,
    *,
    may_be_shown: bool,
) -> SourceStatus:
    """Of now, with the moment of the last answer; CACHED, with the earlier answer's version and address,
    where that is shown.
    """
    if good is not None and now.state is SourceState.FAILED and may_be_shown:
        return replace(
            good.status,
            state=SourceState.CACHED,
            reason=now.reason,
            fix=now.fix,
            duration_seconds=now.duration_seconds,
            answered_at=answered_at,
        )
    return replace(now, answered_at=answered_at)
