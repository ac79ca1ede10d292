"""Effects of treatment against control as proportions: difference, ratio and non-inferiority, each with an
interval that stands at small counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from live_dashboards.analysis.bayesian import Bayesian, chance_to_beat
from live_dashboards.analysis.counts import Comparison, Counts, normal_quantile, wilson
from live_dashboards.analysis.exact_tests import fisher_exact
from live_dashboards.analysis.power import required_n_per_arm

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
