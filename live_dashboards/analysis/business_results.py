"""What follows from the net value: its intervals, ROI, payback, chances, break-evens, what decides, and the
cash over a year.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from live_dashboards.analysis.business_break_even import break_even_accuracy, break_evens
from live_dashboards.analysis.business_swings import swings
from live_dashboards.analysis.business_terms import DAYS_A_YEAR
from live_dashboards.analysis.business_uncertainty import (
    Draws,
    Looks,
    Part,
    percentile_limits,
    probability_above,
    sum_limits,
)
from live_dashboards.model.business_case import (
    Assumption,
    BusinessCase,
    BusinessInputs,
    CashPoint,
    Spread,
    Term,
)
from live_dashboards.model.measurement import Interval, Measurement, computed, missing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COST = "INFRASTRUCTURE_ANNUAL_COST"
_MONTHS = 12


@dataclass(frozen=True)
class Worth:
    """The net value and all it was made from; `ranges_only` are its limits where only the assumed ranges
    vary.
    """

    inputs: BusinessInputs
    parts: tuple[Part, ...]
    terms: tuple[Term, ...]
    net: Measurement
    assumptions: tuple[Assumption, ...]
    points: Mapping[str, float]
    draws: Draws | None
    ranges_only: Interval | None

    def case(self, partial_total: Measurement, partial_terms: tuple[str, ...]) -> BusinessCase:
        """The whole case."""
        net = self._with(self.net, self._limits())
        return BusinessCase(
            inputs=self.inputs,
            assumptions=self.assumptions,
            terms=self.terms,
            net=net,
            roi=self._roi(net),
            payback=self._payback(net),
            probability_net_positive=self._chance("probability_net_positive", net, 0.0),
            break_even_accuracy_improvement=break_even_accuracy(self.parts, self.terms, net),
            break_evens=break_evens(self.parts, self.assumptions, self.points, net),
            swings=swings(self.parts, self.assumptions, self.points) if net.value is not None else (),
            spread=Spread(sum_limits(self.parts) if net.value is not None else None, self.ranges_only),
            partial_total=partial_total,
            partial_terms=partial_terms,
            cash=self._cash(net),
            never_paid_back_probability=self._never(net),
        )

    @property
    def cost_usd(self) -> float:
        """The infrastructure's yearly cost at its point."""
        return self.points[COST]

    def _without_interval(self) -> str:
        """Why there is no interval: the reasons of the effects that have none."""
        return "; ".join(
            dict.fromkeys(
                str(part.effect.difference.reason)
                for part in self.parts
                if part.effect.difference.interval is None
            )
        )

    def _limits(self) -> Interval | None:
        if self.net.value is None or any(part.effect.difference.interval is None for part in self.parts):
            return None
        return sum_limits(self.parts) if self.draws is None else percentile_limits(self.draws.net_usd)

    def _with(self, result: Measurement, limits: Interval | None) -> Measurement:
        """The result with its limits, or with the reason why it has none."""
        if result.value is None:
            return result
        if limits is None:
            return replace(result, reason=self._without_interval())
        method = (
            "seeded draws of effects and ranges"
            if self.draws is not None
            else "analytic from the intervals of the measured differences"
        )
        return replace(result, interval=limits, drawn_interval=limits, reason=f"interval: {method}")

    def _roi(self, net: Measurement) -> Measurement:
        """(net - cost) / cost in percent."""
        name, cost = "roi_percentage", self.cost_usd
        if net.value is None:
            return missing(name, "percent", str(net.reason), inputs=(net,))
        if cost == 0 or (self.draws is not None and not self.draws.cost_usd.all()):
            return missing(name, "percent", f"{COST} is 0: there is no ROI, but a net value", inputs=(net,))
        value = computed(lambda: 100 * ((net.value or 0.0) - cost) / cost, name, "percent", (net,))
        if self.draws is not None:
            return self._with(
                value,
                percentile_limits(100 * (self.draws.net_usd - self.draws.cost_usd) / self.draws.cost_usd),
            )
        return self._with(value, _transformed(net.interval, lambda usd: 100 * (usd - cost) / cost))

    def _payback(self, net: Measurement) -> Measurement:
        """Days until the net value has brought the cost back; the upper limit is open where the net may be 0
        or less.
        """
        name, cost = "payback_days", self.cost_usd
        if net.value is None:
            return missing(name, "days", str(net.reason), inputs=(net,))
        if cost == 0:
            return missing(name, "days", f"{COST} is 0: there is nothing to pay back", inputs=(net,))
        if net.value <= 0:
            return missing(name, "days", "never paid back: the net value is not above 0", inputs=(net,))
        value = computed(lambda: cost / ((net.value or 0.0) / DAYS_A_YEAR), name, "days", (net,))
        if self.draws is not None:
            return self._with(value, percentile_limits(_days(self.draws)))
        if net.interval is None:
            return self._with(value, None)
        quick, slow = (
            None if usd is None or usd <= 0 else cost * DAYS_A_YEAR / usd
            for usd in (net.interval.high, net.interval.low)
        )
        return self._with(value, Interval(quick, slow))

    def _chance(self, name: str, net: Measurement, threshold: float) -> Measurement:
        """Chance that the net value is above the threshold, for one look."""
        one_look = sum_limits(self.parts, Looks.ONE)
        if net.value is None or net.interval is None or one_look is None:
            return missing(name, "fraction", str(net.reason), inputs=(net,))
        share = (
            probability_above(threshold, net.value, one_look)
            if self.draws is None
            else float((self.draws.one_look_usd > threshold).mean())
        )
        return replace(computed(lambda: share, name, "fraction", (net,)), reason="for one look")

    def _never(self, net: Measurement) -> Measurement:
        """Chance that a year's net value does not bring the cost back."""
        name = "not_paid_back_in_a_year_probability"
        if self.draws is not None and net.value is not None:
            share = float((self.draws.one_look_usd < self.draws.cost_usd).mean())
            return replace(computed(lambda: share, name, "fraction", (net,)), reason="for one look")
        paid = self._chance(name, net, self.cost_usd)
        return paid if paid.value is None else replace(paid, value=1 - paid.value)

    def _cash(self, net: Measurement) -> tuple[CashPoint, ...]:
        """Month by month: the cost first, then the net value as it comes in; the band is its interval."""
        if net.value is None:
            return ()
        return tuple(self._cash_point(float(month), net.value, net.interval) for month in range(_MONTHS + 1))

    def _cash_point(self, month: float, net_usd: float, limits: Interval | None) -> CashPoint:
        years = month / _MONTHS
        if limits is not None and self.draws is not None:
            limits = percentile_limits(years * self.draws.net_usd - self.draws.cost_usd)
            return CashPoint(month, years * net_usd - self.cost_usd, limits.low, limits.high)
        low, high = (
            None if limits is None or end is None else years * end - self.cost_usd
            for end in ((limits.low, limits.high) if limits else (None, None))
        )
        return CashPoint(month, years * net_usd - self.cost_usd, low, high)


def _transformed(interval: Interval | None, rising: Callable[[float], float]) -> Interval | None:
    if interval is None:
        return None
    low, high = (None if end is None else rising(end) for end in (interval.low, interval.high))
    return Interval(low, high)


def _days(draws: Draws) -> NDArray[np.float64]:
    """Days to payback of each draw; infinite where its net value is not above 0."""
    import numpy as np

    never = np.full_like(draws.net_usd, math.inf)
    return np.divide(draws.cost_usd * DAYS_A_YEAR, draws.net_usd, out=never, where=draws.net_usd > 0)
