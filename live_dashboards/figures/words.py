"""Numbers as words with their state: what is estimated, stale or cached says so beside the number."""

from __future__ import annotations

from collections.abc import Sequence

from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.number import NOTHING, format_number, shared_decimals

METRIC_TITLES = {
    "accuracy": "Accuracy",
    "online_accuracy": "– online",
    "accuracy_over_runs": "– over runs",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "error_rate": "Error rate",
    "over_latency_objective": "Too slow",
}
_SMALLEST_SHARED = 0.001


def value_words(measurement: Measurement, *, unit: str | None = None, show_unit: bool = True, decimals: int | None = None) -> str:
    """The value with its unit and state; a dash where there is none."""
    if measurement.value is None:
        return NOTHING
    return format_number(measurement.value, measurement.unit if unit is None else unit, decimals=decimals, show_unit=show_unit) + state_words(measurement)


def end_words(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    """Values of one axis without their unit, in the same decimals: three digits of the largest."""
    present = [abs(one.value) for one in measurements if one.value is not None]
    decimals = shared_decimals([max(present)], measurements[0].unit) if present and max(present) >= _SMALLEST_SHARED else None
    return tuple(value_words(one, show_unit=False, decimals=decimals) for one in measurements)


def state_words(measurement: Measurement) -> str:
    """` est.`, ` cached`, ` stale`, or nothing for a fresh measured value."""
    words = {Origin.ESTIMATED: " est.", Origin.CACHED: " cached"}.get(measurement.origin, "")
    return words + (" stale" if measurement.stale else "")


def metric_title(metric: str) -> str:
    """The metric's name as people write it."""
    return METRIC_TITLES.get(metric, metric.replace("_", " ").capitalize())
