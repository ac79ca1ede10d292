"""Exact tests by summing a discrete distribution, for counts too small for a normal approximation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate

from live_dashboards.analysis.counts import Counts

_TIE = 1e-7  # log probabilities nearer than this are equal: they differ in their last digits only


def fisher_exact(treatment: Counts, control: Counts) -> float:
    """Two-sided p: the sum over all tables with these margins that are no likelier than the observed one
    (Fisher 1935).

    It visits every such table, so it is for few events or a small arm; each is built from its neighbour, for
    logs of factorials of 1e9 would lose ties.
    """
    events = treatment.events + control.events
    smallest, largest = max(0, events - control.n), min(events, treatment.n)
    steps = _log_steps(range(smallest, largest), events, treatment.n, control.n)
    logs = list(accumulate(steps, initial=0.0))
    return _no_likelier(logs, logs[treatment.events - smallest])


def binomial_test(counts: Counts, share: float) -> float:
    """Two-sided p of a proportion that should be `share` (above 0, below 1): the sum over all outcomes no
    likelier than the observed one.

    It visits all n + 1 outcomes, so it is for small n.
    """
    n, odds = counts.n, math.log(share) - math.log1p(-share)
    logs = list(accumulate((odds + math.log((n - x) / (x + 1)) for x in range(n)), initial=0.0))
    return _no_likelier(logs, logs[counts.events])


def _log_steps(values: range, events: int, n_treatment: int, n_control: int) -> Iterator[float]:
    """Log of the hypergeometric probability at x + 1 over that at x, for x events in the treatment."""
    for x in values:
        yield math.log((events - x) * (n_treatment - x)) - math.log((x + 1) * (n_control - events + x + 1))


def _no_likelier(logs: list[float], observed: float) -> float:
    """The share of probability, from unnormalised logs, on outcomes no likelier than the observed one."""
    top = max(logs)
    weights = [(math.exp(log - top), log <= observed + _TIE) for log in logs]
    return min(
        1.0,
        math.fsum(weight for weight, counted in weights if counted)
        / math.fsum(weight for weight, _ in weights),
    )
