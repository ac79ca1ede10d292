"""The difference of two arms, valid however often one looks, also where events are too few for the asymptotic
sequence.
"""

from __future__ import annotations

import math
from dataclasses import replace

from live_dashboards.analysis.counts import Comparison, Counts
from live_dashboards.analysis.sequential import confidence_sequence, is_too_few

_HALVINGS = 80


def difference_so_far(
    treatment: Counts, control: Counts, planned_n: int, alpha: float = 0.05, overdispersion: float = 1.0
) -> Comparison:
    """Treatment minus control with an interval that holds at every look.

    The asymptotic confidence sequence where both arms have 5 events and non-events; below, the exact one of
    each arm at alpha / 2, one's low limit against the other's high one. Events in clusters count as n /
    `overdispersion` (1 or more); the estimate stays that of all requests. ValueError as there.
    """
    ours, theirs = (_effective(arm, overdispersion) for arm in (treatment, control))
    planned = max(1, round(planned_n / overdispersion))
    if is_too_few(ours) or is_too_few(theirs):
        found, method = _exact(ours, theirs, alpha), "exact confidence sequences of both arms"
    else:
        found = confidence_sequence(ours, theirs, planned, alpha)
        method = found.method
    # whole numbers of effective requests round the proportion
    shift = treatment.proportion - control.proportion - (found.estimate or 0.0)
    estimate = treatment.proportion - control.proportion
    # wider by what was rounded, never narrower
    low, high = max(-1.0, found.low + min(0.0, shift)), min(1.0, found.high + max(0.0, shift))
    return replace(
        found,
        estimate=estimate,
        low=min(low, estimate),
        high=max(high, estimate),
        method=method,
        n_treatment=treatment.n,
        n_control=control.n,
    )


def proportion_so_far(counts: Counts, alpha: float = 0.05) -> tuple[float, float]:
    """Limits of a proportion that hold at every look, exactly: those p against which the beta(1/2, 1/2)
    mixture has not gathered 1 / alpha.

    Robbins 1970, Ann. Math. Stat. 41:1397; the beta-binomial mixture of Howard, Ramdas, McAuliffe & Sekhon
    2021, Ann. Statist. 49:1055. Exactly 0 at no event and 1 at nothing but events.
    """
    bar, p = _log_mixture(counts) + math.log(alpha), counts.proportion
    low = 0.0 if counts.events == 0 else _crossing(counts, bar, 0.0, p)
    high = 1.0 if counts.events == counts.n else _crossing(counts, bar, 1.0, p)
    return low, high


def _effective(arm: Counts, overdispersion: float) -> Counts:
    n = max(1, round(arm.n / overdispersion))
    return Counts(min(n, round(arm.proportion * n)), n)


def _exact(treatment: Counts, control: Counts, alpha: float) -> Comparison:
    (low2, high2), (low1, high1) = (proportion_so_far(arm, alpha / 2) for arm in (treatment, control))
    pooled = Counts(treatment.events + control.events, treatment.n + control.n)
    evidence = _log_mixture(treatment) + _log_mixture(control) - _log_likelihood(pooled, pooled.proportion)
    p_value = min(1.0, math.exp(-max(0.0, evidence)))
    return Comparison(
        treatment.proportion - control.proportion,
        low2 - high1,
        high2 - low1,
        p_value,
        "",
        treatment.n,
        control.n,
    )


def _log_mixture(counts: Counts) -> float:
    """Log of the likelihood averaged over a beta(1/2, 1/2) prior."""
    x, n = counts.events, counts.n
    return math.lgamma(x + 0.5) + math.lgamma(n - x + 0.5) - math.lgamma(n + 1) - math.log(math.pi)


def _log_likelihood(counts: Counts, p: float) -> float:
    misses = counts.n - counts.events
    hit = counts.events * math.log(p) if counts.events else 0.0
    return hit + (misses * math.log1p(-p) if misses else 0.0)


def _crossing(counts: Counts, bar: float, outer: float, inner: float) -> float:
    """Where the likelihood falls to the bar between the estimate and the end of the scale, by bisection."""
    for _ in range(_HALVINGS):
        middle = (outer + inner) / 2
        if middle in {outer, inner}:
            break
        if _log_likelihood(counts, middle) > bar:
            inner = middle
        else:
            outer = middle
    return outer
