"""Which numbers of a summary changed since an earlier one: those that left the interval they had, came or
went.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from live_dashboards.model.measurement import Origin
from live_dashboards.model.metrics import METRICS
from live_dashboards.model.number import format_interval, format_number

_EXACT_UNITS = frozenset({"percent", "fraction"})
_HEADLINE_OF_ACCURACY = frozenset({"baseline_accuracy", "enhanced_accuracy"})
_MOST_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what it is of, before and after as the summaries hold them, and in words."""

    what: str
    variant: str | None
    before: Any
    after: Any
    words: str


def changed_numbers(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    """Numbers that left their interval of then, logged values that are others, and what came or went."""
    before = {(row["name"], row["variant"]): row for row in previous["measurements"]}
    shown = {(row["name"], row["variant"]) for row in current["measurements"]}
    for row in current["measurements"]:
        was = before.get((row["name"], row["variant"]))
        is_alias = row["name"] in _HEADLINE_OF_ACCURACY and ("accuracy", row["variant"]) in shown
        if was is None or is_alias or (_is_stand_in(was, row) and not _is_key(row, current)):
            continue
        words = _moved(was, row)
        if words:
            label = f"{row['name'].replace('_', ' ')}{' of ' + row['variant'] if row['variant'] else ''}"
            yield Change(row["name"], row["variant"], _measured(was), _measured(row), f"{label}: {words}")


def _is_stand_in(*rows: Mapping[str, Any]) -> bool:
    return any(row["origin"] == Origin.SIMULATED for row in rows)


def _is_key(row: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether the number stands in a key of its own; of what is simulated the rest only repeats it."""
    facts = document.get("variants", {}).get(row["variant"], {}) if row["variant"] else document
    return row["name"] in facts


def _measured(row: Mapping[str, Any]) -> float | None:
    """The value; None where there is none or it only stands in for one."""
    value: float | None = row["value"]
    return None if _is_stand_in(row) else value


def _moved(was: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    before, after, unit = _measured(was), _measured(row), row["unit"]
    if before == after:
        return ""
    if after is None:
        return f"gone: {'only simulated now' if _is_stand_in(row) else row['reason']}"
    if before is None:
        return f"there again: {format_number(after, unit)}"
    told = _from_to(before, after, unit)
    if was["source"] != row["source"]:
        return f"{told}, from {row['source']} and then from {was['source']}"
    if was["interval"] is None:
        return (
            told
            if was["source"] == "mlflow"
            and (unit in _EXACT_UNITS or row["name"] in METRICS)
            and format_number(before, unit) != format_number(after, unit)
            else ""
        )
    low, high = was["interval"]
    is_inside = (low is None or after >= low) and (high is None or after <= high)
    return "" if is_inside else f"{told}, outside its interval of then ({format_interval(low, high, unit)})"


def _from_to(before: float, after: float, unit: str) -> str:
    """Both, with as many digits as it takes to tell them apart."""
    pairs = [
        (format_number(before, unit, digits), format_number(after, unit, digits))
        for digits in range(3, _MOST_DIGITS + 1)
    ]
    was, now = next(((one, other) for one, other in pairs if one != other), pairs[0])
    return f"{was} -> {now}"
