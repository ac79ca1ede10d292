"""The terms of the net value as formulas: a new one is a line in TERMS."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from live_dashboards.model.business_case import BusinessInputs, EffectInput
from live_dashboards.model.measurement import Measurement

DAYS_A_YEAR = 365
REQUESTS_PER_DAY = "requests_per_day"


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

    def measured(self, inputs: BusinessInputs) -> tuple[Measurement, ...]:
        """All that is measured in it."""
        effect = self.input(inputs).difference
        return (effect, inputs.requests_per_day) if self.needs_requests else (effect,)

    def per_effect(self, amounts: Mapping[str, float]) -> float:
        """Signed USD a year for one unit of the effect, given each factor's amount."""
        return self.sign * DAYS_A_YEAR * math.prod(amounts[factor] for factor in self.factors)


TERMS: tuple[TermFormula, ...] = (
    TermFormula(
        "annual_revenue_increase",
        "Revenue from accuracy",
        1,
        "accuracy_improvement",
        ("BASE_TRADING_VOLUME", "ACCURACY_REVENUE_MULTIPLIER"),
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
