"""Differences within blocks of time, and how far counts of blocks scatter: overdispersion and the long-run
variance of what depends on its past.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, pairwise, takewhile
from statistics import median

from live_dashboards.analysis.statistics.proportions import Comparison, Counts, difference, normal_quantile
from live_dashboards.analysis.statistics.sequential import difference_so_far, is_too_few, normal_sequence
from live_dashboards.analysis.statistics.special import student_t_quantile

_FEWEST_PAIRS = 10
_MEDIAN_CHI_SQUARE = 0.4549  # of one degree of freedom

FEWEST_BLOCKS = 8
FEWEST_BATCHES = 4
_CONFIDENCE = 0.95

_FEWEST_BATCHES_FOR_HARM = 5
# two hours: a tenfold rate is to be found within the first
_YOUNG_BLOCKS, _FEWEST_BATCHES_OF_THE_YOUNG = 24, 8
_UNSETTLED_SECONDS = 3 * 86_400.0  # which a late harm has to be found in
_SETTLED_SECONDS = 3 * 86_400.0 - 3600.0  # of blocks that tell how long incidents last


def overdispersion(increments: Sequence[Sequence[tuple[int, int]]]) -> float:
    """Pearson's phi of per-window (events, n), a sequence for each arm (McCullagh & Nelder 1989, Generalized
    Linear Models, 4.5).

    1 where events are independent, more where they cluster: intervals use n / max(1, phi). Windows without
    trials are left out; 1 where no arm has two windows with both events and non-events. ValueError where a
    window has more events than trials, or a negative count.
    """
    squares, freedom = 0.0, 0
    for arm in increments:
        windows = [(_checked(events, n), n) for events, n in arm]
        windows = [(events, n) for events, n in windows if n > 0]
        trials, events = sum(n for _, n in windows), sum(events for events, _ in windows)
        if len(windows) < 2 or not 0 < events < trials:
            continue
        p = events / trials
        squares += math.fsum((x - n * p) ** 2 / (n * p * (1 - p)) for x, n in windows)
        freedom += len(windows) - 1
    return squares / freedom if freedom else 1.0


def local_overdispersion(blocks: list[tuple[int, int]]) -> float:
    """How much more the share of (part, n) differs between neighbouring blocks than independent requests
    would make it; 1 at least.

    From squared successive differences (von Neumann, Kent, Bellinson & Hart 1941, Ann. Math. Stat. 12:153),
    so that a plan that was changed once does not pass for clustering, as it would in Pearson's statistic. 1
    with fewer than 10 pairs of blocks.
    """
    squares = _successive_squares(blocks)
    return max(1.0, sum(squares) / len(squares)) if len(squares) >= _FEWEST_PAIRS else 1.0


def usual_overdispersion(blocks: list[tuple[int, int]]) -> float:
    """The same of the usual pair of neighbours, by the median of the squares: steps of the share, of which
    there may be one a day, are no clustering at all.
    """
    squares = _successive_squares(blocks)
    return max(1.0, median(squares) / _MEDIAN_CHI_SQUARE) if len(squares) >= _FEWEST_PAIRS else 1.0


def _successive_squares(blocks: list[tuple[int, int]]) -> list[float]:
    """Squared differences of neighbouring shares over what independent requests would make them."""
    pairs = [(one, other) for one, other in pairwise(blocks) if one[1] and other[1]]
    n, part = sum(block[1] for block in blocks), sum(block[0] for block in blocks)
    if not 0 < part < n:
        return []
    p = part / n
    return [
        (one[0] / one[1] - other[0] / other[1]) ** 2 / (p * (1 - p) * (1 / one[1] + 1 / other[1]))
        for one, other in pairs
    ]


def _checked(events: int, n: int) -> int:
    if not 0 <= events <= n:
        raise ValueError(f"increments hold {events} events of {n} trials; events must be from 0 to n")
    return events


def long_run_variance(
    residuals: Sequence[float], least: float, fewest_batches: int = FEWEST_BATCHES
) -> float:
    """The largest of `least` and the variances of batch means over batches of 1, 2, 4, ... neighbouring
    blocks, of which there are so many at least.

    `residuals` are what each block, in the order of time, adds to the error of the estimate; they sum to 0.
    Each variance is widened for its degrees of freedom, from the normal to Student's quantile (batch means:
    Flegal & Jones 2010, Ann. Stat. 38:1034; t limits: Lazarus, Lewis, Stock & Watson 2018, J. Bus. Econ.
    Stat. 36:541). Its level was calibrated by simulation (benchmarks/truth). Below 8 blocks it is `least`.
    """
    if len(residuals) < FEWEST_BLOCKS:
        return least
    numbers = takewhile(
        lambda batches: batches >= fewest_batches,
        (len(residuals) // 2**doublings for doublings in count()),
    )
    return max(least, *(batch_variance(residuals, batches) for batches in numbers))


def batch_variance(residuals: Sequence[float], batches: int, confidence: float = _CONFIDENCE) -> float:
    """The variance of the sum of the residuals from so many batches of neighbouring ones, as equal in length
    as can be, widened for limits at that confidence.
    """
    blocks = len(residuals)
    edges = [index * blocks // batches for index in range(batches + 1)]
    squares = math.fsum(math.fsum(residuals[begin:end]) ** 2 for begin, end in pairwise(edges))
    return batches / (batches - 1) * squares * _widening(batches, confidence)


@cache
def _widening(batches: int, confidence: float) -> float:
    return (student_t_quantile((1 + confidence) / 2, batches - 1) / normal_quantile(confidence)) ** 2


@dataclass(frozen=True, slots=True)
class Strata:
    """The difference within blocks (fractions), Sato's variance of it, what each block adds to its error, and
    all counts of either arm, treatment first.

    `information` is n1 n2 / (n1 + n2) added up over the blocks, `weights` each block's share of it; they and
    the residuals are in the order of the blocks. `telling` are the counts of the blocks that have both events
    and non-events, which alone have a
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
    information: float

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
    usual = [(ours, theirs) for ours, theirs in pairs if ours.events + theirs.events < ours.n + theirs.n]
    telling = [(ours, theirs) for ours, theirs in usual if ours.events or theirs.events]
    return Strata(
        estimate,
        variance,
        residuals,
        weights,
        (together(treatment_blocks), together(control_blocks)),
        _arms(telling),
        _arms(usual),
        whole,
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
