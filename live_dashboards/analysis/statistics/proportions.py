"""Proportions of two arms for one look: differences and ratios with intervals, score and exact tests,
non-inferiority, Bayesian chances, power, adjustments for several comparisons, and the test of a split.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from statistics import NormalDist

from live_dashboards.analysis.statistics.special import beta_kernel, beta_tails, chi_square_tail

_TIE = 1e-7  # log probabilities nearer than this are equal: they differ in their last digits only

_SMALLEST_PRIOR = 0.1
_WIDEST_STEP = 0.4
_STEPS_A_SPREAD = 3.0
_NEGLIGIBLE = -40.0  # the log of a weight that no sum of floats would notice

_SUSPECT_P = 0.001
_EXACT_BELOW = 1000
# a tenth of a percentage point: at a billion requests a drift of 0.06 points has p = 0
_MATTERS_SHARE = 0.001

# what other programs call for proportions stands here by its published name; what is a calculation of its own
# has its own module
__all__ = [
    "Bayesian",
    "Comparison",
    "Counts",
    "NonInferiority",
    "chance_to_beat",
    "difference",
    "fisher_exact",
    "non_inferiority",
    "normal_quantile",
    "ratio",
    "required_n_per_arm",
    "score_test",
    "wilson",
]

_FISHER_UP_TO_EVENTS = 1000  # or non-events, so that a table and the one with both exchanged have one p
_FISHER_BELOW_N = 40
_FISHER_BELOW_EXPECTED = 40  # in the smaller arm: there the normal p is off whatever the other arm counts


@dataclass(frozen=True, slots=True)
class Counts:
    """Events among n trials; ValueError where that is impossible."""

    events: int
    n: int

    def __post_init__(self) -> None:
        if not 0 < self.n < math.inf:
            raise ValueError(f"n is {self.n}; it must be above 0 and finite")
        if not 0 <= self.events <= self.n:
            raise ValueError(f"events is {self.events}; it must be from 0 to n = {self.n}")

    @property
    def proportion(self) -> float:
        """Events / n."""
        return self.events / self.n


@dataclass(frozen=True, slots=True)
class Comparison:
    """An effect of treatment against control with its interval, p-value and the method's name; fractions, not
    percent.
    """

    estimate: float | None
    low: float
    high: float
    p_value: float
    method: str
    n_treatment: int
    n_control: int


def normal_quantile(confidence: float) -> float:
    """The z of a two-sided interval; ValueError unless 0 < confidence < 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must be above 0 and below 1")
    # from the tail: 0.5 + confidence / 2 rounds to 1 near 1
    return -NormalDist().inv_cdf((1 - confidence) / 2)


def wilson(counts: Counts, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927, JASA 22:209); exactly 0 at no event and 1 at nothing
    but events.
    """
    z, n, p = normal_quantile(confidence), counts.n, counts.proportion
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if counts.events == 0 else max(0.0, centre - half)
    high = 1.0 if counts.events == n else min(1.0, centre + half)
    return min(low, p), max(high, p)


def fisher_exact(treatment: Counts, control: Counts) -> float:
    """Two-sided p: the sum over all tables with these margins that are no likelier than the observed one
    (Fisher 1935).

    It visits every such table, so it is for few events or a small arm; each is built from its neighbour, for
    logs of factorials of 1e9 would lose ties.
    """
    events = treatment.events + control.events
    smallest, largest = max(0, events - control.n), min(events, treatment.n)
    steps = _log_steps(range(smallest, largest), events, treatment.n, control.n)
    logs = list(accumulate(steps, initial=0.0))
    return _no_likelier(logs, logs[treatment.events - smallest])


def binomial_test(counts: Counts, share: float) -> float:
    """Two-sided p of a proportion that should be `share` (above 0, below 1): the sum over all outcomes no
    likelier than the observed one.

    It visits all n + 1 outcomes, so it is for small n.
    """
    n, odds = counts.n, math.log(share) - math.log1p(-share)
    logs = list(accumulate((odds + math.log((n - x) / (x + 1)) for x in range(n)), initial=0.0))
    return _no_likelier(logs, logs[counts.events])


def _log_steps(values: range, events: int, n_treatment: int, n_control: int) -> Iterator[float]:
    """Log of the hypergeometric probability at x + 1 over that at x, for x events in the treatment."""
    for x in values:
        yield math.log((events - x) * (n_treatment - x)) - math.log((x + 1) * (n_control - events + x + 1))


def _no_likelier(logs: list[float], observed: float) -> float:
    """The share of probability, from unnormalised logs, on outcomes no likelier than the observed one."""
    top = max(logs)
    weights = [(math.exp(log - top), log <= observed + _TIE) for log in logs]
    return min(
        1.0,
        math.fsum(weight for weight, counted in weights if counted)
        / math.fsum(weight for weight, _ in weights),
    )


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


def adjust(p_values: Sequence[float], method: str = "holm") -> list[float]:
    """Adjusted p-values in the order given: `holm` (Holm 1979, Scand. J. Stat. 6:65) or `fdr_bh` (Benjamini &
    Hochberg 1995, J. R. Stat. Soc. B 57:289).

    ValueError for another method, or for a p-value that is not from 0 to 1.
    """
    if method not in {"holm", "fdr_bh"}:
        raise ValueError(f"method is {method!r}; it must be holm or fdr_bh")
    if any(not 0 <= p <= 1 for p in p_values):
        raise ValueError(f"p_values are {list(p_values)}; each must be from 0 to 1")
    return _holm(p_values) if method == "holm" else _benjamini_hochberg(p_values)


def _holm(p_values: Sequence[float]) -> list[float]:
    """Step-down: the smallest p times m, the next times m - 1, never below the one before."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    each = (min(1.0, p_values[index] * (len(order) - place)) for place, index in enumerate(order))
    return [adjusted for _, adjusted in sorted(zip(order, accumulate(each, max), strict=True))]


def _benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Step-up: the largest p as it is, the next times m / (m - 1), never above the one before."""
    order = sorted(range(len(p_values)), key=lambda index: -p_values[index])
    each = (p_values[index] * (len(order) / (len(order) - place)) for place, index in enumerate(order))
    return [adjusted for _, adjusted in sorted(zip(order, accumulate(each, min), strict=True))]


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """The test's statistic and p-value, and `ok`, `amber` (a real but small difference) or `red`."""

    chi2: float
    p_value: float
    flag: str


def sample_ratio(observed: Sequence[int], planned: Sequence[float]) -> SampleRatio:
    """Observed counts against planned shares (Fabijan et al. 2019, KDD): red below p = 0.001 where a share is
    off by 0.1 points or more, else amber.

    The p-value is the chi-square test's; of two arms with fewer than 1,000 requests the exact binomial
    test's. Arms with a planned share of 0 are not in the test, but any traffic there is red with p 0.
    ValueError for negative counts, no request at all, or shares that are negative, do not add up to 1 or are
    not as many as the counts.
    """
    _check(observed, planned)
    if any(count > 0 and share == 0 for count, share in zip(observed, planned, strict=True)):
        return SampleRatio(math.inf, 0.0, "red")
    arms = [(count, share) for count, share in zip(observed, planned, strict=True) if share > 0]
    n = sum(count for count, _ in arms)
    if len(arms) < 2:
        return SampleRatio(0.0, 1.0, "ok")
    chi2 = math.fsum((count - n * share) ** 2 / (n * share) for count, share in arms)
    is_small = len(arms) == 2 and n < _EXACT_BELOW
    p_value = (
        binomial_test(Counts(arms[0][0], n), arms[0][1]) if is_small else chi_square_tail(chi2, len(arms) - 1)
    )
    off = max(abs(count / n - share) for count, share in arms)
    flag = "ok" if p_value >= _SUSPECT_P else "red" if off >= _MATTERS_SHARE else "amber"
    return SampleRatio(chi2, p_value, flag)


def _check(observed: Sequence[int], planned: Sequence[float]) -> None:
    if len(observed) != len(planned) or not observed:
        raise ValueError(
            f"planned has {len(planned)} shares for {len(observed)} observed counts; give one for each"
        )
    if any(not 0 <= count < math.inf for count in observed):
        raise ValueError(f"observed is {list(observed)}; counts must be finite and not negative")
    if not sum(observed):
        raise ValueError(f"observed is {list(observed)}; without any request there is no ratio")
    if any(share < 0 for share in planned) or not math.isclose(math.fsum(planned), 1.0, abs_tol=1e-6):
        raise ValueError(f"planned is {list(planned)}; shares must not be negative and must add up to 1")


@dataclass(frozen=True, slots=True)
class NonInferiority:
    """Whether treatment is worse than control by less than the margin: `shown`, `not_shown` or `harm`;
    fractions, lower is better.
    """

    outcome: str
    estimate: float
    low: float
    high: float
    margin: float
    method: str
    n_treatment: int
    n_control: int


def difference(treatment: Counts, control: Counts, confidence: float = 0.95) -> Comparison:
    """Treatment minus control: Newcombe's hybrid score interval (Newcombe 1998, Stat Med 17:873, method 10).

    The p-value is Fisher's exact two-sided one where the events, or else the non-events, are 1,000 at most in
    both arms together, or an arm has fewer than 40 trials or would have fewer than 40 of them; else the
    pooled score test's.
    """
    p2, p1 = treatment.proportion, control.proportion
    low2, high2 = wilson(treatment, confidence)
    low1, high1 = wilson(control, confidence)
    estimate = p2 - p1
    low = max(-1.0, estimate - math.hypot(p2 - low2, high1 - p1))
    high = min(1.0, estimate + math.hypot(high2 - p2, p1 - low1))
    p_value, test = _test(treatment, control)
    return Comparison(estimate, low, high, p_value, f"Newcombe hybrid score; {test}", treatment.n, control.n)


def ratio(treatment: Counts, control: Counts, confidence: float = 0.95) -> Comparison:
    """Treatment over control: MOVER-R with Wilson limits (Donner & Zou 2012, Stat Methods Med Res 21:347;
    Fagerland & Newcombe 2013, Stat Med 32:2823).

    `high` is infinite where the control has no event, `low` exactly 0 where the treatment has none; the
    estimate is infinite at x / 0 and None at 0 / 0. The p-value is that of `difference`.
    """
    p2, p1 = treatment.proportion, control.proportion
    (low2, high2), (low1, high1) = wilson(treatment, confidence), wilson(control, confidence)
    estimate = p2 / p1 if p1 > 0 else math.inf if p2 > 0 else None
    spread_low = low2 * (2 * p2 - low2)
    low = (
        0.0
        if treatment.events == 0
        else spread_low
        / (p1 * p2 + math.sqrt(max(0.0, (p1 * p2) ** 2 - spread_low * high1 * (2 * p1 - high1))))
    )
    spread_high = low1 * (2 * p1 - low1)
    high = (
        math.inf
        if control.events == 0
        else (p1 * p2 + math.sqrt(max(0.0, (p1 * p2) ** 2 - high2 * spread_high * (2 * p2 - high2))))
        / spread_high
    )
    p_value, test = _test(treatment, control)
    if estimate is not None and math.isfinite(estimate):
        low, high = min(low, estimate), max(high, estimate)
    return Comparison(
        estimate, low, high, p_value, f"MOVER-R with Wilson limits; {test}", treatment.n, control.n
    )


def non_inferiority(treatment: Counts, control: Counts, margin: float, alpha: float = 0.05) -> NonInferiority:
    """One-sided at alpha, where fewer events are better: the 1 - 2 alpha Newcombe interval of treatment minus
    control against the margin (a fraction above 0).

    `shown` where its upper limit is below the margin, even if the lower one is above 0; else `harm` where the
    lower one is above 0; else `not_shown`. ValueError for a margin that is not above 0 or an alpha that is
    not between 0 and 0.5.
    """
    if not 0 < margin <= 1:
        raise ValueError(f"margin is {margin}; it must be above 0 and at most 1")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is {alpha}; it must be above 0 and below 0.5")
    found = difference(treatment, control, 1 - 2 * alpha)
    outcome = "shown" if found.high < margin else "harm" if found.low > 0 else "not_shown"
    method = f"Newcombe hybrid score, one-sided {alpha:g}"
    return NonInferiority(
        outcome, found.estimate or 0.0, found.low, found.high, margin, method, treatment.n, control.n
    )


def _test(treatment: Counts, control: Counts) -> tuple[float, str]:
    events = treatment.events + control.events
    n, smaller = treatment.n + control.n, min(treatment.n, control.n)
    fewer = min(events, n - events)
    if (
        fewer <= _FISHER_UP_TO_EVENTS
        or smaller < _FISHER_BELOW_N
        or fewer * smaller < _FISHER_BELOW_EXPECTED * n
    ):
        return _fisher(treatment, control), "Fisher's exact test" if events else "no events in either arm"
    return score_test(treatment, control), "score test"


def _fisher(treatment: Counts, control: Counts) -> float:
    """By whichever of events and non-events are fewer: the same p, of fewer tables."""
    if 2 * (treatment.events + control.events) <= treatment.n + control.n:
        return fisher_exact(treatment, control)
    return fisher_exact(*(Counts(arm.n - arm.events, arm.n) for arm in (treatment, control)))


def score_test(treatment: Counts, control: Counts) -> float:
    """Two-sided p of the pooled z-test of equal proportions; 1 where all or no trials are events."""
    n = treatment.n + control.n
    pooled = (treatment.events + control.events) / n
    variance = pooled * (1 - pooled) * (1 / treatment.n + 1 / control.n)
    if variance == 0:
        return 1.0
    z = (treatment.proportion - control.proportion) / math.sqrt(variance)
    return math.erfc(abs(z) / math.sqrt(2))
