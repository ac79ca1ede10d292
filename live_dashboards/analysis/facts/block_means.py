"""How sure a mean latency is: neither its total nor its buckets hold a variance, but the blocks of the window
do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from live_dashboards.model.snapshot import PrometheusAnswer

FEWEST_BLOCKS = 20  # below, a normal interval from so few blocks would be too narrow
Blocks = Mapping[float, tuple[float, float]]
"""By the block's end (unix seconds): what was added up in it, and over how many."""


@dataclass(frozen=True, slots=True)
class StandardError:
    """Of a mean, in the unit of the sums; None where there are too few blocks, for the reason."""

    value: float | None
    blocks: int
    reason: str = ""


def latency_blocks(answer: PrometheusAnswer, variant_of: Callable[[str], str | None], variant: str) -> Blocks:
    """Milliseconds and requests of a variant by block, over all models that are this variant; blocks without
    a request are left out.
    """
    seconds, counts = (
        _by_block(answer, name, variant_of, variant) for name in ("latency_sum", "latency_count")
    )
    return {end: (1000 * seconds[end], counts[end]) for end in sorted(seconds) if counts.get(end, 0.0) > 0}


def _by_block(
    answer: PrometheusAnswer, name: str, variant_of: Callable[[str], str | None], variant: str
) -> dict[float, float]:
    sums: dict[float, float] = {}
    for series in answer.block(name).series:
        if variant_of(series.label("model_name")) == variant:
            for end, value in series.points:
                if value is not None:
                    sums[end] = sums.get(end, 0.0) + value
    return sums


def mean_standard_error(blocks: Blocks) -> StandardError:
    """Of a ratio of sums over blocks (Cochran 1977, Sampling Techniques, 6.4)."""
    return _standard_error(_residuals(blocks))


def _residuals(blocks: Blocks) -> dict[float, float]:
    """What each block adds to the error of the ratio: (sum - ratio x count) / all counts."""
    total, count = (
        math.fsum(added for added, _ in blocks.values()),
        math.fsum(each for _, each in blocks.values()),
    )
    return {end: (added - total / count * each) / count for end, (added, each) in blocks.items()}


def _standard_error(residuals: Mapping[float, float]) -> StandardError:
    """From the residuals' sum of squares, widened where neighbouring blocks go together.

    With a lag-1 correlation r above 2/√T the effective number of blocks is T(1-r)/(1+r) (Bayley & Hammersley
    1946, J. R. Stat. Soc. 8:184).
    """
    blocks = len(residuals)
    if blocks < FEWEST_BLOCKS:
        return StandardError(
            None,
            blocks,
            f"the window holds {blocks} blocks with requests, and "
            f"{FEWEST_BLOCKS} are needed: choose a longer window",
        )
    squares = math.fsum(each * each for each in residuals.values())
    together = math.fsum(one * other for one, other in pairwise(residuals.values()))
    correlation = together / squares if squares > 0 else 0.0
    widening = (1 + correlation) / (1 - correlation) if 2 / math.sqrt(blocks) < correlation < 1 else 1.0
    return StandardError(math.sqrt(blocks / (blocks - 1) * squares * widening), blocks)
