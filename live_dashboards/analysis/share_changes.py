"""When the traffic split was changed, as the counts show it: such a step excuses nothing, but the block that
it lies in compares two splits at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

from live_dashboards.analysis.statistics.stratified import (
    FEWEST_BATCHES,
    batch_variance,
    local_overdispersion,
    long_run_variance,
    usual_overdispersion,
)

_SURE_CHI_SQUARE = 30.0  # p 4e-8: hundreds of moments are looked at
_OUT_OF_PLACE_Z = 2.5
_MOST_CHANGES = 40
_TEST_CONFIDENCE = 0.999  # of the split test, which is red at p < 0.001
_FEWEST_BATCHES = 6  # with four, 51 for 49 is found later than in 85 hours
# fewer tell nothing of sessions, of which each request may go with dozens
_FEWEST_BLOCKS, _UNKNOWN_CLUSTERS = 10, 30.0

Block = tuple[int, int]
"""Requests of the treatment, and of both arms."""


@dataclass(frozen=True, slots=True)
class ShareChange:
    """The block with which another split begins, and the treatment's share before and from then on, up to the
    next changes.
    """

    block: int
    before: float
    after: float


def share_changes(blocks: Sequence[Block]) -> tuple[ShareChange, ...]:
    """The steps of the treatment's share, in the order of time; blocks have requests each.

    By binary segmentation with Pearson's chi-square of two by two counts, over how much neighbouring blocks
    differ anyway (Scott & Knott 1974, Biometrics 30:507; Vostrikova 1981, Sov. Math. Dokl. 24:55). At most
    40: a share that drifts has no steps.
    """
    return _share_changes(tuple(blocks))


# a page asks for the same requests several times: for each comparison, for its words, and for the money
@lru_cache(maxsize=8)
def _share_changes(blocks: tuple[Block, ...]) -> tuple[ShareChange, ...]:
    sums = [(0, 0), *accumulate(blocks, lambda one, other: (one[0] + other[0], one[1] + other[1]))]
    clusters = usual_overdispersion([*blocks]) if len(blocks) > _FEWEST_BLOCKS else _UNKNOWN_CLUSTERS
    edges, open_spans = {0, len(blocks)}, [(0, len(blocks))]
    while open_spans and len(edges) < _MOST_CHANGES + 2:
        begin, end = open_spans.pop(0)
        where = _best_split(sums, begin, end, clusters)
        if where is not None:
            edges.add(where)
            open_spans += [(begin, where), (where, end)]
    shares = [(begin, _share(sums, begin, end)) for begin, end in pairwise(sorted(edges))]
    return tuple(ShareChange(block, before, after) for (_, before), (block, after) in pairwise(shares))


def share_overdispersion(blocks: Sequence[Block], stay_blocks: float = 0.0) -> float:
    """How many independent requests tell as much of a share as one of these, 1 at least: users who stay with
    their variant for hours are routed together.

    The long-run variance of the share over its binomial one (see `long_run_variance`), around the share of
    each span between steps, so that a split that was changed does not pass for users who stay; and how much
    neighbouring blocks differ, which is known sooner. Where users are told to stay for so many blocks, also
    by batches of two stays, at the confidence of the split test, if there are four of them.
    """
    edges = [0, *(change.block for change in share_changes(blocks)), len(blocks)]
    residuals, least = _residuals(blocks, edges)
    local = local_overdispersion([*blocks])
    if least <= 0:
        return local
    staying = _of_stays(blocks, stay_blocks) if stay_blocks > 0 else 1.0
    return max(local, long_run_variance(residuals, least, _FEWEST_BATCHES) / least, staying)


def _residuals(blocks: Sequence[Block], edges: Sequence[int]) -> tuple[list[float], float]:
    """What each block adds to the error of the share, around that of its span, and the share's binomial
    variance.
    """
    n, least, residuals = sum(block[1] for block in blocks), 0.0, list[float]()
    for begin, end in pairwise(edges):
        span = blocks[begin:end]
        trials = sum(block[1] for block in span)
        share = sum(block[0] for block in span) / trials if trials else 0.0
        residuals += [(part - size * share) / n for part, size in span] if n else []
        least += trials * share * (1 - share) / (n * n) if n else 0.0
    return residuals, least


def _of_stays(blocks: Sequence[Block], stay_blocks: float) -> float:
    """The same by batches of two stays, around the share of all: what users who stay do in half a test looks
    like steps of the split. 1 below four batches.
    """
    batches = int(len(blocks) / (2 * stay_blocks))
    if batches < FEWEST_BATCHES:
        return 1.0
    residuals, least = _residuals(blocks, (0, len(blocks)))
    return batch_variance(residuals, batches, _TEST_CONFIDENCE) / least if least > 0 else 1.0


def blocks_of_one_split(blocks: Sequence[Block], changes: Sequence[ShareChange]) -> tuple[range, ...]:
    """The spans between the changes, without a block at their ends that surely is of another split than the
    rest: a step lies in it.
    """
    edges = [0, *(change.block for change in changes), len(blocks)]
    return tuple(
        span for span in (_without_ends(blocks, begin, end) for begin, end in pairwise(edges)) if span
    )


def _without_ends(blocks: Sequence[Block], begin: int, end: int) -> range:
    if begin > 0 and _is_out_of_place(blocks, begin, range(begin + 1, end)):
        begin += 1
    if end < len(blocks) and _is_out_of_place(blocks, end - 1, range(begin, end - 1)):
        end -= 1
    return range(begin, end)


def _is_out_of_place(blocks: Sequence[Block], block: int, others: range) -> bool:
    """Whether a block's share is another one than that of the blocks beside it; one that has none beside it
    is a step of its own.
    """
    rest = sum(blocks[each][0] for each in others), sum(blocks[each][1] for each in others)
    return not rest[1] or _chi_square(blocks[block], rest) > _OUT_OF_PLACE_Z**2


def _best_split(sums: Sequence[Block], begin: int, end: int, clusters: float) -> int | None:
    """Where two parts of a span differ most in their shares, by (x' - n' x / n)² / (n' (n - n')) of the first
    n' requests; None where that is not sure.
    """
    (part0, n0), (part1, n1) = sums[begin], sums[end]
    part, n = part1 - part0, n1 - n0
    if not 0 < part < n:
        return None
    share, most, found = part / n, 0.0, begin
    for where in range(begin + 1, end):
        reached, before = sums[where][0] - part0, sums[where][1] - n0
        off = reached - before * share
        square = off * off / (before * (n - before))
        if square > most:
            most, found = square, where
    return found if most * n / (share * (1 - share)) > _SURE_CHI_SQUARE * clusters else None


def _chi_square(one: Block, other: Block) -> float:
    """Pearson's, of the shares of two counts; 0 where one has no spread to tell."""
    n, part = one[1] + other[1], one[0] + other[0]
    if not one[1] or not other[1] or not 0 < part < n:
        return 0.0
    p = part / n
    return (one[0] / one[1] - other[0] / other[1]) ** 2 / (p * (1 - p) * (1 / one[1] + 1 / other[1]))


def _share(sums: Sequence[Block], begin: int, end: int) -> float:
    return (sums[end][0] - sums[begin][0]) / max(1, sums[end][1] - sums[begin][1])
