"""The chance that one proportion is above another, and what choosing wrongly would cost; a description, never the rule that decides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_POINTS = 40_001
_SPREADS = 14.0  # what lies further from the middle has no weight that a float could hold


@dataclass(frozen=True, slots=True)
class Bayesian:
    """Chance that the treatment is better, and the expected loss (a fraction) of choosing it; not protected from looking again and again."""

    probability: float
    expected_loss: float


@dataclass(frozen=True, slots=True)
class Beta:
    """A beta distribution."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        """Its mean."""
        return self.a / (self.a + self.b)


def chance_above(one: Beta, other: Beta) -> float:
    """Probability that one is above the other: the narrower density times the wider one's distribution, summed on 40,001 points of θ = asin √p.

    In θ a beta density with a, b of 1/2 or more has no pole, and its spread hardly depends on where it stands.
    """
    is_one_narrower = one.a + one.b >= other.a + other.b
    narrow, wide = (one, other) if is_one_narrower else (other, one)
    angles, density = _density(narrow)
    below = float((density * _distribution(wide, angles)).sum() / density.sum())
    return below if is_one_narrower else 1.0 - below


def expected_shortfall(one: Beta, other: Beta) -> float:
    """E[(one - other)⁺] (Stucchio 2015, Bayesian A/B testing at VWO): what is lost by choosing the other where one is above it."""
    gain = one.mean * chance_above(Beta(one.a + 1, one.b), other) - other.mean * chance_above(one, Beta(other.a + 1, other.b))
    return max(0.0, gain)


def _density(beta: Beta) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angles over all of the distribution's weight and the density there, the ends counted by half (trapezoid rule)."""
    import numpy as np

    middle, spread = math.asin(math.sqrt(beta.mean)), 0.5 / math.sqrt(beta.a + beta.b)
    angles = np.linspace(max(0.0, middle - _SPREADS * spread), min(math.pi / 2, middle + _SPREADS * spread), _POINTS)
    density = _relative_density(beta, angles)
    density[[0, -1]] /= 2
    return angles, density


def _relative_density(beta: Beta, angles: NDArray[np.float64]) -> Any:
    """sin^(2a - 1) cos^(2b - 1) relative to its value at the mean, so that neither over- nor underflows."""
    import numpy as np

    middle = math.asin(math.sqrt(beta.mean))
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = _times(2 * beta.a - 1, np.log(np.sin(angles) / math.sin(middle)))
        falling = _times(2 * beta.b - 1, np.log(np.abs(np.cos(angles)) / math.cos(middle)))
    return np.exp(np.minimum(rising + falling, 700.0))


def _times(power: float, logarithms: NDArray[np.float64]) -> Any:
    """Power x logarithm, where 0 x -∞ is 0: anything to the power of 0 is 1."""
    return logarithms * power if power else logarithms * 0.0 if bool((logarithms > -math.inf).all()) else 0.0 * logarithms.clip(min=-1.0)


def _distribution(beta: Beta, at: NDArray[np.float64]) -> Any:
    """The share below each angle."""
    import numpy as np

    angles, density = _density(beta)
    middles = (density[1:] + density[:-1]) / 2
    middles[0] += density[0] / 2
    middles[-1] += density[-1] / 2
    grown = np.concatenate([[0.0], np.cumsum(middles)])
    return np.interp(at, angles, grown / grown[-1], left=0.0, right=1.0)
