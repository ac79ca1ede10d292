"""Whether events come in clusters: requests of one burst or outage fail together, and each tells less than an independent one."""

from __future__ import annotations

import math
from collections.abc import Sequence


def overdispersion(increments: Sequence[Sequence[tuple[int, int]]]) -> float:
    """Pearson's phi of per-window (events, n), a sequence for each arm (McCullagh & Nelder 1989, Generalized Linear Models, 4.5).

    1 where events are independent, more where they cluster: intervals use n / max(1, phi). Windows without trials are left out; 1 where no arm has two
    windows with both events and non-events. ValueError where a window has more events than trials, or a negative count.
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


def _checked(events: int, n: int) -> int:
    if not 0 <= events <= n:
        raise ValueError(f"increments hold {events} events of {n} trials; events must be from 0 to n")
    return events
