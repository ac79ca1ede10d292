"""Whether events come in clusters: requests of one burst or outage fail together, and each tells less than an
independent one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

_FEWEST_PAIRS = 10
_MEDIAN_CHI_SQUARE = 0.4549  # of one degree of freedom


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
