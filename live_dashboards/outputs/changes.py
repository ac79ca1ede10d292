"""What changed since an earlier summary: first what was concluded, then each number that left the interval it had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from live_dashboards.errors import UsageError
from live_dashboards.model.measurement import Origin
from live_dashboards.model.number import format_interval, format_number
from live_dashboards.outputs.summary_file import read_summary

_FIX = "name a summary that this version wrote with --compare, or leave it out"
_CONCLUDED = (
    ("verdict", ("verdict", "verdict")),
    ("rule", ("verdict", "rule")),
    ("recommendation", ("recommendation", "verdict")),
    ("badge", ("badge",)),
    ("experiment", ("experiment",)),
    ("traffic split", ("traffic_split", "flag")),
)
_RESTARTS = (("baseline", ("baseline",)), ("challenger", ("challenger",)), ("planned split", ("traffic_split", "planned")))
_EXACT_UNITS = frozenset({"percent", "fraction"})


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what it is of, before and after as the summaries hold them, and in words."""

    what: str
    variant: str | None
    before: Any
    after: Any
    words: str


def read_previous(path: Path, dashboard: str) -> dict[str, Any] | None:
    """The summary to compare with; None where there is no such file yet, UsageError where it is none of this dashboard."""
    if not path.exists():
        return None
    document = read_summary(path, _FIX)
    if document.get("dashboard") != dashboard:
        raise UsageError(f"{path} is a summary of the {document.get('dashboard')} dashboard, not of {dashboard}; {_FIX}")
    return document


def changes_document(previous: Mapping[str, Any] | None, current: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The summary's `changes`: since when, and the rows; the reason where there is nothing to compare with."""
    if previous is None:
        return {"compared_with": name, "since": None, "rows": [], "reason": "there is no earlier summary yet"}
    return {"compared_with": name, "since": previous.get("at"), "rows": [asdict(each) for each in changes(previous, current)], "reason": None}


def changes(previous: Mapping[str, Any], current: Mapping[str, Any]) -> tuple[Change, ...]:
    """Everything that differs and matters, the conclusions first."""
    return (*_concluded(previous, current), *_restarts(previous, current), *_guardrails(previous, current), *_effects(previous, current), *_numbers(previous, current))


def _at(document: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = document
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {format_number(share, 'percent')}" for name, share in value.items())
    return "none" if value is None else str(value)


def _concluded(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    for what, path in _CONCLUDED:
        before, after = _at(previous, path), _at(current, path)
        if before != after:
            yield Change(what, None, before, after, f"{what}: {_said(before)} -> {_said(after)}")


def _restarts(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    """Another baseline, challenger or plan is another test: what was counted before does not belong to it."""
    for what, path in _RESTARTS:
        before, after = _at(previous, path), _at(current, path)
        if before != after:
            since, start = previous.get("at"), _at(current, ("analysis_period", "start"))
            is_old = isinstance(start, str) and isinstance(since, str) and start < since
            fix = f"; a new test begins: set AB_START to when this was done, between {since} and {current.get('at')}" if is_old else ""
            yield Change(what, None, before, after, f"{what}: {_said(before)} -> {_said(after)}{fix}")


def _guardrails(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    before = {(row["name"], row["treatment"]): row["outcome"] for row in previous.get("guardrails") or ()}
    for row in current.get("guardrails") or ():
        was = before.get((row["name"], row["treatment"]))
        if was is not None and was != row["outcome"]:
            yield Change(
                f"guardrail {row['name']}", row["treatment"], was, row["outcome"], f"{row['label']}, {row['treatment']}: {was} -> {row['outcome']} ({row['words']})"
            )


def _effects(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    """Differences whose interval began, or ceased, to exclude 0."""
    before = {(row["metric"], row["treatment"]): row for row in previous.get("comparisons") or ()}
    for row in current.get("comparisons") or ():
        was = before.get((row["metric"], row["treatment"]))
        if was is not None and _side(was) != _side(row):
            words = f"{row['metric'].replace('_', ' ')} of {row['treatment']} against {row['control']}: {_side(was)} -> {_side(row)}"
            yield Change(f"{row['metric']}_difference", row["treatment"], was["estimate"], row["estimate"], words)


def _side(row: Mapping[str, Any]) -> str:
    low, high = row["low"], row["high"]
    if low is None or high is None:
        return "no interval"
    if low <= 0 <= high:
        return "undecided"
    return f"{'above' if low > 0 else 'below'} 0"


def _numbers(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    """Numbers that left their interval of then, logged values that are others, and what came or went."""
    before = {(row["name"], row["variant"]): row for row in previous["measurements"]}
    for row in current["measurements"]:
        was = before.get((row["name"], row["variant"]))
        words = _moved(was, row) if was is not None else ""
        if was is not None and words:
            label = f"{row['name'].replace('_', ' ')}{' of ' + row['variant'] if row['variant'] else ''}"
            yield Change(row["name"], row["variant"], was["value"], row["value"], f"{label}: {words}")


def _moved(was: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    before, after, unit = was["value"], row["value"], row["unit"]
    simulated = [each["origin"] == Origin.SIMULATED for each in (was, row)]
    if any(simulated):
        return ""
    if before is None or after is None:
        return "" if before is after else f"gone: {row['reason']}" if after is None else f"there again: {format_number(after, unit)}"
    told = f"{format_number(before, unit)} -> {format_number(after, unit)}"
    if was["interval"] is None:
        return told if unit in _EXACT_UNITS and was["source"] == "mlflow" and before != after else ""
    low, high = was["interval"]
    is_inside = (low is None or after >= low) and (high is None or after <= high)
    return "" if is_inside else f"{told}, outside its interval of then ({format_interval(low, high, unit)})"
