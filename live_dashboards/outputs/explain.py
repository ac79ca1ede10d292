"""Where a number of a summary comes from, in text."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from live_dashboards.errors import UsageError
from live_dashboards.model.codec import decode
from live_dashboards.model.names import escaped
from live_dashboards.outputs.earlier_summary import read_summary

_COPIES = re.compile(
    r"\b(?:max|avg) without \(([^)]*)\) " r"\((?:increase|rate|irate|sum_over_time|last_over_time)\("
)
_DRAW_FIRST = "draw a dashboard first, or name a summary with --summary"


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A measurement as the summary holds it."""

    name: str
    variant: str | None
    value: float | None
    unit: str
    interval: tuple[float | None, float | None] | None
    n: int | None
    origin: str
    source: str
    query: str
    observed_at: str | None
    reason: str | None
    stale: bool = False
    inputs: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """`name`, or `name.variant`."""
        return self.name if self.variant is None else f"{self.name}.{self.variant}"


def explain(name: str, path: Path) -> str:
    """Value, interval, origin, query and inputs of the number of that name (or `name.variant`) in the
    summary; UsageError where it is not there.
    """
    rows = _read_rows(path)
    known = {row.reference: row for row in rows}
    of_this_name = [row for row in rows if row.name == name]
    found = [known[name]] if name in known else of_this_name
    if not found:
        near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.0)
        raise UsageError(
            f"{path} holds no number called {name!r}; the nearest are "
            f"{', '.join(near) or 'none, it holds no numbers'}"
        )
    texts = [_explained(row, known) for row in found]
    others = [row.reference for row in of_this_name if row not in found]
    more = f"\nby variant: {escaped(', '.join(others))}\n" if others else ""
    return _printable("\n".join(texts) + more + f"\nfrom {escaped(str(path))}\n")


def find_last_summary(folder: Path) -> Path:
    """The newest summary in the folder; UsageError where there is none."""
    try:
        by_age = sorted(
            folder.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True
        )
    except OSError as error:
        raise UsageError(
            f"the folder {folder} cannot be read: {error.strerror}; name a summary with --summary"
        ) from error
    for path in by_age:
        try:
            read_summary(path, _DRAW_FIRST)
        except UsageError:
            continue  # a snapshot, or another program's file
        return path
    raise UsageError(f"there is no summary in {folder}; {_DRAW_FIRST}")


def _read_rows(path: Path) -> tuple[SummaryRow, ...]:
    document = read_summary(path, _DRAW_FIRST)
    try:
        shown = decode(tuple[SummaryRow, ...], document["measurements"], "measurements")
        return (*shown, *decode(tuple[SummaryRow, ...], document.get("lineage", []), "lineage"))
    except UsageError as error:
        raise UsageError(f"the summary {path} cannot be used: {error}") from error


def _explained(row: SummaryRow, known: dict[str, SummaryRow]) -> str:
    facts = (
        ("value", _value(row)),
        ("interval", _interval(row)),
        ("n", "" if row.n is None else str(row.n)),
        ("origin", row.origin + (", stale" if row.stale else "")),
        ("source", row.source),
        ("observed", row.observed_at or ""),
        ("reason" if row.value is None else "note", row.reason or ""),
        ("query", row.query),
        ("merged", _merged(row.query)),
        ("inputs", "\n".join(_input_lines(row, known, above=(row.reference,)))),
    )
    return "\n".join([escaped(row.reference), *(_fact(label, text) for label, text in facts if text), ""])


def _merged(query: str) -> str:
    """Which copies the query counts once."""
    found = dict.fromkeys(_COPIES.findall(query))
    return "\n".join(f"copies that differ in {labels} alone count once" for labels in found)


def _fact(label: str, text: str) -> str:
    """The label and its text, further lines below the first one."""
    return f"  {label:<10}" + text.strip().replace("\n", "\n" + " " * 12)


def _value(row: SummaryRow) -> str:
    return "none" if row.value is None else f"{row.value:.15g} {row.unit}"


def _interval(row: SummaryRow) -> str:
    if row.interval is None:
        return ""
    low, high = ("unbounded" if limit is None else f"{limit:.15g}" for limit in row.interval)
    return f"{low} to {high} {row.unit} (95 %)"


def _input_lines(row: SummaryRow, known: dict[str, SummaryRow], above: tuple[str, ...]) -> list[str]:
    """A line for each input, its own inputs indented below it."""
    lines = []
    for reference in row.inputs:
        given = known.get(reference)
        indent = "  " * (len(above) - 1)
        lines.append(
            f"{indent}{reference} = {_value(given)} ({given.origin})" if given else f"{indent}{reference}"
        )
        if given and reference not in above:
            lines.extend(_input_lines(given, known, (*above, reference)))
    return lines


def _printable(text: str) -> str:
    """The text with what would steer a terminal or cannot be encoded written out."""
    return "\n".join(map(escaped, text.split("\n")))
