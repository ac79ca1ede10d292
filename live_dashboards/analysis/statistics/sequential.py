"""Statements that hold however often one looks: confidence sequences of means, shares and differences, and
sequential tests of counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from live_dashboards.analysis.statistics.proportions import Comparison, Counts
from live_dashboards.analysis.statistics.special import log_beta_over

_FEWEST_REQUESTS, _FEWEST_EVENTS = 40, 5

_HALVINGS = 80


def confidence_sequence(
    treatment: Counts, control: Counts, planned_n: int, alpha: float = 0.05
) -> Comparison:
    """Treatment minus control with an asymptotic confidence sequence and its always-valid p.

    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024, Ann. Statist. 52:2613 (arXiv 2103.06476v7, eq. 9, 155,
    161): N = n1 + n2, s the standard error, half-width s √(2(Nρ² + 1)/(Nρ²) ln(√(Nρ² + 1)/α)), ρ² = (-2 ln α
    + ln(1 - 2 ln α))/N*; `planned_n` is N*, the total over both arms, fixed before the start. Below 40
    requests, 5 events or 5 non-events in an arm nothing is known: -1, 1 and p 1. ValueError for planned_n or
    alpha out of range.
    """
    _check_sequence(planned_n, alpha)
    estimate = treatment.proportion - control.proportion
    if any(is_too_few(arm) for arm in (treatment, control)):
        return Comparison(
            estimate,
            -1.0,
            1.0,
            1.0,
            "confidence sequence: too few requests or events",
            treatment.n,
            control.n,
        )
    spread = math.sqrt(sum(arm.proportion * (1 - arm.proportion) / arm.n for arm in (treatment, control)))
    half, p_value = normal_sequence(estimate, spread, treatment.n + control.n, planned_n, alpha)
    return Comparison(
        estimate,
        max(-1.0, estimate - half),
        min(1.0, estimate + half),
        p_value,
        "asymptotic confidence sequence",
        treatment.n,
        control.n,
    )


def normal_sequence(
    estimate: float, spread: float, n: float, planned_n: float, alpha: float
) -> tuple[float, float]:
    """Half-width and always-valid p of an estimate with that standard error after n observations (see
    `confidence_sequence`); ValueError as there.
    """
    _check_sequence(planned_n, alpha)
    rho2 = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / planned_n
    grown = n * rho2
    half = spread * math.sqrt(2 * (grown + 1) / grown * (0.5 * math.log1p(grown) - math.log(alpha)))
    z = estimate / spread if spread > 0 else 0.0
    return half, min(1.0, math.exp(0.5 * math.log1p(grown) - grown * z * z / (2 * (grown + 1))))


def is_too_few(arm: Counts) -> bool:
    """Whether an arm has fewer than 40 requests, 5 events or 5 non-events, where the normal approximation
    does not hold.
    """
    return arm.n < _FEWEST_REQUESTS or min(arm.events, arm.n - arm.events) < _FEWEST_EVENTS


def error_count_test(
    batches: Sequence[tuple[int, int]],
    traffic_share: tuple[float, float],
    prior: tuple[float, float] = (1, 1),
) -> list[float]:
    """Always-valid p after each batch of errors (control, treatment) that both arms fail equally often.

    Exact (Lindon & Malek 2022, NeurIPS, arXiv 2011.03567): under equal rates each error falls into the
    treatment with θ0 = traffic_share[1], the designed share; the p-value is the least 1/BF so far of a beta
    prior against it. An error in an arm with a share of 0 gives p 0. ValueError for negative counts, shares
    that are not two adding up to 1, or a prior that is not above 0.
    """
    _check_shares("traffic_share", traffic_share)
    if len(traffic_share) != 2 or len(prior) != 2 or not all(0 < part < math.inf for part in prior):
        raise ValueError(
            f"traffic_share is {traffic_share} and prior {prior}; each has two parts, and "
            "both of prior must be above 0 and finite"
        )
    return _least_p([(batches, traffic_share, prior)])


def traffic_split_test(
    batches: Sequence[Sequence[int]], planned_share: Sequence[float], concentration: float = 10_000
) -> list[float]:
    """Always-valid p after each batch of requests by arm that traffic is split as planned.

    Dirichlet-multinomial Bayes factor with α = concentration x planned share (Lindon & Malek 2022). Traffic
    in an arm with a planned share of 0 gives p 0. ValueError for negative counts, as many counts as shares
    missing, shares that do not add up to 1, or a concentration that is not above 0.
    """
    _check_shares("planned_share", planned_share)
    if not 0 < concentration < math.inf:
        raise ValueError(f"concentration is {concentration}; it must be above 0 and finite")
    return segmented_split_test([(batches, planned_share)], concentration)


def segmented_split_test(
    segments: Sequence[tuple[Sequence[Sequence[int]], Sequence[float]]], concentration: float = 10_000
) -> list[float]:
    """The same over segments of (batches, planned_share), each with a plan of its own: the evidence of
    disjoint segments multiplies.

    Always-valid p after each batch, over all segments together. ValueError as there.
    """
    return _least_p(
        (batches, planned_share, [concentration * share for share in planned_share])
        for batches, planned_share in segments
    )


def _least_p(
    segments: Iterable[tuple[Sequence[Sequence[int]], Sequence[float], Sequence[float]]],
) -> list[float]:
    """The least 1/BF so far after each batch, of a Dirichlet prior against each segment's shares."""
    p_values, least, before = [], 1.0, 0.0
    for batches, shares, prior in segments:
        _check_shares("planned_share", shares)
        seen, log_bf = [0] * len(shares), 0.0
        for batch in batches:
            _check_counts(batch, len(shares))
            seen = [count + more for count, more in zip(seen, batch, strict=True)]
            log_bf = _log_bf(seen, shares, prior)
            least = min(least, math.exp(-max(0.0, before + log_bf)))
            p_values.append(least)
        before += log_bf
    return p_values


def _log_bf(seen: Sequence[int], shares: Sequence[float], prior: Sequence[float]) -> float:
    """Infinite where something was counted that has a share of 0; arms without a share are no part of the
    test.
    """
    if any(count > 0 and share == 0 for count, share in zip(seen, shares, strict=True)):
        return math.inf
    arms = [
        (count, weight, share) for count, weight, share in zip(seen, prior, shares, strict=True) if share > 0
    ]
    if len(arms) < 2:
        return 0.0
    used = [share for *_, share in arms]
    after = log_beta_over([weight + count for count, weight, _ in arms], used)
    return after - log_beta_over([weight for _, weight, _ in arms], used)


def _check_sequence(planned_n: float, alpha: float) -> None:
    if not 0 < planned_n < math.inf:
        raise ValueError(f"planned_n is {planned_n}; it must be above 0 and finite")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; it must be above 0 and below 1")


def _check_shares(name: str, shares: Sequence[float]) -> None:
    if any(not share >= 0 for share in shares) or not math.isclose(math.fsum(shares), 1.0, abs_tol=1e-6):
        raise ValueError(f"{name} is {list(shares)}; shares must not be negative and must add up to 1")


def _check_counts(batch: Sequence[int], arms: int) -> None:
    if len(batch) != arms or any(not 0 <= count < math.inf for count in batch):
        raise ValueError(f"batches hold {list(batch)}; a batch is {arms} finite counts that are not negative")


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
