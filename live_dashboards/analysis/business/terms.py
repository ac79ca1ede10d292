"""The terms of the net value, the amounts that they take, and how unsure their sum is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from itertools import combinations
from statistics import NormalDist
from typing import TYPE_CHECKING

from live_dashboards.analysis.statistics.stratified import FEWEST_BLOCKS, long_run_variance
from live_dashboards.model.business_case import Assumption, BusinessInputs, EffectInput
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.quality import Quality
from live_dashboards.model.setting_types import Amount
from live_dashboards.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


REVENUE_MULTIPLIER = "ACCURACY_REVENUE_MULTIPLIER"
PARAMETERS = (
    ("BASE_TRADING_VOLUME", "USD a day", "what passes through the model"),
    (
        REVENUE_MULTIPLIER,
        "of volume per accuracy fraction",
        "0.005 is 0.005 % of the volume per percentage point of accuracy",
    ),
    (
        "LATENCY_COST_PER_MS",
        "USD per request and ms",
        "what a request costs more for each millisecond that it takes longer",
    ),
    ("ERROR_COST_MULTIPLIER", "USD per error prevented", "what a failed request costs"),
    ("INFRASTRUCTURE_ANNUAL_COST", "USD a year", "what running the challenger costs"),
)

DAYS_A_YEAR = 365
REQUESTS_PER_DAY = "requests_per_day"

_Z95 = NormalDist().inv_cdf(0.975)


def assumptions(settings: Settings) -> tuple[Assumption, ...]:
    """The five business parameters with their units, and whether somebody set them."""
    return tuple(
        Assumption(name, settings[name], unit, meaning, is_default=name not in settings.given)
        for name, unit, meaning in PARAMETERS
    )


_MEANING = "0.005 is 0.5 % of the volume for each unit by which {} is better"


def read_for(assumptions: tuple[Assumption, ...], quality: Quality) -> tuple[Assumption, ...]:
    """The same, a given ACCURACY_REVENUE_MULTIPLIER as an amount per unit where a value stands in the place
    of the accuracy.
    """
    if quality.is_share:
        return assumptions
    unit = f"of volume {quality.per_unit}"
    return tuple(
        replace(each, unit=unit, meaning=_MEANING.format(quality.metric().title))
        if each.name == REVENUE_MULTIPLIER and not each.is_default
        else each
        for each in assumptions
    )


@dataclass(frozen=True, slots=True)
class TermFormula:
    """Yearly value in USD = 365 x the product of the factors x a measured effect; `sign` is that with which
    it enters the net value.

    `effect` is a field of BusinessInputs, `factors` are settings and, where the term grows with traffic,
    `requests_per_day`.
    """

    name: str
    title: str
    sign: int
    effect: str
    factors: tuple[str, ...]

    @property
    def needs_requests(self) -> bool:
        """Whether it grows with the traffic."""
        return REQUESTS_PER_DAY in self.factors

    @property
    def parameters(self) -> tuple[str, ...]:
        """The settings among its factors."""
        return tuple(factor for factor in self.factors if factor != REQUESTS_PER_DAY)

    def input(self, inputs: BusinessInputs) -> EffectInput:
        """The measured effect."""
        found: EffectInput = getattr(inputs, self.effect)
        return found

    def per_effect(self, amounts: Mapping[str, float]) -> float:
        """Signed USD a year for one unit of the effect, given each factor's amount."""
        return self.sign * DAYS_A_YEAR * math.prod(amounts[factor] for factor in self.factors)


TERMS: tuple[TermFormula, ...] = (
    TermFormula(
        "annual_revenue_increase",
        "Revenue from accuracy",
        1,
        "accuracy_improvement",
        ("BASE_TRADING_VOLUME", REVENUE_MULTIPLIER),
    ),
    TermFormula(
        "annual_cost_increase",
        "Cost of latency",
        -1,
        "latency_increase",
        (REQUESTS_PER_DAY, "LATENCY_COST_PER_MS"),
    ),
    TermFormula(
        "annual_risk_reduction",
        "Risk of errors",
        1,
        "error_rate_improvement",
        (REQUESTS_PER_DAY, "ERROR_COST_MULTIPLIER"),
    ),
)
"""The net value is their sum, each with its sign (design of the business case: daily revenue - daily cost +
risk reduction, times 365).
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One term with its weight: signed USD a year for a unit of its effect."""

    formula: TermFormula
    effect: EffectInput
    weight: float

    def measured(self, inputs: BusinessInputs) -> tuple[Measurement, ...]:
        """All that is measured in it."""
        difference = self.effect.difference
        return (difference, inputs.requests_per_day) if self.formula.needs_requests else (difference,)

    @property
    def contribution_usd(self) -> float:
        """Signed USD a year."""
        return self.weight * (self.effect.difference.value or 0.0)

    def limits_usd(self, looks: Looks) -> Interval | None:
        """The contribution's 95 % limits, None where the effect has none."""
        found = looks.limits(self.effect)
        if found is None or found.low is None or found.high is None:
            return None
        ends = sorted((self.weight * found.low, self.weight * found.high))
        return Interval(ends[0], ends[1])


class Looks(Enum):
    """For how many looks limits hold."""

    EVERY = "every"
    ONE = "one"

    def limits(self, effect: EffectInput) -> Interval | None:
        """The effect's 95 % limits of that kind."""
        return effect.difference.interval if self is Looks.EVERY else effect.one_look


def sum_limits(parts: Sequence[Part], looks: Looks = Looks.EVERY) -> Interval | None:
    """95 % limits of the sum of contributions; None where one of them has none.

    MOVER for a linear combination, also of correlated terms (Zou & Donner 2008, Stat Med 27:1693; Zou 2008,
    Am J Epidemiol 168:899): each limit is as far from the estimate as the root of the squared distances of
    the terms' own limits, so that it keeps their asymmetry.
    """
    limits = [part.limits_usd(looks) for part in parts]
    ends = [
        (each.low, each.high)
        for each in limits
        if each is not None and each.low is not None and each.high is not None
    ]
    if len(ends) < len(parts):
        return None
    below = [part.contribution_usd - low for part, (low, _) in zip(parts, ends, strict=True)]
    above = [high - part.contribution_usd for part, (_, high) in zip(parts, ends, strict=True)]
    total = sum(part.contribution_usd for part in parts)
    return Interval(total - _distance(parts, below), total + _distance(parts, above))


def _distance(parts: Sequence[Part], distances: Sequence[float]) -> float:
    squares = math.fsum(each * each for each in distances)
    for one, other in combinations(range(len(parts)), 2):
        squares += 2 * correlation(parts[one], parts[other]) * distances[one] * distances[other]
    return math.sqrt(max(0.0, squares))


def correlation(one: Part, other: Part) -> float:
    """Of two contributions, from the blocks of time in which both were measured: that with which their sum
    has the long-run variance of its own blocks.

    0 where they were not measured in the same blocks, or in too few.
    """
    blocks = len(one.effect.residuals)
    if blocks != len(other.effect.residuals) or blocks < FEWEST_BLOCKS:
        return 0.0
    return _correlation(one.weight, one.effect.residuals, other.weight, other.effect.residuals)


@lru_cache(maxsize=8)  # a case asks for the same pair two dozen times
def _correlation(
    weight: float, residuals: tuple[float, ...], other_weight: float, others: tuple[float, ...]
) -> float:
    ours, theirs = [weight * each for each in residuals], [other_weight * each for each in others]
    own, its = long_run_variance(ours, 0.0), long_run_variance(theirs, 0.0)
    if own <= 0 or its <= 0:
        return 0.0
    both = long_run_variance([first + second for first, second in zip(ours, theirs, strict=True)], 0.0)
    return max(-1.0, min(1.0, (both - own - its) / (2 * math.sqrt(own) * math.sqrt(its))))


def probability_above(threshold: float, estimate: float, one_look: Interval) -> float:
    """Chance that the true value is above the threshold: normal, with the standard error that the 95 % limit
    for one look on the threshold's side implies.

    It is above 97.5 % exactly where that interval lies above the threshold, so also where the wider one does
    that holds at every look.
    """
    low, high = one_look.low, one_look.high
    side = (
        estimate - low
        if estimate > threshold and low is not None
        else high - estimate
        if high is not None
        else 0.0
    )
    if side <= 0:
        return 1.0 if estimate > threshold else 0.0 if estimate < threshold else 0.5
    return NormalDist().cdf((estimate - threshold) / (side / _Z95))


@dataclass(frozen=True)
class Draws:
    """Seeded draws of what may be so, in USD a year: each term's contribution by name, the net value, and the
    infrastructure's cost.

    `one_look_usd` is the net value with effects that vary as much as their limits for one look say.
    """

    by_term: Mapping[str, NDArray[np.float64]]
    net_usd: NDArray[np.float64]
    cost_usd: NDArray[np.float64]
    one_look_usd: NDArray[np.float64]


def draw(
    parts: Sequence[Part],
    amounts: Mapping[str, Amount],
    requests_per_day: float,
    *,
    cost: str,
    seed: int,
    count: int,
    effects_vary: bool = True,
) -> Draws:
    """Monte Carlo (JCGM 101:2008): effects from normals whose halves match their 95 % limits, correlated as
    their blocks, parameters uniform over their range.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    parameters = {
        name: random.uniform(amount.low, amount.high, count) for name, amount in sorted(amounts.items())
    }
    parameters[REQUESTS_PER_DAY] = np.full(count, requests_per_day)
    normals = _correlated(parts, [random.standard_normal(count) for _ in parts])
    weights = [
        part.formula.sign * 365 * np.prod([parameters[factor] for factor in part.formula.factors], axis=0)
        for part in parts
    ]

    def contributions(looks: Looks) -> list[NDArray[np.float64]]:
        effects = (
            _effect_draws(part.effect, looks.limits(part.effect), normal, effects_vary=effects_vary)
            for part, normal in zip(parts, normals, strict=True)
        )
        return [weight * effect for weight, effect in zip(weights, effects, strict=True)]

    every = contributions(Looks.EVERY)
    by_term = {part.formula.name: drawn for part, drawn in zip(parts, every, strict=True)}
    return Draws(by_term, np.sum(every, axis=0), parameters[cost], np.sum(contributions(Looks.ONE), axis=0))


def _correlated(parts: Sequence[Part], normals: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """The draws of each part's effect; of the pairs that were measured in the same blocks the later one goes
    with the earlier.
    """
    found = list(normals)
    for one, other in combinations(range(len(parts)), 2):
        together = correlation(parts[one], parts[other])
        if together:
            # of the effects, not of what they bring
            together *= math.copysign(1.0, parts[one].weight) * math.copysign(1.0, parts[other].weight)
            found[other] = together * found[one] + math.sqrt(1 - together * together) * normals[other]
    return found


def _effect_draws(
    effect: EffectInput, limits: Interval | None, normal: NDArray[np.float64], *, effects_vary: bool
) -> NDArray[np.float64]:
    import numpy as np

    centre = effect.difference.value or 0.0
    if not effects_vary or limits is None or limits.low is None or limits.high is None:
        return np.full_like(normal, centre)
    below, above = (centre - limits.low) / _Z95, (limits.high - centre) / _Z95
    return centre + np.where(normal < 0, below, above) * normal


def percentile_limits(values: NDArray[np.float64]) -> Interval:
    """The central 95 % of the draws; an infinite end is open."""
    import numpy as np

    low, high = (float(end) for end in np.percentile(values, [2.5, 97.5], method="lower"))
    return Interval(low if math.isfinite(low) else None, high if math.isfinite(high) else None)
