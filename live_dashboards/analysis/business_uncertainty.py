"""How sure a sum of measured effects is: analytically where the parameters are points, by seeded draws where one is a range."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from live_dashboards.analysis.business_terms import REQUESTS_PER_DAY, TermFormula
from live_dashboards.model.amount import Amount
from live_dashboards.model.business_case import EffectInput
from live_dashboards.model.measurement import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Part:
    """One term with its weight: signed USD a year for a unit of its effect."""

    formula: TermFormula
    effect: EffectInput
    weight: float

    @property
    def contribution_usd(self) -> float:
        """Signed USD a year."""
        return self.weight * (self.effect.difference.value or 0.0)

    def limits_usd(self, confidence: float) -> Interval | None:
        """The contribution's limits, None where the effect has none at that level."""
        found = next((each.interval for each in self.effect.intervals if each.confidence == confidence), None)
        if found is None or found.low is None or found.high is None:
            return None
        ends = sorted((self.weight * found.low, self.weight * found.high))
        return Interval(ends[0], ends[1])


def sum_limits(parts: Sequence[Part], confidence: float) -> Interval | None:
    """Limits of the sum of independent contributions; None where one of them has none.

    MOVER for a linear combination (Zou & Donner 2008, Stat Med 27:1693): each limit is as far from the estimate as the root of the squared distances of
    the terms' own limits, so that it keeps their asymmetry.
    """
    total, below, above = 0.0, 0.0, 0.0
    for part in parts:
        limits = part.limits_usd(confidence)
        if limits is None or limits.low is None or limits.high is None:
            return None
        total += part.contribution_usd
        below += (part.contribution_usd - limits.low) ** 2
        above += (limits.high - part.contribution_usd) ** 2
    return Interval(total - math.sqrt(below), total + math.sqrt(above))


def probability_above(threshold: float, estimate: float, limits_95: Interval) -> float:
    """Chance that the true value is above the threshold: normal, with the standard error that the 95 % limit on the threshold's side implies.

    It is above 97.5 % exactly where the 95 % interval lies above the threshold, so the two never contradict each other.
    """
    low, high = limits_95.low, limits_95.high
    side = estimate - low if estimate > threshold and low is not None else high - estimate if high is not None else 0.0
    if side <= 0:
        return 1.0 if estimate > threshold else 0.0 if estimate < threshold else 0.5
    return NormalDist().cdf((estimate - threshold) / (side / _Z95))


@dataclass(frozen=True)
class Draws:
    """Seeded draws of what may be so, in USD a year: each term's contribution by name, the net value, and the infrastructure's cost."""

    by_term: Mapping[str, NDArray[np.float64]]
    net_usd: NDArray[np.float64]
    cost_usd: NDArray[np.float64]


def draw(parts: Sequence[Part], amounts: Mapping[str, Amount], requests_per_day: float, *, cost: str, seed: int, count: int, effects_vary: bool = True) -> Draws:
    """Monte Carlo (JCGM 101:2008): effects from a normal whose halves match their 95 % limits, parameters uniform over their range."""
    import numpy as np

    random = np.random.default_rng(seed)
    parameters = {name: random.uniform(amount.low, amount.high, count) for name, amount in sorted(amounts.items())}
    parameters[REQUESTS_PER_DAY] = np.full(count, requests_per_day)
    by_term: dict[str, NDArray[np.float64]] = {}
    for part in parts:
        product = np.prod([parameters[factor] for factor in part.formula.factors], axis=0)
        effect = _effect_draws(part.effect, random.standard_normal(count), effects_vary=effects_vary)
        by_term[part.formula.name] = part.formula.sign * 365 * product * effect
    return Draws(by_term, np.sum(list(by_term.values()), axis=0), parameters[cost])


def _effect_draws(effect: EffectInput, normal: NDArray[np.float64], *, effects_vary: bool) -> NDArray[np.float64]:
    import numpy as np

    centre, limits = effect.difference.value or 0.0, effect.difference.interval
    if not effects_vary or limits is None or limits.low is None or limits.high is None:
        return np.full_like(normal, centre)
    below, above = (centre - limits.low) / _Z95, (limits.high - centre) / _Z95
    return centre + np.where(normal < 0, below, above) * normal


def percentile_limits(values: NDArray[np.float64], confidence: float) -> Interval:
    """The central interval of the draws; an infinite end is open."""
    import numpy as np

    tail = 50 * (1 - confidence)
    low, high = (float(end) for end in np.percentile(values, [tail, 100 - tail], method="lower"))
    return Interval(low if math.isfinite(low) else None, high if math.isfinite(high) else None)
