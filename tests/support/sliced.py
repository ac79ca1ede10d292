"""A test of eight days of which it is known what each value of a label has counted: drawn with a fixed seed, and added up to the totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from live_dashboards.model.snapshot import Accumulated, Answer, Slices, Snapshot, Timeline
from tests.support import snapshots

BLOCKS, STEP_SECONDS = 192, 3600.0
COUNTERS = ("requests", "errors", "latency_count", "latency_within")
Row = np.ndarray


@dataclass(frozen=True)
class Part:
    """What one model does on one value of the label: requests an hour, and the share that fails and that is slow."""

    value: str
    model: str
    requests: float = 60.0
    errors: float = 0.01
    slow: float = 0.02
    fails_from: int = 0  # block


def instances(*, faulty: float = 0.01, count: int = 3, fails_from: int = 0) -> list[Part]:
    """As many of each model, each its own; the first one of the challenger fails with that chance."""
    return [
        Part(f"{letter}{index}:9000", model, errors=faulty if (letter, index) == ("b", 0) else 0.01, fails_from=fails_from)
        for letter, model in (("a", "baseline"), ("b", "enhanced"))
        for index in range(count)
    ]


def regions(*names: str, worse: dict[str, float] | None = None) -> list[Part]:
    """Regions in which both models run; the challenger fails in some of them with another chance."""
    return [Part(name, model, errors=(worse or {}).get(name, 0.01) if model == "enhanced" else 0.01) for name in names for model in ("baseline", "enhanced")]


def sliced(parts: Sequence[Part], label: str, *, shown: int = 20, seed: int = 20_261_130) -> Snapshot:
    """The snapshot of these; of more values than are shown the rest is in the totals alone."""
    made = snapshots.live()
    end = made.at.timestamp()
    ends = [end - STEP_SECONDS * (BLOCKS - 1 - block) for block in range(BLOCKS)]
    draws = np.random.default_rng(seed)
    counts = {part: _drawn(part, draws) for part in parts}
    values = _by_traffic(counts)
    kept = {(part.model, part.value): counted for part, counted in counts.items() if part.value in values[:shown]}
    blocks = tuple(_answer(name, {(("model_name", model), (label, value)): rows[name] for (model, value), rows in kept.items()}, ends) for name in COUNTERS)
    models = {part.model for part in parts}
    whole = {name: {(("model_name", model),): sum(rows[name] for part, rows in counts.items() if part.model == model) for model in sorted(models)} for name in COUNTERS}
    accumulated = Accumulated(
        end - BLOCKS * STEP_SECONDS,
        is_remembered=True,
        totals=tuple(_total(name, rows, end) for name, rows in whole.items()),
        blocks=tuple(_answer(name, rows, ends) for name, rows in whole.items()),
        edge_seconds=0.25,
        slices=Slices(label, values[:shown], len(values), blocks),
    )
    first = tuple((model, accumulated.start_seconds) for model in sorted(models))
    return replace(made, prometheus=replace(made.prometheus, accumulated=(accumulated,), first_traffic=first))


def _drawn(part: Part, draws: np.random.Generator) -> dict[str, Row]:
    requests = draws.poisson(part.requests, BLOCKS)
    chance = np.where(np.arange(BLOCKS) >= part.fails_from, part.errors, 0.01)
    return {"requests": requests, "errors": draws.binomial(requests, chance), "latency_count": requests, "latency_within": requests - draws.binomial(requests, part.slow)}


def _by_traffic(counts: dict[Part, dict[str, Row]]) -> tuple[str, ...]:
    sums: dict[str, float] = {}
    for part, rows in counts.items():
        sums[part.value] = sums.get(part.value, 0.0) + float(rows["requests"].sum())
    return tuple(sorted(sums, key=lambda value: (-sums[value], value)))


def _answer(name: str, rows: dict[tuple, Row], ends: list[float]) -> Answer:
    series = tuple(Timeline(labels, tuple(zip(ends, map(float, row), strict=True))) for labels, row in rows.items())
    return Answer(name, f"query of {name}", "count", series, step_seconds=STEP_SECONDS)


def _total(name: str, rows: dict[tuple, Row], end: float) -> Answer:
    return Answer(name, f"query of {name}", "count", tuple(Timeline(labels, ((end, float(row.sum())),)) for labels, row in rows.items()))
