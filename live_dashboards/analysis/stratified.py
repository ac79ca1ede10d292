"""Differences within blocks of time: what moves with the share of a ramp, or hits both arms at the same time,
is no difference of the arms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from live_dashboards.analysis.always_valid import difference_so_far
from live_dashboards.analysis.counts import Comparison, Counts, normal_quantile
from live_dashboards.analysis.dispersion import overdispersion
from live_dashboards.analysis.long_run import FEWEST_BLOCKS, batch_variance, long_run_variance
from live_dashboards.analysis.proportions import difference
from live_dashboards.analysis.sequential import is_too_few, normal_sequence

_FEWEST_BATCHES_FOR_HARM = 5
# two hours: a tenfold rate is to be found within the first
_YOUNG_BLOCKS, _FEWEST_BATCHES_OF_THE_YOUNG = 24, 8
_UNSETTLED_SECONDS = 3 * 86_400.0  # which a late harm has to be found in
_SETTLED_SECONDS = 3 * 86_400.0 - 3600.0  # of blocks that tell how long incidents last


@dataclass(frozen=True, slots=True)
class Strata:
    """The difference within blocks (fractions), Sato's variance of it, what each block adds to its error, and
    all counts of either arm, treatment first.

    `weights` are each block's share of the information; they and the residuals are in the order of the
    blocks. `telling` are the counts of the blocks that have both events and non-events, which alone have a
    variance, and `usual` those of all but the blocks in which every request was an event, as in an outage of
    both arms; None where there is no such block.
    """

    estimate: float
    variance: float
    residuals: tuple[float, ...]
    weights: tuple[float, ...]
    arms: tuple[Counts, Counts]
    telling: tuple[Counts, Counts] | None
    usual: tuple[Counts, Counts] | None

    @property
    def has_few_events(self) -> bool:
        """Whether the normal approximation does not hold: the blocks that have a variance have fewer than 40
        requests, 5 events or 5 non-events in an arm.
        """
        return self.telling is None or any(is_too_few(arm) for arm in self.telling)


def strata(treatment_blocks: Sequence[Counts], control_blocks: Sequence[Counts]) -> Strata:
    """The blocks' differences weighted by n1 n2 / (n1 + n2) (Cochran 1954, Biometrics 10:417; Greenland &
    Robins 1985, Biometrics 41:55).

    The variance is Sato's, for many sparse blocks as for few large ones (Sato 1989, Biometrics 45:1323).
    ValueError for no blocks, or not as many of both.
    """
    if not treatment_blocks or len(treatment_blocks) != len(control_blocks):
        raise ValueError(
            f"there are {len(treatment_blocks)} blocks of the treatment and "
            f"{len(control_blocks)} of "
            "the control; give as many of both, one at least"
        )
    pairs = tuple(zip(treatment_blocks, control_blocks, strict=True))
    raw = [ours.n * theirs.n / (ours.n + theirs.n) for ours, theirs in pairs]
    whole = math.fsum(raw)
    weights = tuple(weight / whole for weight in raw)
    differences = [ours.proportion - theirs.proportion for ours, theirs in pairs]
    estimate = math.fsum(weight * each for weight, each in zip(weights, differences, strict=True))
    variance = max(0.0, math.fsum(_sato(ours, theirs, estimate) for ours, theirs in pairs) / (whole * whole))
    residuals = tuple(weight * (each - estimate) for weight, each in zip(weights, differences, strict=True))
    usual = [pair for pair in pairs if _events(pair) < _trials(pair)]
    telling = [pair for pair in usual if _events(pair)]
    return Strata(
        estimate,
        variance,
        residuals,
        weights,
        (together(treatment_blocks), together(control_blocks)),
        _arms(telling),
        _arms(usual),
    )


def stratified_difference(
    treatment_blocks: Sequence[Counts], control_blocks: Sequence[Counts], confidence: float = 0.95
) -> Comparison:
    """Treatment minus control within blocks, with a normal interval and p from Sato's variance, for one look.

    Below 40 requests, 5 events or 5 non-events in an arm the interval also holds that of all requests
    together (`difference`), which stands at small counts. ValueError as in `strata`, and unless 0 <
    confidence < 1.
    """
    found = strata(treatment_blocks, control_blocks)
    return fixed_of(found, confidence, found.variance)


def fixed_of(found: Strata, confidence: float, variance: float) -> Comparison:
    """The normal interval of a stratified difference with that variance, which is Sato's or more, for one
    look; with few events as `stratified_difference`.
    """
    ours, theirs = found.arms
    z, spread = normal_quantile(confidence), math.sqrt(variance)
    p_value = math.erfc(abs(found.estimate) / spread / math.sqrt(2)) if spread > 0 else 1.0
    normal = Comparison(
        found.estimate,
        found.estimate - z * spread,
        found.estimate + z * spread,
        p_value,
        "stratified by time, Sato's variance",
        ours.n,
        theirs.n,
    )
    if not found.has_few_events:
        return _within_bounds(normal)
    exact = (
        Comparison(0.0, -1.0, 1.0, 1.0, "nothing but events", ours.n, theirs.n)
        if found.usual is None
        else difference(*found.usual, confidence)
    )
    return _wider(normal, exact, 1 - confidence)


def stratified_sequence(
    treatment_blocks: Sequence[Counts], control_blocks: Sequence[Counts], planned_n: int, alpha: float = 0.05
) -> Comparison:
    """Treatment minus control within blocks, with an interval that holds at every look and where requests
    depend on each other beyond a block.

    The asymptotic confidence sequence (`confidence_sequence`) with the long-run variance; before 8 blocks
    Sato's, widened by the overdispersion of the blocks. Where an arm has fewer than 5 events or non-events
    the limits also hold the exact sequences of both arms, with n over the ratio of the two variances.
    ValueError as in `strata`, and for planned_n or alpha out of range.
    """
    found = strata(treatment_blocks, control_blocks)
    return sequence_of(found, planned_n, alpha, long_run_of(found, treatment_blocks, control_blocks))


def sequence_of(found: Strata, planned_n: int, alpha: float, variance: float) -> Comparison:
    """The always-valid interval of a stratified difference with that variance, which is Sato's or more."""
    ours, theirs = found.arms
    spread = math.sqrt(variance)
    half, p_value = normal_sequence(found.estimate, spread, ours.n + theirs.n, planned_n, alpha)
    method = "asymptotic confidence sequence, stratified by time"
    normal = Comparison(
        found.estimate, found.estimate - half, found.estimate + half, p_value, method, ours.n, theirs.n
    )
    if not found.has_few_events:
        return _within_bounds(normal)
    if found.usual is None:
        return Comparison(found.estimate, -1.0, 1.0, 1.0, "nothing but events", ours.n, theirs.n)
    ratio = variance / found.variance if found.variance > 0 else 1.0
    return _wider(normal, difference_so_far(*found.usual, planned_n, alpha, max(1.0, ratio)), alpha)


def _wider(normal: Comparison, exact: Comparison, alpha: float) -> Comparison:
    """Limits around both, with the greater p: exact ones of all requests hold at few events but know no time,
    normal ones within time need more events.

    The p is not below alpha where the limits hold 0.
    """
    low, high = (
        min(normal.low, exact.low, normal.estimate or 0.0),
        max(normal.high, exact.high, normal.estimate or 0.0),
    )
    p_value = max(normal.p_value, exact.p_value, alpha if low <= 0 <= high else 0.0)
    return _within_bounds(
        Comparison(
            normal.estimate,
            low,
            high,
            p_value,
            f"{exact.method}, and within time",
            normal.n_treatment,
            normal.n_control,
        )
    )


def _within_bounds(found: Comparison) -> Comparison:
    return replace(found, low=max(-1.0, found.low), high=min(1.0, found.high))


def together(blocks: Sequence[Counts]) -> Counts:
    """All that the blocks count."""
    return Counts(sum(each.events for each in blocks), sum(each.n for each in blocks))


def long_run_of(found: Strata, treatment_blocks: Sequence[Counts], control_blocks: Sequence[Counts]) -> float:
    """The variance of the difference where blocks depend on each other, Sato's at least; before 8 blocks
    Sato's times the overdispersion of the blocks.
    """
    if len(found.residuals) >= FEWEST_BLOCKS:
        return long_run_variance(found.residuals, found.variance)
    blocks = ([(each.events, each.n) for each in arm] for arm in (treatment_blocks, control_blocks))
    return found.variance * max(1.0, overdispersion([*blocks]))


def harm_variance(
    found: Strata,
    treatment_blocks: Sequence[Counts],
    control_blocks: Sequence[Counts],
    ends: Sequence[float],
    at_seconds: float,
) -> float:
    """The variance by which harm is judged: it sees fewer scales than that of `long_run_of`, and none that
    only the last three days tell of.

    A harm that begins late is, to a variance that sees every scale, one long incident, and would be found
    after weeks or never. How long incidents last is therefore learned from blocks that are older, as soon as
    there are three days of them, beside how much single blocks differ. `ends` are when the blocks end (unix
    seconds).
    """
    if len(found.residuals) < FEWEST_BLOCKS:
        return long_run_of(found, treatment_blocks, control_blocks)
    fewest = (
        _FEWEST_BATCHES_FOR_HARM if len(found.residuals) >= _YOUNG_BLOCKS else _FEWEST_BATCHES_OF_THE_YOUNG
    )
    every = long_run_variance(found.residuals, found.variance, fewest)
    settled = [end for end in ends if end <= at_seconds - _UNSETTLED_SECONDS]
    if not settled or settled[-1] - settled[0] < _SETTLED_SECONDS:
        return every
    return min(
        every,
        max(
            found.variance,
            batch_variance(found.residuals, len(found.residuals)),
            _of_first(found, len(settled)),
        ),
    )


def _of_first(found: Strata, blocks: int) -> float:
    """The long-run variance as the first blocks alone tell it, for the difference of all."""
    residuals, weights = found.residuals[:blocks], found.weights[:blocks]
    share = math.fsum(weights)
    shift = math.fsum(residuals) / share  # of their own difference from that of all
    own = [(each - weight * shift) / share for each, weight in zip(residuals, weights, strict=True)]
    return share * long_run_variance(own, 0.0, _FEWEST_BATCHES_FOR_HARM)


Pair = tuple[Counts, Counts]


def _events(pair: Pair) -> int:
    return pair[0].events + pair[1].events


def _trials(pair: Pair) -> int:
    return pair[0].n + pair[1].n


def _arms(pairs: Sequence[Pair]) -> Pair | None:
    return (
        (together([ours for ours, _ in pairs]), together([theirs for _, theirs in pairs])) if pairs else None
    )


def _sato(ours: Counts, theirs: Counts, estimate: float) -> float:
    """What a pair of blocks adds to the numerator of Sato's variance."""
    n1, n2, x1, x2 = theirs.n, ours.n, theirs.events, ours.events
    n = n1 + n2
    p = (n2 * n2 * x1 - n1 * n1 * x2 + n1 * n2 * (n1 - n2) / 2) / (n * n)
    q = (x2 * (n1 - x1) + x1 * (n2 - x2)) / (2 * n)
    return estimate * p + q
