"""Whether differences of several groups, or their rates, differ among themselves: Cochran's Q."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.analysis.statistics.special import upper_gamma
from live_dashboards.analysis.statistics.stratified import long_run_of, strata, together

_FEWEST_EXPECTED = 5.0  # of the smaller group (Cochran 1954, Biometrics 10:417)


@dataclass(frozen=True, slots=True)
class Heterogeneous:
    """Q on its degrees of freedom, and the chance of so much where nothing differs, for one look."""

    q: float
    degrees: int
    p_value: float


Pair = tuple[Sequence[Counts], Sequence[Counts]]
"""Counts of two groups in the same blocks, in the order of time."""


def cochran_q(estimates: Sequence[float], variances: Sequence[float]) -> Heterogeneous:
    """Q of independent estimates around their mean by inverse variance, chi-square on one degree less than
    there are (Cochran 1954, Biometrics 10:101).

    ValueError for fewer than two, not as many of both, or a variance that is not above 0.
    """
    if len(estimates) < 2 or len(estimates) != len(variances) or min(variances) <= 0:
        raise ValueError(
            f"there are {len(estimates)} estimates and {len(variances)} variances; give as many of both, two "
            "at least, and variances above 0"
        )
    weights = [1 / variance for variance in variances]
    mean = math.fsum(w * each for w, each in zip(weights, estimates, strict=True)) / math.fsum(weights)
    q = math.fsum(w * (each - mean) ** 2 for w, each in zip(weights, estimates, strict=True))
    return _told(q, len(estimates) - 1)


def contrasts_q(contrasts: Sequence[Pair]) -> Heterogeneous | None:
    """Q of several groups' rates from as many differences within blocks as there are degrees: of each group
    from all before it together, which are independent where the rates are the same (Helmert 1876, Astron.
    Nachr. 88:113), each with its long-run variance.

    None where no group has enough events and non-events to be told apart from those before it.
    """
    squares = [_square(*each) for each in contrasts if is_enough(each)]
    known = [each for each in squares if each is not None]
    return _told(math.fsum(known), len(known)) if known else None


def _square(ours: Sequence[Counts], theirs: Sequence[Counts]) -> float | None:
    """The difference's square in units of its variance; None where it has none."""
    found = strata(ours, theirs)
    variance = long_run_of(found)
    return found.estimate**2 / variance if variance > 0 else None


def is_enough(pair: Pair) -> bool:
    """Whether both groups would have five events and five non-events, were their rates the same."""
    if not pair[0]:
        return False
    ours, theirs = (together(blocks) for blocks in pair)
    rate = (ours.events + theirs.events) / (ours.n + theirs.n)
    return min(ours.n, theirs.n) * min(rate, 1 - rate) >= _FEWEST_EXPECTED


def _told(q: float, degrees: int) -> Heterogeneous:
    return Heterogeneous(q, degrees, upper_gamma(degrees / 2, q / 2))
