"""The table of a run, in Markdown, and its place in docs/serving.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.frameworks.known import BY_NAME, VARIANTS
from tests.frameworks.load import failed, mean_ms, p95_ms, reaching, slept_seconds
from tests.frameworks.product import MEAN, P95, measurement
from tests.frameworks.raw import Run, expected

DOCUMENT = Path(__file__).parents[2] / "docs" / "serving.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
NOTHING = "–"

Row = Mapping[str, str]


def row_of(run: Run, summary: Mapping[str, Any] | None, *, is_right: bool) -> Row:
    """What was sent and what came out, by heading; pairs are baseline; enhanced."""
    name, right = f"{run.framework.name} {run.framework.version}", "yes" if is_right else "**no**"
    shown = {} if summary is None else _shown(summary)
    return {"framework": name, **_measured(run), **shown, "right": right}


def table(rows: Sequence[Row]) -> str:
    """All rows as Markdown; nothing where there are none."""
    if not rows:
        return ""
    lines = [tuple(rows[0]), ("---",) * len(rows[0]), *(tuple(row.values()) for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def write_into_document(rows: Sequence[Row]) -> None:
    """Put the rows between the marks, in the frameworks' order; a table with the same headings keeps the rows of others."""
    head, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    old, _, tail = rest.partition(END)
    kept = [row for row in _read(old) if rows and row.keys() == rows[0].keys()]
    by_name = {row["framework"].split()[0]: row for row in (*kept, *rows)}
    text = table([by_name[name] for name in BY_NAME if name in by_name])
    DOCUMENT.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}", encoding="utf-8")


def _read(text: str) -> Iterable[Row]:
    lines = [tuple(cell.strip() for cell in line.strip("|\n").split(" | ")) for line in text.splitlines() if line.startswith("|")]
    return (dict(zip(lines[0], cells, strict=True)) for cells in lines[2:])


def _measured(run: Run) -> Row:
    wanted, reached = expected(run), {variant: reaching(run.framework, run.of(variant)) for variant in VARIANTS}
    return {
        "requests, failed (client)": _pair(lambda each: f"{len(reached[each])}, {len(failed(run.framework, run.of(each)))}"),
        "mean ms: model, `/metrics`, client": _pair(
            lambda each: f"{1000 * slept_seconds(reached[each]) / len(reached[each]):.1f}, {_number(wanted[each].mean_ms)}, {mean_ms(reached[each]):.1f}"
        ),
        "p95 ms: bucket, client": _pair(lambda each: f"{_bucket(wanted[each].p95_bucket_ms)}, {p95_ms(reached[each]):.0f}"),
    }


def _shown(summary: Mapping[str, Any]) -> Row:
    def told(variant: str, *names: str) -> str:
        return ", ".join(_told(measurement(summary, variant, name)) for name in names)

    return {
        "page: requests, errors": _pair(lambda each: told(each, "requests", "errors")),
        "page: mean, p95 ms": _pair(lambda each: told(each, MEAN, P95)),
        "badge": str(summary["badge"]),
    }


def _told(said: Mapping[str, Any]) -> str:
    """The value; of a count that is not sure, at least and at most."""
    value, interval = said.get("value"), said.get("interval")
    if said.get("name") == "requests" and interval:
        return f"{interval[0]:g} to {interval[1]:g}"
    return NOTHING if value is None else f"{value:g}" if isinstance(value, int) else f"{value:.1f}"


def _pair(cell: Callable[[str], str]) -> str:
    return "; ".join(map(cell, VARIANTS))


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f}"


def _bucket(edges: tuple[float, float] | None) -> str:
    return "none" if edges is None else f"{edges[0]:g} to {edges[1]:g}"
