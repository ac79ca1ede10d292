"""How many requests a test needs before it can see a difference of a given size."""

from __future__ import annotations

import math
from statistics import NormalDist


def required_n_per_arm(
    p_control: float, p_treatment: float, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Trials in each arm that show such a difference with this power, two-sided, not rounded (Fleiss, Levin &
    Paik 2003, 4.2; R's power.prop.test).

    ValueError where a proportion is not from 0 to 1, both are equal, alpha is not above 0 and below 1, or
    power is not above alpha / 2 and below 1.
    """
    for name, value in (("p_control", p_control), ("p_treatment", p_treatment)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value}; it must be from 0 to 1")
    if p_control == p_treatment:
        raise ValueError(
            f"p_treatment is {p_treatment}, as p_control; no number of trials shows a difference of 0"
        )
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; it must be above 0 and below 1")
    if not alpha / 2 < power < 1:
        raise ValueError(
            f"power is {power}; it must be above alpha / 2, which is had without any trial, and below 1"
        )
    mean, normal = (p_control + p_treatment) / 2, NormalDist()
    alike = math.sqrt(2 * mean * (1 - mean))
    apart = math.sqrt(p_control * (1 - p_control) + p_treatment * (1 - p_treatment))
    return (
        (normal.inv_cdf(power) * apart - normal.inv_cdf(alpha / 2) * alike) / (p_treatment - p_control)
    ) ** 2
