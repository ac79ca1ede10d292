"""Summaries on disk: the one to write, and an earlier one to compare with, checked at the door: what the
comparison reads in it is there and of its kind.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from live_dashboards.errors import UsageError
from live_dashboards.model.codec import decode
from live_dashboards.model.report import BadgeKind
from live_dashboards.outputs.summary_parts import SCHEMA_VERSION

_FIX = "name a summary that this version wrote with --compare, or leave it out"


def read_summary(path: Path, fix: str) -> dict[str, Any]:
    """The document; UsageError, with the fix, where it cannot be read or is no summary of this version."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"the summary {path} cannot be read: {error.strerror}; {fix}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the summary {path} is not JSON; {fix}") from error
    if (
        not isinstance(document, dict)
        or "measurements" not in document
        or document.get("schema_version") != SCHEMA_VERSION
    ):
        raise UsageError(f"{path} is not a summary of this version; {fix}")
    return document


def experiment_of(path: Path) -> str | None:
    """The experiment of the page that the summary is of; None of a simulated one, and where it cannot be
    told, which is no fault of the run that asks.
    """
    try:
        document = read_summary(path, "")
    except UsageError:
        return None
    experiment, source = document.get("experiment"), document.get("data_source")
    is_asked = source != BadgeKind.SIMULATED.data_source
    return experiment if is_asked and isinstance(experiment, str) else None


@dataclass(frozen=True, slots=True)
class _Page:
    """The keys at the top; where a dashboard has no such key there is none."""

    at: datetime
    badge: str
    window: str
    experiment: str | None
    baseline: str | None
    challenger: str | None


@dataclass(frozen=True, slots=True)
class _Conclusion:
    verdict: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class _Split:
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class _Number:
    """A measurement."""

    name: str
    variant: str | None
    value: float | None
    unit: str
    interval: tuple[float | None, float | None] | None
    origin: str
    source: str

    def __post_init__(self) -> None:
        _refuse_infinite(self.value, *(self.interval or ()))


@dataclass(frozen=True, slots=True)
class _Difference:
    """A comparison."""

    metric: str
    treatment: str
    estimate: float | None
    low: float | None
    high: float | None

    def __post_init__(self) -> None:
        _refuse_infinite(self.estimate, self.low, self.high)


@dataclass(frozen=True, slots=True)
class _Guardrail:
    name: str
    treatment: str
    outcome: str


@dataclass(frozen=True, slots=True)
class _Gate:
    gate: str
    state: str


@dataclass(frozen=True, slots=True)
class _Assumption:
    name: str
    low: float
    high: float

    def __post_init__(self) -> None:
        _refuse_infinite(self.low, self.high)


@dataclass(frozen=True, slots=True)
class _Share:
    variant: str
    planned_percent: float | None

    def __post_init__(self) -> None:
        _refuse_infinite(self.planned_percent)


_OBJECTS: tuple[tuple[str, Any], ...] = (
    ("verdict", _Conclusion),
    ("recommendation", _Conclusion),
    ("traffic_split", _Split),
)


def _refuse_infinite(*numbers: float | None) -> None:
    if not all(number is None or math.isfinite(number) for number in numbers):
        raise ValueError("not finite")


_ROWS: tuple[tuple[str, Any], ...] = (
    ("measurements", _Number),
    ("comparisons", _Difference),
    ("guardrails", _Guardrail),
    ("gates", _Gate),
    ("assumptions", _Assumption),
)


def read_previous(path: Path, dashboard: str) -> dict[str, Any] | None:
    """The summary to compare with; None where there is no such file yet, UsageError where it is none of this
    dashboard or is damaged.
    """
    try:
        path.stat()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the summary {str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}; {_FIX}"
        ) from error
    document = read_summary(path, _FIX)
    if document.get("dashboard") != dashboard:
        raise UsageError(
            f"{path} is a summary of the {document.get('dashboard')} dashboard, not of {dashboard}; {_FIX}"
        )
    try:
        _check(document)
    except UsageError as error:
        raise UsageError(f"the summary {path} is damaged: {str(error).partition(';')[0]}; {_FIX}") from error
    return document


def _check(document: dict[str, Any]) -> None:
    _check_object(document, _Page, "")
    for key, kind in _OBJECTS:
        if key in document:
            _check_object(document[key], kind, key)
    for key, kind in _ROWS:
        _check_rows(document.get(key, []), kind, key)
    planned = document.get("traffic_split", {}).get("planned") or {}
    for key, value in (("variants", document.get("variants", {})), ("traffic_split.planned", planned)):
        if not isinstance(value, dict):
            raise UsageError(f"{key} must be an object")
    _check_rows(
        [{"variant": name, "planned_percent": percent} for name, percent in planned.items()],
        _Share,
        "traffic_split.planned",
    )


def _check_rows(rows: Any, kind: Any, key: str) -> None:
    if not isinstance(rows, list):
        raise UsageError(f"{key} must be a list")
    for index, row in enumerate(rows):
        _check_object(row, kind, f"{key}[{index}]")


def _check_object(row: Any, kind: Any, place: str) -> None:
    """Only the keys that are compared: others may come and go with the versions."""
    names = {field.name for field in fields(kind)}
    decode(
        kind,
        {name: value for name, value in row.items() if name in names} if isinstance(row, dict) else row,
        place,
    )
