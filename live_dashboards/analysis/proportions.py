"""Intervals and tests for proportions: Wilson for one, Newcombe for the difference of two, with a score or Fisher's exact test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from live_dashboards.analysis.bayesian import Bayesian, Beta, chance_above, expected_shortfall

_FISHER_BELOW_EVENTS = 10
_FISHER_BELOW_N = 40


@dataclass(frozen=True, slots=True)
class Counts:
    """Events among n trials; ValueError where that is impossible."""

    events: int
    n: int

    def __post_init__(self) -> None:
        if self.n <= 0:
            raise ValueError(f"n is {self.n}; it must be above 0")
        if not 0 <= self.events <= self.n:
            raise ValueError(f"events is {self.events}; it must be from 0 to n = {self.n}")

    @property
    def proportion(self) -> float:
        """Events / n."""
        return self.events / self.n


@dataclass(frozen=True, slots=True)
class Comparison:
    """An effect of treatment against control with its interval, p-value and the method's name; fractions, not percent."""

    estimate: float | None
    low: float
    high: float
    p_value: float
    method: str
    n_treatment: int
    n_control: int


@dataclass(frozen=True, slots=True)
class NonInferiority:
    """Whether treatment is worse than control by less than the margin: `shown`, `not_shown` or `harm`; fractions, lower is better."""

    outcome: str
    estimate: float
    low: float
    high: float
    margin: float
    method: str
    n_treatment: int
    n_control: int


def normal_quantile(confidence: float) -> float:
    """The z of a two-sided interval; ValueError unless 0 < confidence < 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must be above 0 and below 1")
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson(counts: Counts, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927, JASA 22:209); exactly 0 at no event and 1 at nothing but events."""
    z, n, p = normal_quantile(confidence), counts.n, counts.proportion
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if counts.events == 0 else max(0.0, centre - half)
    high = 1.0 if counts.events == n else min(1.0, centre + half)
    return min(low, p), max(high, p)


def difference(treatment: Counts, control: Counts, confidence: float = 0.95) -> Comparison:
    """Treatment minus control: Newcombe's hybrid score interval (Newcombe 1998, Stat Med 17:873, method 10).

    The p-value is the pooled score test's; Fisher's exact two-sided one where there are fewer than 10 events or an arm has fewer than 40 trials.
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
    """Treatment over control: MOVER-R with Wilson limits (Donner & Zou 2012, Stat Methods Med Res 21:347; Fagerland & Newcombe 2013, Stat Med 32:2823).

    `high` is infinite where the control has no event, `low` exactly 0 where the treatment has none; the estimate is infinite at x / 0 and None at 0 / 0.
    The p-value is that of `difference`.
    """
    p2, p1 = treatment.proportion, control.proportion
    (low2, high2), (low1, high1) = wilson(treatment, confidence), wilson(control, confidence)
    estimate = p2 / p1 if p1 > 0 else math.inf if p2 > 0 else None
    spread_low = low2 * (2 * p2 - low2)
    low = 0.0 if treatment.events == 0 else spread_low / (p1 * p2 + math.sqrt(max(0.0, (p1 * p2) ** 2 - spread_low * high1 * (2 * p1 - high1))))
    spread_high = low1 * (2 * p1 - low1)
    high = math.inf if control.events == 0 else (p1 * p2 + math.sqrt(max(0.0, (p1 * p2) ** 2 - high2 * spread_high * (2 * p2 - high2)))) / spread_high
    p_value, test = _test(treatment, control)
    if estimate is not None and math.isfinite(estimate):
        low, high = min(low, estimate), max(high, estimate)
    return Comparison(estimate, low, high, p_value, f"MOVER-R with Wilson limits; {test}", treatment.n, control.n)


def required_n_per_arm(p_control: float, p_treatment: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """Trials in each arm that show such a difference with this power, two-sided (Fleiss, Levin & Paik 2003, 4.2; R's power.prop.test).

    ValueError where a proportion is not from 0 to 1, both are equal, or alpha or power are not above 0 and below 1.
    """
    for name, value in (("p_control", p_control), ("p_treatment", p_treatment)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value}; it must be from 0 to 1")
    if p_control == p_treatment:
        raise ValueError(f"p_treatment is {p_treatment}, as p_control; no number of trials shows a difference of 0")
    for name, value in (("alpha", alpha), ("power", power)):
        if not 0 < value < 1:
            raise ValueError(f"{name} is {value}; it must be above 0 and below 1")
    mean = (p_control + p_treatment) / 2
    spread = normal_quantile(1 - alpha) * math.sqrt(2 * mean * (1 - mean))
    spread += NormalDist().inv_cdf(power) * math.sqrt(p_control * (1 - p_control) + p_treatment * (1 - p_treatment))
    return spread**2 / (p_treatment - p_control) ** 2


def chance_to_beat(treatment: Counts, control: Counts, prior: tuple[float, float] = (0.5, 0.5), higher_is_better: bool = True) -> Bayesian:  # noqa: FBT001, FBT002 a published signature
    """Chance that the treatment is better, and the expected loss of choosing it, from beta posteriors; see `bayesian`.

    ValueError for a prior below Jeffreys' 1/2, whose density has poles.
    """
    if min(prior) < 0.5:
        raise ValueError(f"prior is {prior}; both must be at least 0.5")
    ours, theirs = (Beta(prior[0] + arm.events, prior[1] + arm.n - arm.events) for arm in (treatment, control))
    if higher_is_better:
        return Bayesian(chance_above(ours, theirs), expected_shortfall(theirs, ours))
    return Bayesian(chance_above(theirs, ours), expected_shortfall(ours, theirs))


def non_inferiority(treatment: Counts, control: Counts, margin: float, alpha: float = 0.05) -> NonInferiority:
    """One-sided at alpha, where fewer events are better: the 1 - 2 alpha Newcombe interval of treatment minus control against the margin (a fraction above 0).

    `shown` where its upper limit is below the margin, even if the lower one is above 0; else `harm` where the lower one is above 0; else `not_shown`.
    ValueError for a margin that is not above 0 or an alpha that is not between 0 and 0.5.
    """
    if not 0 < margin <= 1:
        raise ValueError(f"margin is {margin}; it must be above 0 and at most 1")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is {alpha}; it must be above 0 and below 0.5")
    found = difference(treatment, control, 1 - 2 * alpha)
    outcome = "shown" if found.high < margin else "harm" if found.low > 0 else "not_shown"
    method = f"Newcombe hybrid score, one-sided {alpha:g}"
    return NonInferiority(outcome, found.estimate or 0.0, found.low, found.high, margin, method, treatment.n, control.n)


def _test(treatment: Counts, control: Counts) -> tuple[float, str]:
    events = treatment.events + control.events
    if events < _FISHER_BELOW_EVENTS or min(treatment.n, control.n) < _FISHER_BELOW_N:
        return fisher_exact(treatment, control), "Fisher's exact test" if events else "no events in either arm"
    return score_test(treatment, control), "score test"


def score_test(treatment: Counts, control: Counts) -> float:
    """Two-sided p of the pooled z-test of equal proportions; 1 where all or no trials are events."""
    n = treatment.n + control.n
    pooled = (treatment.events + control.events) / n
    variance = pooled * (1 - pooled) * (1 / treatment.n + 1 / control.n)
    if variance == 0:
        return 1.0
    z = (treatment.proportion - control.proportion) / math.sqrt(variance)
    return math.erfc(abs(z) / math.sqrt(2))


def fisher_exact(treatment: Counts, control: Counts) -> float:
    """Two-sided p: the sum over all tables with these margins that are no likelier than the observed one (Fisher 1935)."""
    events, n = treatment.events + control.events, treatment.n + control.n
    smallest, largest = max(0, events - control.n), min(events, treatment.n)
    if smallest == largest:
        return 1.0
    observed = _log_table(treatment.events, events, treatment.n, n)
    tolerance = 1e-7  # tables equally likely as the observed one differ in the last bits
    logs = (_log_table(x, events, treatment.n, n) for x in range(smallest, largest + 1))
    return min(1.0, math.fsum(math.exp(log) for log in logs if log <= observed + tolerance))


def _log_table(x: int, events: int, n_treatment: int, n: int) -> float:
    """Log of the hypergeometric probability of x events in the treatment."""
    return _log_choose(events, x) + _log_choose(n - events, n_treatment - x) - _log_choose(n, n_treatment)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
