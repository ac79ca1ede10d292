"""Numbers as words with their state: what is estimated, stale or cached is marked beside the number."""

from __future__ import annotations

from collections.abc import Sequence

from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import NOTHING, axis_decimals, format_number
from live_dashboards.model.presentation import state_words


def value_words(
    measurement: Measurement, *, unit: str | None = None, show_unit: bool = True, decimals: int | None = None
) -> str:
    """The value with its unit and state; a dash where there is none."""
    if measurement.value is None:
        return NOTHING
    return format_number(
        measurement.value, measurement.unit if unit is None else unit, decimals=decimals, show_unit=show_unit
    ) + state_words(measurement)


def end_words(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    """Values of one axis without their unit, in the same decimals: three digits of the largest."""
    decimals = axis_decimals(
        [one.value for one in measurements], measurements[0].unit if measurements else ""
    )
    return tuple(
        value_words(one, show_unit=False, decimals=each)
        for one, each in zip(measurements, decimals, strict=True)
    )
