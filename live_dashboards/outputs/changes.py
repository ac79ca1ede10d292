"""What changed since an earlier summary: first what was concluded, then each number that left the interval it
had, came or went.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    yield from _other_keys(_CONCLUDED, previous, current, "")


def _restarts(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    """Another baseline, challenger or plan is another test: what was counted before does not belong to it."""
    since, start = previous.get("at"), _at(current, ("analysis_period", "start"))
    is_old = isinstance(start, str) and isinstance(since, str) and parse_moment(start) < parse_moment(since)
    fix = f"; a new test begins: set AB_START to when this was done, between {since} and {current.get('at')}"
    yield from _other_keys(_RESTARTS, previous, current, fix if is_old else "")


def _other_keys(
    keys: Iterable[tuple[str, tuple[str, ...]]],
    previous: Mapping[str, Any],
    current: Mapping[str, Any],
    fix: str,
) -> Iterator[Change]:
    for what, path in keys:
        before, after = _at(previous, path), _at(current, path)
        if before != after:
            yield Change(what, None, before, after, f"{what}: {_said(before)} -> {_said(after)}{fix}")


def _in_both(
    previous: Mapping[str, Any], current: Mapping[str, Any], key: str, *names: str
) -> Iterator[tuple[Any, Any]]:
    """The rows of a list that both have, by these names: as it was, and as it is."""
    before = {tuple(row[name] for name in names): row for row in previous.get(key) or ()}
    for row in current.get(key) or ():
        was = before.get(tuple(row[name] for name in names))
        if was is not None:
            yield was, row


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
    for before, row in _in_both(previous, current, "assumptions", "name"):
        was, now = _amount(before), _amount(row)
        if was != now:
            yield Change(
                f"assumption {row['name']}", None, was, now, f"{row['name']}: {was} -> {now}, a setting"
            )


def _amount(row: Mapping[str, Any]) -> str:
    low, high = row["low"], row["high"]
    return f"{low:.12g}" if low == high else f"{low:.12g}..{high:.12g}"


def _guardrails(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    for before, row in _in_both(previous, current, "guardrails", "name", "treatment"):
        was, now = before["outcome"], row["outcome"]
        if was != now:
            words = f"{row['label']}, {row['treatment']}: {was} -> {now} ({row['words']})"
            yield Change(f"guardrail {row['name']}", row["treatment"], was, now, words)


def _gates(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    """What the recommendation of the business dashboard rests on."""
    for before, row in _in_both(previous, current, "gates", "gate"):
        was, now = before["state"], row["state"]
        if was != now:
            words = f"{row['gate']}: {was} -> {now} ({row['words']})"
            yield Change(f"gate {row['gate']}", None, was, now, words)


def _effects(previous: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[Change]:
    """Differences whose interval began, or ceased, to exclude 0."""
    for was, row in _in_both(previous, current, "comparisons", "metric", "treatment"):
        if _side(was) != _side(row):
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
    shown = {(row["name"], row["variant"]) for row in current["measurements"]}
    for was, row in _in_both(previous, current, "measurements", "name", "variant"):
        is_alias = row["name"] in _HEADLINE_OF_ACCURACY and ("accuracy", row["variant"]) in shown
        if is_alias or (_is_stand_in(was, row) and not _is_key(row, current)):
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
