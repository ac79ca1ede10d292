"""Which experiments there are, how often each variant occurs, and when each was last active: the rows of
EXPERIMENTS, DELETED and ACTIVITY of `sql`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence

from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.questions import Parameters, Row
from live_dashboards.sources.mlflow.rows.records import ExperimentRow, RunRow

_DAY_MS = 86_400_000
_DELETED_SHOWN = 3


def experiment_rows(
    experiments: Iterable[ExperimentRow], runs: Iterable[RunRow], parameters: Parameters
) -> list[Row]:
    """(id, name, workspace, variant, runs) of each active experiment and variant; one row without a variant
    where there is none.
    """
    wanted, counts = parameters["experiment"], _counted(runs)

    def place(each: ExperimentRow, *, is_cut: bool) -> tuple[bool, bool, int]:
        return (
            each.name != wanted,
            is_cut and len(counts.get(each.experiment_id, ())) < 2,
            -each.experiment_id,
        )

    known = sorted(
        (each for each in experiments if each.is_active), key=lambda each: place(each, is_cut=True)
    )[: sql.MAX_EXPERIMENTS]
    rows: list[Row] = []
    for experiment in sorted(known, key=lambda each: place(each, is_cut=False)):
        shown = _shown_variants(counts.get(experiment.experiment_id, Counter()), parameters["favoured"]) or [
            (None, None)
        ]
        rows.extend(
            (experiment.experiment_id, experiment.name, experiment.workspace, variant, count)
            for variant, count in shown
        )
    return rows[: sql.MAX_EXPERIMENT_ROWS]


def deleted_rows(experiments: Iterable[ExperimentRow], runs: Iterable[RunRow]) -> list[Row]:
    """(name, is deleted) of the newest experiments that would have two variants if nothing were deleted."""
    counts = _counted(runs)
    found = sorted(
        (each for each in experiments if len(counts.get(each.experiment_id, ())) >= 2),
        key=lambda each: -each.experiment_id,
    )
    return [(each.name, not each.is_active) for each in found[:_DELETED_SHOWN]]


def activity_rows(runs: Sequence[RunRow], parameters: Parameters) -> list[Row]:
    """(id, newest activity known at the moment, newest activity at all) of each experiment, in
    milliseconds.
    """
    tomorrow_ms = time.time() * 1000 + _DAY_MS
    by_experiment: dict[int, list[RunRow]] = {}
    for run in runs:
        by_experiment.setdefault(run.experiment_id, []).append(run)
    return [
        (each, _known_ms(of_one, parameters), _newest_ms(of_one, tomorrow_ms))
        for each, of_one in sorted(by_experiment.items())
    ]


def _counted(runs: Iterable[RunRow]) -> dict[int, Counter[str]]:
    counts: dict[int, Counter[str]] = {}
    for run in runs:
        if run.variant is not None:
            counts.setdefault(run.experiment_id, Counter())[run.variant] += 1
    return counts


def _shown_variants(counts: Counter[str], favoured: Sequence[str]) -> list[tuple[str | None, int | None]]:
    """The variants that count within the limit, most runs first."""
    within = sorted(counts.items(), key=lambda row: (row[0] not in favoured, -row[1], row[0]))[
        : sql.MAX_VARIANTS
    ]
    return [(variant, count) for variant, count in sorted(within, key=lambda row: (-row[1], row[0]))]


def _known_ms(runs: Sequence[RunRow], parameters: Parameters) -> int | None:
    """A start, end or metric after the moment and its slack was not known then; a later metric of a run that
    had started by then counts as that moment.
    """
    at_ms, near_ms = parameters["at_ms"], parameters["near_ms"]
    times = [
        moment
        for run in runs
        for moment in (run.start_ms, run.end_ms)
        if moment is not None and moment <= near_ms
    ]
    for run in runs:
        had_started = run.start_ms is not None and run.start_ms <= near_ms
        sign_ms = run.newest_sign_ms if had_started else run.near_sign_ms
        times.extend(() if sign_ms is None else (sign_ms,))
    return min(max(times), at_ms) if times else None


def _newest_ms(runs: Sequence[RunRow], tomorrow_ms: float) -> int | None:
    times = [
        moment
        for run in runs
        for moment in (run.start_ms, run.end_ms)
        if moment is not None and moment <= tomorrow_ms
    ]
    return max(
        (*times, *(run.newest_sign_ms for run in runs if run.newest_sign_ms is not None)), default=None
    )
