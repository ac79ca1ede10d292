"""The chance that one proportion is above another, and what choosing wrongly would cost; a description, never
the rule that decides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from live_dashboards.analysis.counts import Counts
from live_dashboards.analysis.special import beta_kernel, beta_tails

_SMALLEST_PRIOR = 0.1
_WIDEST_STEP = 0.4
_STEPS_A_SPREAD = 3.0
_NEGLIGIBLE = -40.0  # the log of a weight that no sum of floats would notice


@dataclass(frozen=True, slots=True)
class Bayesian:
    """Chance that the treatment is better, and the expected loss (a fraction) of choosing it; not protected
    from looking again and again.
    """

    probability: float
    expected_loss: float


def chance_to_beat(
    treatment: Counts,
    control: Counts,
    prior: tuple[float, float] = (0.5, 0.5),
    higher_is_better: bool = True,  # noqa: FBT001, FBT002 a published signature
) -> Bayesian:
    """Chance that the treatment is better, and the expected loss of choosing it (Stucchio 2015, Bayesian A/B
    testing at VWO), from beta posteriors.

    Either is an integral over the narrower posterior of a closed form of the wider one. In the logit of p a
    beta density is smooth and falls off at both ends, where sums of equal steps converge exponentially
    (Trefethen & Weideman 2014, SIAM Rev. 56:385). ValueError for a prior with a part below 0.1: all its
    weight is at 0 and 1.
    """
    if not all(_SMALLEST_PRIOR <= part < math.inf for part in prior):
        raise ValueError(f"prior is {prior}; both parts must be at least {_SMALLEST_PRIOR} and finite")
    ours, theirs = (
        _Beta(prior[0] + arm.events, prior[1] + arm.n - arm.events) for arm in (treatment, control)
    )
    above, below = _compare(ours, theirs) if ours.spread >= theirs.spread else _compare(theirs, ours)[::-1]
    return Bayesian(above.chance, below.gain) if higher_is_better else Bayesian(below.chance, above.gain)


@dataclass(frozen=True, slots=True)
class _Beta:
    a: float
    b: float

    @property
    def spread(self) -> float:
        """About the standard deviation of its logit."""
        return math.sqrt(1 / self.a + 1 / self.b)


@dataclass(frozen=True, slots=True)
class _Side:
    """How likely it is to be on one side of the other, and by how much on average, nothing where on the other
    side.
    """

    chance: float
    gain: float


@dataclass(frozen=True, slots=True)
class _Node:
    share: float
    complement: float
    weight: float


def _compare(wide: _Beta, narrow: _Beta) -> tuple[_Side, _Side]:
    """The wide one above the narrow one, and below it."""
    sums = [0.0] * 5
    for node in (*_nodes(narrow, 1), *_nodes(narrow, -1)):
        values = (1.0, *_sides(wide, node))
        sums = [before + node.weight * value for before, value in zip(sums, values, strict=True)]
    total, above, gain_above, below, gain_below = sums
    return _Side(above / total, gain_above / total), _Side(below / total, gain_below / total)


def _sides(beta: _Beta, node: _Node) -> tuple[float, float, float, float]:
    """Chance that it is above the node, the mean excess E[(p - node)⁺], and the same below: E[p; p > x] is μ
    S(x) + x^a (1 - x)^b/(B(a, b)(a + b)).
    """
    n = beta.a + beta.b
    lower, upper = beta_tails(beta.a, beta.b, node.share, node.complement)
    distance = beta.a / n - node.share if node.share < 0.5 else node.complement - beta.b / n
    part = beta_kernel(beta.a, beta.b, node.share, node.complement) / n
    return upper, max(0.0, distance * upper + part), lower, max(0.0, part - distance * lower)


def _nodes(beta: _Beta, direction: int) -> Iterator[_Node]:
    """Equal steps of the logit from the top of the density down one side, the top itself with the upper
    one.
    """
    step = min(_WIDEST_STEP, beta.spread / _STEPS_A_SPREAD)
    for index in count(0 if direction > 0 else 1):
        node = _node(beta, direction * index * step)
        if node is None:
            return
        yield node


def _node(beta: _Beta, off: float) -> _Node | None:
    """The node whose logit is that far from the top's, None where it weighs nothing; ratios to the top keep
    all digits of large counts.
    """
    share, complement = 1 / (1 + beta.b / beta.a * math.exp(-off)), 1 / (1 + beta.a / beta.b * math.exp(off))
    if share >= 0.5:
        log_share = math.log1p(complement * math.expm1(off))
        log_complement = log_share - off
    else:
        log_complement = math.log1p(share * math.expm1(-off))
        log_share = log_complement + off
    log_weight = beta.a * log_share + beta.b * log_complement
    return _Node(share, complement, math.exp(log_weight)) if log_weight > _NEGLIGIBLE else None
