"""Where the answer flips: the accuracy improvement, and the amount of each parameter, at which the net value
would be 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from live_dashboards.analysis.business_terms import DAYS_A_YEAR
from live_dashboards.analysis.business_uncertainty import Part, sum_limits
from live_dashboards.model.business_case import Assumption, BreakEven, Term
from live_dashboards.model.measurement import Interval, Measurement, computed, missing
from live_dashboards.model.number import format_money

_NO_AMOUNT = "no amount of it changes the sign"
_LARGEST = 1e18  # beyond, an amount is none that anyone could mean
_WORDS = {
    "BASE_TRADING_VOLUME": "if {less} than {amount} a day were traded",
    "ACCURACY_REVENUE_MULTIPLIER": "if a point of accuracy brought {less} than {amount} a year",
    "LATENCY_COST_PER_MS": "if a request's millisecond cost {less} than {amount}",
    "ERROR_COST_MULTIPLIER": "if an error prevented were worth {less} than {amount}",
}


def break_even_accuracy(parts: Sequence[Part], terms: Sequence[Term], net: Measurement) -> Measurement:
    """The accuracy improvement (fraction) at which the net value is 0, everything else at its point; its
    interval is that of the other terms.
    """
    name = "break_even_accuracy_improvement"
    part = next((each for each in parts if each.formula.effect == "accuracy_improvement"), None)
    if net.value is None or part is None:
        return missing(name, "fraction", str(net.reason or "no term depends on accuracy"), inputs=(net,))
    if part.weight == 0:
        return missing(name, "fraction", "accuracy brings no revenue with these parameters", inputs=(net,))
    others = tuple(each for each in parts if each is not part)
    rest = tuple(term.value for term in terms if term.effect != "accuracy_improvement")
    needed = computed(
        lambda: -sum(each.contribution_usd for each in others) / part.weight, name, "fraction", rest or (net,)
    )
    limits = sum_limits(others)
    if limits is None or limits.low is None or limits.high is None:
        return needed
    return replace(needed, interval=Interval(-limits.high / part.weight, -limits.low / part.weight))


def break_evens(
    parts: Sequence[Part], assumptions: Sequence[Assumption], points: Mapping[str, float], net: Measurement
) -> tuple[BreakEven, ...]:
    """For each parameter the amount at which the net value, or for the infrastructure's cost the ROI, would
    be 0.
    """
    if net.value is None:
        return ()
    return tuple(_flip(each, parts, points, net.value) for each in assumptions)


def _flip(
    assumption: Assumption, parts: Sequence[Part], points: Mapping[str, float], net_usd: float
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
    shown = (
        DAYS_A_YEAR * points["BASE_TRADING_VOLUME"] * amount / 100
        if name == "ACCURACY_REVENUE_MULTIPLIER"
        else amount
    )
    return BreakEven(
        name,
        amount,
        assumption.unit,
        _WORDS[name].format(less=less, amount=format_money(shown)) if name in _WORDS else "",
    )
