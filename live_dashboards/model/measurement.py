"""One number of the page: its value, unit, uncertainty and where it comes from.

A formula stays arithmetic on floats whose parameter names end in units; `derive` lifts it over measurements,
so that the lineage of any number is a walk down `inputs`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Origin(StrEnum):
    """Where a value comes from, strongest first."""

    LIVE = "live"
    CACHED = "cached"
    ESTIMATED = "estimated"
    SIMULATED = "simulated"
    MISSING = "missing"

    @property
    def weakness(self) -> int:
        """0 for live, growing as the value deserves less trust."""
        return list(Origin).index(self)


@dataclass(frozen=True, slots=True)
class Interval:
    """Limits in the measurement's unit; an unbounded end is None."""

    low: float | None
    high: float | None

    def rising(self, of: Callable[[float], float]) -> Interval:
        """The limits of what a function that rises makes of the value."""
        return Interval(*(None if end is None else of(end) for end in (self.low, self.high)))

    def times(self, factor: float) -> Interval:
        """The limits of so many times the value; a negative factor turns them."""
        made = self.rising(lambda end: factor * end)
        return made if factor > 0 else Interval(made.high, made.low)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A named value with its unit and provenance; `value` None means there is none, and `reason` says why.

    `interval` is the 95 % one, `drawn_interval` that of AB_CONFIDENCE. `unit` is one of `count`, `fraction`,
    `percent`, `points`, `ms`, `seconds`, `requests_per_second`, `usd`, `usd_per_year`, `days`, or a unit that
    the source reports.
    """

    name: str
    value: float | None
    unit: str
    origin: Origin
    variant: str | None = None
    interval: Interval | None = None
    drawn_interval: Interval | None = None
    n: int | None = None
    source: str = ""
    query: str = ""
    observed_at: datetime | None = None
    reason: str | None = None
    inputs: tuple[Measurement, ...] = ()
    stale: bool = False

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(
                f"{self.name} is {self.value}; a measurement without a finite value is missing, with a reason"
            )
        if (self.value is None) != (self.origin is Origin.MISSING):
            raise ValueError(f"{self.name}: a value of None and the origin `missing` go together")
        if self.value is None and not self.reason:
            raise ValueError(f"{self.name} is missing without a reason")

    @property
    def is_live(self) -> bool:
        """Whether a source answered it for this moment."""
        return self.origin is Origin.LIVE


def missing(
    name: str,
    unit: str,
    reason: str,
    *,
    variant: str | None = None,
    source: str = "",
    query: str = "",
    inputs: tuple[Measurement, ...] = (),
) -> Measurement:
    """A measurement that there is none of, and why."""
    return Measurement(
        name, None, unit, Origin.MISSING, variant, source=source, query=query, reason=reason, inputs=inputs
    )


def derive(
    formula: Callable[..., float], name: str, unit: str, *, variant: str | None = None, **inputs: Measurement
) -> Measurement:
    """The formula's value over measurements, with the weakest origin, the oldest moment and all queries of
    its inputs.

    Each parameter name of the formula ends in the unit of its measurement (`requests_count`, `latency_ms`):
    ValueError otherwise. A missing input gives a missing result that says which and why; so does a formula
    that has no finite value there (a division by zero).
    """
    for parameter in inspect.signature(formula).parameters:
        if not parameter.endswith(inputs[parameter].unit):
            raise ValueError(f"{name}: {parameter} takes no measurement in {inputs[parameter].unit}")
    given = tuple(inputs.values())
    values = {parameter: measurement.value for parameter, measurement in inputs.items()}
    return _combine(lambda: formula(**values), name, unit, variant, given)


def total(
    name: str,
    unit: str,
    parts: Iterable[Measurement],
    *,
    variant: str | None = None,
    empty_reason: str = "nothing to add up",
) -> Measurement:
    """The sum of measurements of one unit, with their provenance; missing where any is missing, or where
    there are none.
    """
    given = tuple(parts)
    if any(part.unit != unit for part in given):
        raise ValueError(f"{name}: a sum in {unit} takes only measurements in {unit}")
    if not given:
        return missing(name, unit, empty_reason, variant=variant)
    return _combine(
        lambda: math.fsum(part.value for part in given if part.value is not None), name, unit, variant, given
    )


def computed(
    compute: Callable[[], float],
    name: str,
    unit: str,
    inputs: tuple[Measurement, ...],
    *,
    variant: str | None = None,
) -> Measurement:
    """What a formula of which only a part is measured gives, with the provenance of the measured part;
    missing where an input is.
    """
    return _combine(compute, name, unit, variant, inputs)


def _combine(
    compute: Callable[[], float], name: str, unit: str, variant: str | None, given: tuple[Measurement, ...]
) -> Measurement:
    moments = [measurement.observed_at for measurement in given if measurement.observed_at is not None]
    frame = Measurement(
        name,
        None,
        unit,
        Origin.MISSING,
        variant,
        source=_joined(measurement.source for measurement in given),
        query=_joined(measurement.query for measurement in given),
        observed_at=min(moments, default=None),
        reason="an input is missing",
        inputs=given,
        stale=any(measurement.stale for measurement in given),
    )
    gaps = tuple(measurement for measurement in given if measurement.value is None)
    if gaps:
        return replace(frame, reason=_joined_reasons(gaps))
    try:
        value = compute()
    except ZeroDivisionError:
        value = math.nan
    if not math.isfinite(value):
        zeros = ", ".join(measurement.name for measurement in given if measurement.value == 0)
        return replace(frame, reason=f"undefined: {zeros or 'an input'} is 0")
    weakest = max((measurement.origin for measurement in given), key=lambda origin: origin.weakness)
    return replace(frame, value=value, origin=weakest, reason=_joined_reasons(given) or None)


def _joined_reasons(measurements: tuple[Measurement, ...]) -> str:
    return "; ".join(dict.fromkeys(measurement.reason for measurement in measurements if measurement.reason))


def _joined(texts: Iterable[str]) -> str:
    """Distinct texts joined by `, `."""
    return ", ".join(dict.fromkeys(text for text in texts if text))
