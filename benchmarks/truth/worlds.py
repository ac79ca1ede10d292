"""Simulated tests: requests and events of both arms in blocks of five minutes, control first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_SECONDS = 300
BLOCKS_A_DAY = 86_400 // BLOCK_SECONDS
DAYS = 30
BLOCKS = DAYS * BLOCKS_A_DAY
REQUESTS_A_DAY = 20_000
_HOUR = BLOCKS_A_DAY // 24
_BASE, _SLOW = 0.008, 0.05

Numbers = NDArray[np.int64]
Rates = NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class World:
    """A name, what makes its event rates (arms by blocks) or its counts, and which claim is false in it."""

    name: str
    counts: Callable[[Random], tuple[Numbers, Numbers]]


def of_rates(name: str, rates: Callable[[Random], Rates]) -> World:
    """Independent requests at these rates."""

    def counts(random: Random) -> tuple[Numbers, Numbers]:
        n = np.maximum(1, random.poisson(REQUESTS_A_DAY / BLOCKS_A_DAY / 2, (2, BLOCKS)))
        return n, random.binomial(n, rates(random))

    return World(name, counts)


def steady(rate: float = _BASE) -> Rates:
    """The same rate in both arms at any time."""
    return np.full((2, BLOCKS), rate)


def incidents(random: Random, *, a_day: float, blocks: int, rate: float) -> Rates:
    """Each arm has incidents of its own, so many a day on average, so many blocks long."""
    rates = steady()
    for arm in range(2):
        for begin in np.nonzero(random.random(BLOCKS) < a_day / BLOCKS_A_DAY)[0]:
            rates[arm, begin : begin + blocks] = rate
    return rates


def drift(random: Random, *, rate: float, hours: float = 24.0, deviation: float = 0.3) -> Rates:
    """Each arm's level goes its own way: an autoregression of the logit, with that time and standard deviation."""
    keep = math.exp(-1 / (hours * _HOUR))
    noise = random.standard_normal((2, BLOCKS)) * math.sqrt(1 - keep * keep) * deviation
    level = np.empty((2, BLOCKS))
    level[:, 0] = random.standard_normal(2) * deviation
    for block in range(1, BLOCKS):
        level[:, block] = keep * level[:, block - 1] + noise[:, block]
    return 1 / (1 + np.exp(-(math.log(rate / (1 - rate)) + level)))


def users(random: Random, *, count: int = 2000, shape: float = 0.3, are_alike: bool = True) -> tuple[Numbers, Numbers]:
    """As many users who stay with their arm, some failing far more often than others (gamma); as active as each other, or some far more active."""
    habit = np.clip(random.gamma(shape, _BASE / shape, count), 0, 1)
    activity = np.ones(count) if are_alike else random.gamma(shape, 1 / shape, count)
    n, x = np.empty((2, BLOCKS), np.int64), np.empty((2, BLOCKS), np.int64)
    for arm in range(2):
        own = slice(arm, count, 2)
        share = activity[own].sum() / activity.sum()
        n[arm] = np.maximum(1, random.poisson(REQUESTS_A_DAY / BLOCKS_A_DAY * share, BLOCKS))
        x[arm] = random.binomial(n[arm], (activity[own] * habit[own]).sum() / activity[own].sum())
    return n, x


def harmed(before: float, after: float, day: float) -> Callable[[Random], Rates]:
    """The challenger's rate steps up on a day."""

    def rates(_: Random) -> Rates:
        found = steady(before)
        found[1, round(day * BLOCKS_A_DAY) :] = after
        return found

    return rates


def cycle(_: Random) -> Rates:
    """Both arms have the same day and night, from a fifth to nine fifths of the mean rate."""
    return steady() * (1 + 0.8 * np.sin(np.arange(BLOCKS) * 2 * math.pi / BLOCKS_A_DAY))


def trend(_: Random) -> Rates:
    """Both arms fall from nine fifths of the mean rate to a fifth within eight days."""
    return steady() * np.linspace(1.8, 1.8 - 1.6 * DAYS / 8, BLOCKS).clip(0.2)


NO_EFFECT = (
    of_rates("independent requests", lambda _: steady()),
    of_rates("bursts of 10 to 15 min", lambda random: incidents(random, a_day=2, blocks=int(random.integers(2, 4)), rate=0.2)),
    of_rates("6-hour incidents in one arm", lambda random: incidents(random, a_day=0.5, blocks=6 * _HOUR, rate=0.03)),
    of_rates("24-hour incidents in one arm", lambda random: incidents(random, a_day=1 / 7, blocks=24 * _HOUR, rate=0.02)),
    of_rates("each arm's level drifts", lambda random: drift(random, rate=_BASE)),
    of_rates("each arm's slow share drifts", lambda random: drift(random, rate=_SLOW)),
    World("2,000 sticky users", users),
    World("2,000 sticky users, a few far more active", lambda random: users(random, are_alike=False)),
)
HARM = (
    (of_rates("1 to 10 % from the start", harmed(0.01, 0.1, 0)), 0.0),
    (of_rates("1 to 10 % from day 8 on", harmed(0.01, 0.1, 8)), 8.0),
    (of_rates("1 to 2 % from day 8 on", harmed(0.01, 0.02, 8)), 8.0),
    (of_rates("0.8 %, +0.25 points", harmed(_BASE, _BASE + 0.0025, 0)), 0.0),
    (of_rates("0.8 %, +0.5 points", harmed(_BASE, _BASE + 0.005, 0)), 0.0),
    (of_rates("0.8 %, +1 point", harmed(_BASE, _BASE + 0.01, 0)), 0.0),
)
WIDTH = (of_rates("a constant rate", lambda _: steady()), of_rates("a daily cycle of both arms", cycle), of_rates("a trend of both arms", trend))
