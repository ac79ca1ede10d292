"""What carries a harm: the contiguous tenth of the time that adds most to a difference, where that is more
than chance puts there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate, combinations

from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.analysis.statistics.stratified import Strata, strata
from live_dashboards.model.judgement import Carried

_TENTH, _FEWEST_BLOCKS = 0.1, 20
_DRAWS, _QUANTILE, _SEED = 1000, 0.99, 16
_SAME_MOMENT_SECONDS = 1.0

Run = tuple[int, int]
"""The first block of a contiguous stretch, and the one after its last."""


def carried(
    found: Strata,
    treatment: Sequence[Counts],
    control: Sequence[Counts],
    spans: Sequence[tuple[float, float]],
) -> Carried | None:
    """The worst tenth of a harm (a difference above 0); None where a constant difference would show one as
    bad in one test of a hundred or more.

    `spans` are when each block begins and ends (unix seconds). The threshold is drawn: the blocks'
    differences are the same and vary as their counts say.
    """
    if len(spans) < _FEWEST_BLOCKS or found.estimate <= 0:
        return None
    runs = _runs(spans)
    parts = [
        residual + weight * found.estimate
        for residual, weight in zip(found.residuals, found.weights, strict=True)
    ]
    sums = [0.0, *accumulate(parts)]
    first, after = max(runs, key=lambda run: sums[run[1]] - sums[run[0]])
    worst = sums[after] - sums[first]
    if worst <= _by_chance(found, treatment, control, runs):
        return None
    first, after = _core(found, parts, (first, after))
    rest = [*range(first), *range(after, len(spans))]
    without = strata([treatment[block] for block in rest], [control[block] for block in rest]).estimate
    begin, end = (datetime.fromtimestamp(seconds, UTC) for seconds in (spans[first][0], spans[after - 1][1]))
    return Carried(begin, end, 100 * (sums[after] - sums[first]) / found.estimate, 100 * without)


def _core(found: Strata, parts: Sequence[float], run: Run) -> Run:
    """The part of a stretch that stands out most, by what it adds beyond the blocks outside over its root of
    information: an incident is seldom as long as a tenth.
    """
    first, after = run
    weights = found.weights[first:after]
    usual = (found.estimate - math.fsum(parts[first:after])) / (1 - math.fsum(weights))
    beyond = [
        0.0,
        *accumulate(part - weight * usual for part, weight in zip(parts[first:after], weights, strict=True)),
    ]
    informed = [0.0, *accumulate(weights)]
    begin, end = max(
        combinations(range(len(beyond)), 2),
        key=lambda each: (
            (beyond[each[1]] - beyond[each[0]]) / math.sqrt(informed[each[1]] - informed[each[0]])
        ),
    )
    return first + begin, first + end


def _runs(spans: Sequence[tuple[float, float]]) -> list[Run]:
    """Every stretch of blocks that is as long as a tenth of the whole, or as near below it as blocks are."""
    longest = _TENTH * (spans[-1][1] - spans[0][0]) + _SAME_MOMENT_SECONDS
    found, after = [], 0
    for first, (begin, _) in enumerate(spans):
        after = max(after, first + 1)
        while after < len(spans) and spans[after][1] - begin <= longest:
            after += 1
        found.append((first, after))
    return found


def _by_chance(
    found: Strata, treatment: Sequence[Counts], control: Sequence[Counts], runs: Sequence[Run]
) -> float:
    """How much the worst stretch adds to a constant difference in 99 of 100 tests."""
    import numpy as np

    ours, theirs = (
        np.array([[each.events, each.n] for each in arm], dtype=float) for arm in (treatment, control)
    )
    rate = (ours[:, 0] + theirs[:, 0]).sum() / (ours[:, 1] + theirs[:, 1]).sum()
    weights = np.array(found.weights)
    spread = weights * math.sqrt(rate * (1 - rate)) * np.sqrt(1 / ours[:, 1] + 1 / theirs[:, 1])
    drawn = np.random.default_rng(_SEED).standard_normal((_DRAWS, len(weights))) * spread
    # of tests that found the same difference
    drawn += weights * (found.estimate - drawn.sum(axis=1, keepdims=True))
    sums = np.concatenate([np.zeros((_DRAWS, 1)), drawn.cumsum(axis=1)], axis=1)
    edges = np.array(runs)
    return float(np.quantile((sums[:, edges[:, 1]] - sums[:, edges[:, 0]]).max(axis=1), _QUANTILE))
