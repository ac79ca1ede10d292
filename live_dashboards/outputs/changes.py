"""What changed since an earlier summary: first what was concluded, then each number that left the interval it
had, came or went.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from live_dashboards.model.measurement import Origin
from live_dashboards.model.metrics import METRICS
from live_dashboards.model.moment import parse_moment
from live_dashboards.model.number import format_interval, format_number

_CONCLUDED = (
    ("verdict", ("verdict", "verdict")),
    ("rule", ("verdict", "rule")),
    ("recommendation", ("recommendation", "verdict")),
    ("badge", ("badge",)),
    ("experiment", ("experiment",)),
    ("window", ("window",)),
    ("traffic split", ("traffic_split", "flag")),
)
_RESTARTS = (
    ("baseline", ("baseline",)),
    ("challenger", ("challenger",)),
    ("planned split", ("traffic_split", "planned")),
)

_EXACT_UNITS = frozenset({"percent", "fraction"})
_HEADLINE_OF_ACCURACY = frozenset({"baseline_accuracy", "enhanced_accuracy"})
_MOST_DIGITS = 8


def changes_document(
    previous: Mapping[str, Any] | None, current: Mapping[str, Any], name: str
) -> dict[str, Any]:
    """The summary's `changes`: since when, and the rows; the reason where there is nothing to compare
    with.
    """
    if previous is None:
        return {"compared_with": name, "since": None, "rows": [], "reason": "there is no earlier summary yet"}
    return {
        "compared_with": name,
        "since": previous.get("at"),
        "rows": [asdict(each) for each in changes(previous, current)],
        "reason": None,
    }


def changes(previous: Mapping[str, Any], current: Mapping[str, Any]) -> tuple[Change, ...]:
    """Everything that differs and matters, the conclusions first, each thing once; `previous` is one that
    `read_previous` let pass. Nothing differs from itself.
    """
    kinds = (_concluded, _restarts, _variants, _assumptions, _guardrails, _gates, _effects, changed_numbers)
    told: dict[tuple[str, str | None], Change] = {}
    for change in (each for kind in kinds for each in kind(previous, current)):
        told.setdefault((change.what, change.variant), replace(change, words=_printable(change.words)))
    return tuple(told.values())


def _printable(text: str) -> str:
    """One line without what would steer a terminal: names come from the sources."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


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
            is_old = (
                isinstance(start, str)
                and isinstance(since, str)
                and parse_moment(start) < parse_moment(since)
            )
            fix = (
                f"; a new test begins: set AB_START to when this was done, between {since} and "
                f"{current.get('at')}"
                if is_old
                else ""
            )
            yield Change(what, None, before, after, f"{what}: {_said(before)} -> {_said(after)}{fix}")


def _variants(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    """Variants that came or went, where the dashboard lists them."""
    before, after = (list(document.get("variants") or ()) for document in (previous, current))
    if set(before) != set(after):
        yield Change(
            "variants",
            None,
            before,
            after,
            f"variants: {', '.join(before) or 'none'} -> {', '.join(after) or 'none'}",
        )


def _assumptions(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    """Settings of the business dashboard: with another amount its numbers move although nothing that is
    measured did.
    """
    before = {row["name"]: _amount(row) for row in previous.get("assumptions") or ()}
    for row in current.get("assumptions") or ():
        was, now = before.get(row["name"]), _amount(row)
        if was is not None and was != now:
            yield Change(
                f"assumption {row['name']}", None, was, now, f"{row['name']}: {was} -> {now}, a setting"
            )


def _amount(row: Mapping[str, Any]) -> str:
    low, high = row["low"], row["high"]
    return f"{low:.12g}" if low == high else f"{low:.12g}..{high:.12g}"


def _guardrails(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    before = {(row["name"], row["treatment"]): row["outcome"] for row in previous.get("guardrails") or ()}
    for row in current.get("guardrails") or ():
        was = before.get((row["name"], row["treatment"]))
        if was is not None and was != row["outcome"]:
            words = f"{row['label']}, {row['treatment']}: {was} -> {row['outcome']} ({row['words']})"
            yield Change(f"guardrail {row['name']}", row["treatment"], was, row["outcome"], words)


def _gates(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    """What the recommendation of the business dashboard rests on."""
    before = {row["gate"]: row["state"] for row in previous.get("gates") or ()}
    for row in current.get("gates") or ():
        was = before.get(row["gate"])
        if was is not None and was != row["state"]:
            yield Change(
                f"gate {row['gate']}",
                None,
                was,
                row["state"],
                f"{row['gate']}: {was} -> {row['state']} ({row['words']})",
            )


def _effects(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    """Differences whose interval began, or ceased, to exclude 0."""
    before = {(row["metric"], row["treatment"]): row for row in previous.get("comparisons") or ()}
    for row in current.get("comparisons") or ():
        was = before.get((row["metric"], row["treatment"]))
        if was is not None and _side(was) != _side(row):
            words = (
                f"{row['metric'].replace('_', ' ')} of {row['treatment']} against {row['control']}: "
                f"{_side(was)} -> {_side(row)}"
            )
            yield Change(
                f"{row['metric']}_difference", row["treatment"], was["estimate"], row["estimate"], words
            )


def _side(row: Mapping[str, Any]) -> str:
    low, high = row["low"], row["high"]
    if low is None or high is None:
        return "no interval"
    if low <= 0 <= high:
        return "undecided"
    return f"{'above' if low > 0 else 'below'} 0"


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
