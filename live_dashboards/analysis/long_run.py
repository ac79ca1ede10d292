"""How sure a mean over time is where neighbouring blocks go together: incidents, sticky users and drifts last
longer than any block.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from live_dashboards.analysis.counts import normal_quantile
from live_dashboards.analysis.special import student_t_quantile

FEWEST_BLOCKS = 8
FEWEST_BATCHES = 4
_CONFIDENCE = 0.95


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
    return max(
        least,
        *(
            batch_variance(residuals, batches)
            for batches in _numbers_of_batches(len(residuals), fewest_batches)
        ),
    )


def batch_variance(residuals: Sequence[float], batches: int, confidence: float = _CONFIDENCE) -> float:
    """The variance of the sum of the residuals from so many batches of neighbouring ones, as equal in length
    as can be, widened for limits at that confidence.
    """
    blocks = len(residuals)
    edges = [index * blocks // batches for index in range(batches + 1)]
    squares = math.fsum(math.fsum(residuals[begin:end]) ** 2 for begin, end in pairwise(edges))
    return batches / (batches - 1) * squares * _widening(batches, confidence)


def _numbers_of_batches(blocks: int, fewest: int) -> Iterator[int]:
    length = 1
    while blocks // length >= fewest:
        yield blocks // length
        length *= 2


@cache
def _widening(batches: int, confidence: float) -> float:
    return (student_t_quantile((1 + confidence) / 2, batches - 1) / normal_quantile(confidence)) ** 2
