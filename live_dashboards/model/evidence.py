"""How the evidence grew: each difference as it stood at the test's moments, what changed meanwhile, and where
one part of the test tells of another difference than the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from live_dashboards.model.measurement import Origin
from live_dashboards.model.metrics import metric_of


@dataclass(frozen=True, slots=True)
class DifferenceAt:
    """Challenger minus baseline (in the unit of its line) by all that was counted from the start of the test
    to a moment, with the limits that hold at every look, those for harm (None where it is not looked for),
    and the requests behind it.
    """

    at: datetime
    estimate: float
    low: float | None
    high: float | None
    harm_low: float | None
    harm_high: float | None
    n_treatment: int | None
    n_control: int | None


@dataclass(frozen=True, slots=True)
class Shift:
    """One part of a test whose difference (points) is another one than that of the rest: `low` and `high` are
    limits of `within` minus `elsewhere`.

    `is_early`: it is the beginning, which an AB_START of its end would leave out; else the last third.
    """

    begin: datetime
    end: datetime
    within: float
    elsewhere: float
    low: float
    high: float
    is_early: bool


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """How one difference of a challenger stood over time; `reason` says why there are no points."""

    metric: str
    treatment: str
    control: str
    origin: Origin
    points: tuple[DifferenceAt, ...] = ()
    shift: Shift | None = None
    reason: str = ""
    source: str = ""
    query: str = ""

    @property
    def unit(self) -> str:
        """That of its differences: points, of a mean latency ms."""
        return metric_of(self.metric).difference_unit


@dataclass(frozen=True, slots=True)
class DatedChange:
    """Something that changed during the test: `what` is split, model, restart or excluded, `variant` whose it
    is, None where it is all's.
    """

    at: datetime
    label: str
    what: str
    variant: str | None = None
