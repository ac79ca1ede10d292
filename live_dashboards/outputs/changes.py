"""What changed since an earlier summary: first what was concluded, then each number that left the interval it
had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from live_dashboards.model.moment import parse_moment
from live_dashboards.model.number import format_number
from live_dashboards.outputs.changed_numbers import Change, changed_numbers

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
