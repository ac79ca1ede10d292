"""Each gate by the values of one label: which of them differ, and whether they differ at all; a description
that no verdict goes by.
"""

from __future__ import annotations

from dataclasses import dataclass

from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.number import format_count


@dataclass(frozen=True, slots=True)
class SliceRow:
    """A metric's difference (percentage points, with an always-valid interval) for one value of the label.

    `name` is the value in words, `value` as it is (None for the others, summed). A value that both arms have
    is challenger minus baseline; one that only one arm has is that value minus the rest of `arm`, and
    `is_within_arm`. `compared_with` says which, in words. `inputs` of the difference are both rates in
    percent. `stands_out`: it is worse than the others by more than chance, over all values; it is not told of
    one without an interval.
    """

    value: str | None
    name: str
    metric: str
    arm: str
    compared_with: str
    is_within_arm: bool
    difference: Measurement
    method: str
    n: int | None
    n_compared: int | None
    stands_out: bool = False


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Whether the values of the label differ in a metric: Cochran's Q, for one look.

    `of` are the arms in words. Where there is no Q, `reason` says why.
    """

    metric: str
    of: str
    q: float | None
    degrees: int
    p_value: float | None
    method: str
    origin: Origin
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ByLabel:
    """The gates by the values of `label`, of which there are `values_count` and `shown_count` have rows.

    `standing_out` are sentences on what is worse than the others, of each gate and arm one. Where no row has
    a difference, `reason` says why.
    """

    label: str
    values_count: int = 0
    shown_count: int = 0
    rows: tuple[SliceRow, ...] = ()
    heterogeneity: tuple[Heterogeneity, ...] = ()
    standing_out: tuple[str, ...] = ()
    origin: Origin = Origin.MISSING
    reason: str = ""

    @property
    def has_others(self) -> bool:
        """Whether there are more values than rows of them."""
        return self.values_count > self.shown_count

    @property
    def sentences(self) -> tuple[str, ...]:
        """What stands out, and what is summed."""
        if not self.has_others:
            return self.standing_out
        many = (
            f"{self.label} has {format_count(self.values_count)} values, too many to show: the "
            f"{self.shown_count} with the most traffic are, the others are summed"
        )
        return (*self.standing_out, many)
