"""Simulated traffic splits: how often a fair one turns red, and when a wrong one is found, where users stay with their variant for some time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarks.truth.worlds import BLOCK_SECONDS, BLOCKS, BLOCKS_A_DAY, REQUESTS_A_DAY, Numbers, Random
from live_dashboards.analysis.verdict.split import Segment, judged
from live_dashboards.model.judgement import SplitTest

_HOUR_BLOCKS = 3600 // BLOCK_SECONDS
_SHARES = (0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Staying:
    """Users of which so many are there at once, each of whom stays with a variant for some hours; none: requests are independent, or come in sessions."""

    name: str
    users: int = 0
    hours: float = 0.0
    session: int = 1
    told_hours: float = 0.0


WORLDS = (
    Staying("independent requests"),
    Staying("sessions of 20 requests", session=20),
    Staying("400 users who stay 2 h", users=400, hours=2),
    Staying("400 users who stay 24 h", users=400, hours=24),
    Staying("400 users who stay 24 h, AB_STICKY_FOR=24h", users=400, hours=24, told_hours=24),
    Staying("4,000 users who stay 24 h, AB_STICKY_FOR=24h", users=4000, hours=24, told_hours=24),
)


def requests(random: Random, world: Staying, share: float) -> Numbers:
    """Requests of both arms in blocks of five minutes; the challenger's share is that of the users or sessions."""
    n = np.maximum(1, random.poisson(REQUESTS_A_DAY / BLOCKS_A_DAY, BLOCKS))
    if not world.users:
        sessions = np.maximum(1, n // world.session)
        part = random.binomial(sessions, share) * world.session
        return np.stack([sessions * world.session - part, part])
    stay = round(world.hours * _HOUR_BLOCKS)
    phases = random.integers(0, stay, world.users)
    arms = random.random((world.users, BLOCKS // stay + 2)) < share
    sums = np.empty(BLOCKS)
    for block in range(BLOCKS):
        sums[block] = arms[np.arange(world.users), (block + phases) // stay].mean()
    part = random.binomial(n, sums)
    return np.stack([n - part, part])


def hours_until_red(counts: Numbers, world: Staying, *, every_hours: int = 4) -> float:
    """At which look, one every so many hours, the split is red; infinite where it never is."""
    for hours in range(every_hours, BLOCKS // _HOUR_BLOCKS + 1, every_hours):
        block = hours * _HOUR_BLOCKS
        length = 1 if hours <= 16 else 3 if hours <= 48 else _HOUR_BLOCKS
        sums = np.add.reduceat(counts[:, :block], np.arange(0, block, length), axis=1)
        blocks = tuple((int(control), int(treatment)) for control, treatment in sums.T)
        segment = Segment(None, blocks, hours * 3600.0, (int(sums[0].sum()), int(sums[1].sum())), _SHARES)
        if judged(SplitTest(None, ""), (segment,), world.told_hours * 3600).flag == "red":
            return float(hours)
    return math.inf
