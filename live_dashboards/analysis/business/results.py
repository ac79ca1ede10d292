"""What follows from the net value: ROI, payback and its chance, what decides, and where it breaks even."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from live_dashboards.analysis.business.terms import (
    DAYS_A_YEAR,
    REVENUE_MULTIPLIER,
    Draws,
    Looks,
    Part,
    percentile_limits,
    probability_above,
    sum_limits,
)
from live_dashboards.model.business_case import (
    BREAK_EVEN,
    BREAK_EVEN_ACCURACY,
    Assumption,
    BreakEven,
    BusinessCase,
    BusinessInputs,
    CashPoint,
    Spread,
    Swing,
    Term,
)
from live_dashboards.model.measurement import Interval, Measurement, computed, missing
from live_dashboards.model.number import format_money
from live_dashboards.model.quality import AS_LOGGED, Quality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_MOST = 6
_IMPROVEMENT = "accuracy_improvement"
_TITLES = {
    _IMPROVEMENT: "accuracy improvement",
    "latency_increase": "latency increase",
    "error_rate_improvement": "error rate improvement",
    "BASE_TRADING_VOLUME": "trading volume",
    REVENUE_MULTIPLIER: "revenue per accuracy",
    "LATENCY_COST_PER_MS": "cost per millisecond",
    "ERROR_COST_MULTIPLIER": "cost per error",
}

_NO_AMOUNT = "no amount of it changes the sign"
_LARGEST = 1e18  # beyond, an amount is none that anyone could mean
_WORDS = {
    "BASE_TRADING_VOLUME": "if {less} than {amount} a day were traded",
    REVENUE_MULTIPLIER: "if a {unit} brought {less} than {amount} a year",
    "LATENCY_COST_PER_MS": "if a request's millisecond cost {less} than {amount}",
    "ERROR_COST_MULTIPLIER": "if an error prevented were worth {less} than {amount}",
}

COST = "INFRASTRUCTURE_ANNUAL_COST"
_MONTHS = 12


def swings(
    parts: Sequence[Part],
    assumptions: Sequence[Assumption],
    points: Mapping[str, float],
    quality: Quality,
) -> tuple[Swing, ...]:
    """The six widest, widest first: effects at their 95 % limits, ranges at a fortieth from either end,
    everything else at its point.
    """
    titles = _titles(quality)
    found = [*_of_effects(parts, titles), *_of_ranges(parts, assumptions, points, titles)]
    return tuple(
        sorted((swing for swing in found if swing.width_usd > 0), key=lambda swing: -swing.width_usd)[:_MOST]
    )


def _titles(quality: Quality) -> Mapping[str, str]:
    if quality.is_share:
        return _TITLES
    return _TITLES | {
        _IMPROVEMENT: f"improvement in {quality.metric().title}",
        REVENUE_MULTIPLIER: f"revenue {quality.per_unit}",
    }


def _of_effects(parts: Sequence[Part], titles: Mapping[str, str]) -> Iterator[Swing]:
    net = sum(part.contribution_usd for part in parts)
    for part in parts:
        limits = part.effect.difference.interval
        if limits is not None and limits.low is not None and limits.high is not None:
            low, high = (net - part.contribution_usd + part.weight * end for end in (limits.low, limits.high))
            effect = part.formula.effect
            yield Swing(
                effect,
                titles.get(effect, part.formula.title),
                False,
                limits.low,
                limits.high,
                part.effect.difference.unit,
                low,
                high,
            )


def _of_ranges(
    parts: Sequence[Part],
    assumptions: Sequence[Assumption],
    points: Mapping[str, float],
    titles: Mapping[str, str],
) -> Iterator[Swing]:
    for each in assumptions:
        if each.amount.is_range and any(each.name in part.formula.factors for part in parts):
            tail = (each.amount.high - each.amount.low) / 40
            low, high = each.amount.low + tail, each.amount.high - tail
            nets = [
                sum(
                    part.formula.per_effect({**points, each.name: end})
                    * (part.effect.difference.value or 0.0)
                    for part in parts
                )
                for end in (low, high)
            ]
            yield Swing(
                each.name, titles.get(each.name, each.name), True, low, high, each.unit, nets[0], nets[1]
            )


def break_even(
    parts: Sequence[Part], terms: Sequence[Term], net: Measurement, quality: Quality
) -> Measurement:
    """The accuracy improvement (in its unit, a fraction of a share) at which the net value is 0, everything
    else at its point; its interval is that of the other terms.
    """
    part = next((each for each in parts if each.formula.effect == _IMPROVEMENT), None)
    name, unit = (BREAK_EVEN_ACCURACY, "fraction") if quality.is_share else (BREAK_EVEN, AS_LOGGED)
    what = "accuracy" if quality.is_share else quality.metric().title
    if net.value is None or part is None:
        return missing(name, unit, str(net.reason or f"no term depends on {what}"), inputs=(net,))
    if part.weight == 0:
        return missing(name, unit, f"{what} brings no revenue with these parameters", inputs=(net,))
    others = tuple(each for each in parts if each is not part)
    rest = tuple(term.value for term in terms if term.effect != _IMPROVEMENT)
    needed = computed(
        lambda: -sum(each.contribution_usd for each in others) / part.weight, name, unit, rest or (net,)
    )
    limits = sum_limits(others)
    if limits is None or limits.low is None or limits.high is None:
        return needed
    return replace(needed, interval=Interval(-limits.high / part.weight, -limits.low / part.weight))


def break_evens(
    parts: Sequence[Part],
    assumptions: Sequence[Assumption],
    points: Mapping[str, float],
    net: Measurement,
    quality: Quality,
) -> tuple[BreakEven, ...]:
    """For each parameter the amount at which the net value, or for the infrastructure's cost the ROI, would
    be 0.
    """
    if net.value is None:
        return ()
    return tuple(_flip(each, parts, points, net.value, quality) for each in assumptions)


def _flip(
    assumption: Assumption,
    parts: Sequence[Part],
    points: Mapping[str, float],
    net_usd: float,
    quality: Quality,
) -> BreakEven:
    name = assumption.name
    touched = [part for part in parts if name in part.formula.factors]
    if not touched:
        if net_usd <= 0:
            return BreakEven(name, None, assumption.unit, "ROI is below 0 at any cost")
        return BreakEven(
            name, net_usd, assumption.unit, f"ROI below 0 if it cost more than {format_money(net_usd)} a year"
        )
    per_unit = sum(
        part.formula.per_effect({**points, name: 1.0}) * (part.effect.difference.value or 0.0)
        for part in touched
    )
    rest = net_usd - sum(part.contribution_usd for part in touched)
    amount = -rest / per_unit if per_unit else None
    if amount is None or amount < 0 or amount > _LARGEST:
        return BreakEven(name, None, assumption.unit, _NO_AMOUNT)
    less = "less" if (per_unit > 0) == (net_usd > 0) else "more"
    is_revenue, parts_of_unit = name == REVENUE_MULTIPLIER, 100 if quality.is_share else 1
    shown = DAYS_A_YEAR * points["BASE_TRADING_VOLUME"] * amount / parts_of_unit if is_revenue else amount
    told = {"less": less, "amount": format_money(shown), "unit": _unit_words(quality)}
    return BreakEven(name, amount, assumption.unit, _WORDS[name].format(**told) if name in _WORDS else "")


def _unit_words(quality: Quality) -> str:
    """What the words of the revenue's amount are about: a point of a share, a unit of a value."""
    return "point of accuracy" if quality.is_share else f"unit of {quality.metric().title}"


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
            break_even_improvement=break_even(self.parts, self.terms, net, self.inputs.quality),
            break_evens=break_evens(self.parts, self.assumptions, self.points, net, self.inputs.quality),
            swings=swings(self.parts, self.assumptions, self.points, self.inputs.quality)
            if net.value is not None
            else (),
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
        return self._with(value, net.interval and net.interval.rising(lambda usd: 100 * (usd - cost) / cost))

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
        elif limits is not None:
            limits = limits.rising(lambda end: years * end - self.cost_usd)
        low, high = (limits.low, limits.high) if limits is not None else (None, None)
        return CashPoint(month, years * net_usd - self.cost_usd, low, high)


def _days(draws: Draws) -> NDArray[np.float64]:
    """Days to payback of each draw; infinite where its net value is not above 0."""
    import numpy as np

    never = np.full_like(draws.net_usd, math.inf)
    return np.divide(draws.cost_usd * DAYS_A_YEAR, draws.net_usd, out=never, where=draws.net_usd > 0)
