"""Differences within blocks of time, and how far counts of blocks scatter: overdispersion and the long-run
variance of what depends on its past.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any, TypeAlias

from live_dashboards.analysis.statistics.proportions import Comparison, Counts, difference, normal_quantile
from live_dashboards.analysis.statistics.sequential import difference_so_far, is_too_few, normal_sequence
from live_dashboards.analysis.statistics.special import student_t_quantile

if TYPE_CHECKING:
    import numpy as np

    FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
    IntArray: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

_FEWEST_PAIRS = 10
_MEDIAN_CHI_SQUARE = 0.4549  # of one degree of freedom

_FEWEST_EVENTS, _FEWEST_TRIALS = 5, 40

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


def local_overdispersion(blocks: Sequence[tuple[int, int]] | IntArray) -> float:
    """How much more the share of (part, n) differs between neighbouring blocks than independent requests
    would make it; 1 at least.

    From squared successive differences (von Neumann, Kent, Bellinson & Hart 1941, Ann. Math. Stat. 12:153),
    so that a plan that was changed once does not pass for clustering, as it would in Pearson's statistic. 1
    with fewer than 10 pairs of blocks.
    """
    squares = _successive_squares(blocks)
    return max(1.0, float(squares.mean())) if len(squares) >= _FEWEST_PAIRS else 1.0


def usual_overdispersion(blocks: Sequence[tuple[int, int]] | IntArray) -> float:
    """The same of the usual pair of neighbours, by the median of the squares: steps of the share, of which
    there may be one a day, are no clustering at all.
    """
    import numpy as np

    squares = _successive_squares(blocks)
    return max(1.0, float(np.median(squares)) / _MEDIAN_CHI_SQUARE) if len(squares) >= _FEWEST_PAIRS else 1.0


def _successive_squares(blocks: Sequence[tuple[int, int]] | IntArray) -> FloatArray:
    """Squared differences of neighbouring shares over what independent requests would make them, of
    neighbours that both have requests.
    """
    import numpy as np

    parts, n = np.asarray(blocks, dtype=float).reshape(-1, 2).T
    if not 0 < parts.sum() < n.sum():
        return np.zeros(0)
    p = parts.sum() / n.sum()
    told = (n[1:] > 0) & (n[:-1] > 0)
    (one, n_one), (other, n_other) = (
        (part[told], size[told]) for part, size in ((parts[:-1], n[:-1]), (parts[1:], n[1:]))
    )
    found: FloatArray = (one / n_one - other / n_other) ** 2 / (p * (1 - p) * (1 / n_one + 1 / n_other))
    return found


def _checked(events: int, n: int) -> int:
    if not 0 <= events <= n:
        raise ValueError(f"increments hold {events} events of {n} trials; events must be from 0 to n")
    return events


def long_run_variance(
    residuals: Sequence[float] | FloatArray, least: float, fewest_batches: int = FEWEST_BATCHES
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
    sums = _sums_so_far(residuals)
    return max(least, *(_batch_variance(sums, batches, _CONFIDENCE) for batches in numbers))


def batch_variance(residuals: Sequence[float], batches: int, confidence: float = _CONFIDENCE) -> float:
    """The variance of the sum of the residuals from so many batches of neighbouring ones, as equal in length
    as can be, widened for limits at that confidence.
    """
    return _batch_variance(_sums_so_far(residuals), batches, confidence)


def _sums_so_far(residuals: Sequence[float] | FloatArray) -> FloatArray:
    """0, and the sums of the first, the first two and so on of the residuals."""
    import numpy as np

    return np.concatenate(([0.0], np.cumsum(np.asarray(residuals, dtype=float))))


def _batch_variance(sums: FloatArray, batches: int, confidence: float) -> float:
    import numpy as np

    edges = np.arange(batches + 1) * (len(sums) - 1) // batches
    of_batches = np.diff(sums[edges])
    return batches / (batches - 1) * float(of_batches @ of_batches) * _widening(batches, confidence)


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
    both arms; None where there is no such block. `overdispersion` is that of the blocks where they are too
    few for a long-run variance, else 1.
    """

    estimate: float
    variance: float
    residuals: tuple[float, ...]
    weights: tuple[float, ...]
    arms: tuple[Counts, Counts]
    telling: tuple[Counts, Counts] | None
    usual: tuple[Counts, Counts] | None
    information: float
    overdispersion: float = 1.0

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
    import numpy as np

    return strata_of(np.array(_arrays(treatment_blocks, control_blocks)))


def strata_of(counts: IntArray) -> Strata:
    """The same of arrays of equal length: events and trials of the treatment, then those of the control."""
    x2, n2, x1, n1 = counts
    raw, differences = n1 * n2 / (n1 + n2), x2 / n2 - x1 / n1
    whole = math.fsum(raw)
    weights = raw / whole
    estimate = math.fsum(weights * differences)
    p, q = _sato_parts(x2, n2, x1, n1)
    variance = max(0.0, math.fsum(estimate * p + q) / (whole * whole))
    usual = x1 + x2 < n1 + n2
    telling = usual & (x1 + x2 > 0)
    return Strata(
        estimate,
        variance,
        tuple((weights * (differences - estimate)).tolist()),
        tuple(weights.tolist()),
        (Counts(int(x2.sum()), int(n2.sum())), Counts(int(x1.sum()), int(n1.sum()))),
        _arms(*counts[:, telling]),
        _arms(*counts[:, usual]),
        whole,
        1.0 if len(n1) >= FEWEST_BLOCKS else overdispersion([counts[:2].T.tolist(), counts[2:].T.tolist()]),
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
    return sequence_of(found, planned_n, alpha, long_run_of(found))


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


def long_run_of(found: Strata) -> float:
    """The variance of the difference where blocks depend on each other, Sato's at least; before 8 blocks
    Sato's times the overdispersion of the blocks.
    """
    if len(found.residuals) >= FEWEST_BLOCKS:
        return long_run_variance(found.residuals, found.variance)
    return found.variance * max(1.0, found.overdispersion)


def harm_variance(found: Strata, ends: Sequence[float] | FloatArray, at_seconds: float) -> float:
    """The variance by which harm is judged (see `variance_for_harm`); before 8 blocks that of
    `long_run_of`.
    """
    if len(found.residuals) < FEWEST_BLOCKS:
        return long_run_of(found)
    return variance_for_harm(found.residuals, found.weights, found.variance, ends, at_seconds)


def variance_for_harm(
    residuals: Sequence[float],
    weights: Sequence[float],
    least: float,
    ends: Sequence[float] | FloatArray,
    at_seconds: float,
) -> float:
    """A long-run variance, `least` at least, that sees fewer scales than `long_run_variance`, and none that
    only the last three days tell of.

    A harm that begins late is, to a variance that sees every scale, one long incident, and would be found
    after weeks or never. How long incidents last is therefore learned from blocks that are older, as soon as
    there are three days of them, beside how much single blocks differ. `residuals` and `weights` are those of
    8 blocks or more, `ends` when these end (unix seconds).
    """
    fewest = _FEWEST_BATCHES_FOR_HARM if len(residuals) >= _YOUNG_BLOCKS else _FEWEST_BATCHES_OF_THE_YOUNG
    every = long_run_variance(residuals, least, fewest)
    settled = bisect_right(ends, at_seconds - _UNSETTLED_SECONDS)
    if not settled or ends[settled - 1] - ends[0] < _SETTLED_SECONDS:
        return every
    single = batch_variance(residuals, len(residuals))
    return min(every, max(least, single, _of_first(residuals, weights, settled)))


def _of_first(of_blocks: Sequence[float], of_weights: Sequence[float], blocks: int) -> float:
    """The long-run variance as the first blocks alone tell it, for the difference of all."""
    import numpy as np

    residuals, weights = (np.array(each[:blocks]) for each in (of_blocks, of_weights))
    share = math.fsum(weights)
    own = (residuals - weights * (math.fsum(residuals) / share)) / share  # around their own difference
    return share * long_run_variance(own, 0.0, _FEWEST_BATCHES_FOR_HARM)


def cut_scores(counts: IntArray) -> FloatArray:
    """For each cut between two blocks, the difference before it minus that after it, over its standard error
    by Sato's variance; 0 where a side has no variance, or fewer than 40 requests in an arm or 5 events.

    `counts` as those of `strata_of`; one fewer than there are blocks.
    """
    import numpy as np

    x2, n2, x1, n1 = counts
    weights = n1 * n2 / (n1 + n2)
    parts = np.array([weights, weights * (x2 / n2 - x1 / n1), *_sato_parts(x2, n2, x1, n1), x1 + x2, n2, n1])
    before = parts.cumsum(axis=1)[:, :-1]
    after = parts.sum(axis=1, keepdims=True) - before
    (first, spread1), (second, spread2) = (_estimates(each) for each in (before, after))
    spread = np.where((spread1 > 0) & (spread2 > 0), spread1 + spread2, np.inf)
    found: FloatArray = (first - second) / np.sqrt(spread)
    return found


def _estimates(sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Differences and Sato's variances of neighbouring blocks that are added up; 0 where the counts tell of
    none.
    """
    import numpy as np

    weight, difference, p, q, events, n2, n1 = sums
    estimate = difference / weight
    variance = (estimate * p + q) / (weight * weight)
    has_enough = (events >= _FEWEST_EVENTS) & (np.minimum(n1, n2) >= _FEWEST_TRIALS)
    return estimate, np.where(has_enough, np.maximum(variance, 0.0), 0.0)


def _arrays(
    treatment_blocks: Sequence[Counts], control_blocks: Sequence[Counts]
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Events and trials of the treatment by block, then those of the control."""
    import numpy as np

    if not treatment_blocks or len(treatment_blocks) != len(control_blocks):
        raise ValueError(
            f"there are {len(treatment_blocks)} blocks of the treatment and "
            f"{len(control_blocks)} of "
            "the control; give as many of both, one at least"
        )
    x2, n2, x1, n1 = (
        np.array([getattr(each, name) for each in arm])
        for arm in (treatment_blocks, control_blocks)
        for name in ("events", "n")
    )
    return x2, n2, x1, n1


Pair = tuple[Counts, Counts]


def _arms(x2: IntArray, n2: IntArray, x1: IntArray, n1: IntArray) -> Pair | None:
    if not len(n2):
        return None
    return Counts(int(x2.sum()), int(n2.sum())), Counts(int(x1.sum()), int(n1.sum()))


def _sato_parts(x2: IntArray, n2: IntArray, x1: IntArray, n1: IntArray) -> tuple[FloatArray, FloatArray]:
    """What pairs of blocks add to the numerator of Sato's variance: the first times the estimate, and the
    second.
    """
    n = n1 + n2
    p = (n2 * n2 * x1 - n1 * n1 * x2 + n1 * n2 * (n1 - n2) / 2) / (n * n)
    q = (x2 * (n1 - x1) + x1 * (n2 - x2)) / (2 * n)
    return p, q
