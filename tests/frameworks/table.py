"""The table of a run, in Markdown, and its place in docs/serving.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.frameworks.known import VARIANTS
from tests.frameworks.load import failed, mean_ms, p95_ms, reaching, slept_seconds
from tests.frameworks.raw import Run, expected

DOCUMENT = Path(__file__).parents[2] / "docs" / "serving.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
HEADINGS = ("framework", "client: reached the model; failed", "product: requests; errors", "ms: the model slept, /metrics, the client waited", "product: mean, ms", "p95: its bucket, the client's, ms", "product: p95, ms", "badge", "right")  # fmt: skip
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Row:
    """One framework's cells, in the order of the headings."""

    cells: tuple[str, ...]


def row_of(run: Run, summary: Mapping[str, Any] | None, *, is_right: bool) -> Row:
    """What was sent, what came out; pairs are baseline; enhanced."""
    shown = {variant: (summary or {}).get("variants", {}).get(variant, {}) for variant in VARIANTS}
    reached = {variant: reaching(run.framework, run.of(variant)) for variant in VARIANTS}
    wanted = expected(run)
    return Row(
        (
            f"{run.framework.name} {run.framework.version}",
            _pair(f"{len(reached[each])}, {len(failed(run.framework, run.of(each)))}" for each in VARIANTS),
            _pair(f"{_number(shown[each].get('requests'))}, {_number(shown[each].get('errors'))}" for each in VARIANTS),
            _pair(
                f"{1000 * slept_seconds(reached[each]) / len(reached[each]):.1f}, {_number(wanted[each].mean_ms, 1)}, {mean_ms(reached[each]):.1f}" for each in VARIANTS
            ),
            _pair(_number(shown[each].get("mean_latency_ms"), 1) for each in VARIANTS),
            _pair(f"{_bucket(wanted[each].p95_bucket_ms)}, {p95_ms(reached[each]):.0f}" for each in VARIANTS),
            _pair(_number(shown[each].get("p95_latency_ms")) for each in VARIANTS),
            NOTHING if summary is None else str(summary["badge"]),
            "yes" if is_right else "NO",
        )
    )


def table(rows: Iterable[Row]) -> str:
    """All rows as Markdown."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(row.cells for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def write_into_document(text: str) -> None:
    """Put the table between its two marks; a document without them gets them at its end."""
    before = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else "# Serving frameworks\n\n"
    head, _, rest = before.partition(BEGIN)
    tail = rest.partition(END)[2] or "\n"
    DOCUMENT.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}", encoding="utf-8")


def _pair(values: Iterable[str]) -> str:
    return "; ".join(values)


def _number(value: float | None, digits: int = 0) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


def _bucket(edges: tuple[float, float] | None) -> str:
    return NOTHING if edges is None else f"{edges[0]:g} to {edges[1]:g}"
