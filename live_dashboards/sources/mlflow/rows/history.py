"""The logged accuracy over the window by variant, averaged by time step: the rows of HISTORY of `sql`,
without the experiment's id.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.questions import Parameters, Row
from live_dashboards.sources.mlflow.rows.records import PointRow, RunRow


def history_rows(runs: Sequence[RunRow], points: Iterable[PointRow], parameters: Parameters) -> list[Row]:
    """(variant, unix seconds, value): the mean of the values of a step at the mean of their times; child runs
    only where no top-level run has any.
    """
    by_id = {run.run_id: run for run in runs if run.counts}
    steps: dict[tuple[str, int, bool], list[PointRow]] = {}
    for point in points:
        run = by_id.get(point.run_id)
        if (
            run is not None
            and parameters["from_ms"] < point.at_ms <= parameters["at_ms"]
            and abs(point.value) < sql.LARGEST
        ):
            step = (point.at_ms - parameters["from_ms"] - 1) // parameters["step_ms"]
            steps.setdefault((run.variant or "", step, run.is_child), []).append(point)
    with_own = {variant for variant, _, is_child in steps if not is_child}
    shown = sorted(
        (variant, step, is_child) for variant, step, is_child in steps if is_child != (variant in with_own)
    )
    return [
        (variant, *_mean(steps[variant, step, is_child]))
        for variant, step, is_child in shown[: sql.MAX_VARIANTS * sql.HISTORY_POINTS]
    ]


def _mean(points: Sequence[PointRow]) -> tuple[float, float]:
    """The mean time in unix seconds and the mean value."""
    return float(Fraction(sum(point.at_ms for point in points), 1000 * len(points))), math.fsum(
        point.value for point in points
    ) / len(points)
