"""Simulated tests without any effect, and what the business case says of their money; control first, as everywhere here."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarks.truth.worlds import BLOCK_SECONDS, BLOCKS, BLOCKS_A_DAY, REQUESTS_A_DAY, Numbers, Random, Rates, drift, steady
from live_dashboards.analysis.business.calculator import BusinessMetricsCalculator
from live_dashboards.analysis.business.terms import assumptions
from live_dashboards.analysis.business.traffic import TimedDifference, error_difference, mean_difference
from live_dashboards.analysis.facts.retraining import alpha_of_look
from live_dashboards.analysis.statistics.means import Sums
from live_dashboards.analysis.statistics.proportions import Counts, difference
from live_dashboards.analysis.statistics.stratified import overdispersion
from live_dashboards.model.business_case import BusinessInputs, EffectInput
from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.settings import load_settings

PLANNED = 20_000
_MEAN_MS, _SPREAD_MS, _DRIFT_MS = 50.0, 30.0, 3.0
_ACCURACY, _ROWS = 0.8, 5000
_HOUR_BLOCKS = 3600 // BLOCK_SECONDS
_CALCULATOR = BusinessMetricsCalculator(assumptions(load_settings(environment={})))


@dataclass(frozen=True, slots=True)
class Money:
    """Requests, errors and milliseconds of both arms in blocks of five minutes, and how many rows of each test set were right."""

    n: Numbers
    errors: Numbers
    milliseconds: Rates
    right: tuple[int, int]


def world(random: Random, *, drift_hours: float | None = None) -> Money:
    """Arms that are alike; with drift, the level of errors and of response times of each goes its own way, with that memory in hours."""
    rates = steady() if drift_hours is None else drift(random, rate=0.008, hours=drift_hours)
    n = np.maximum(1, random.poisson(REQUESTS_A_DAY / BLOCKS_A_DAY / 2, (2, BLOCKS)))
    level = _MEAN_MS + (0.0 if drift_hours is None else _wander(random, drift_hours))
    milliseconds = n * level + random.standard_normal((2, BLOCKS)) * np.sqrt(n) * _SPREAD_MS
    return Money(n, random.binomial(n, rates), milliseconds, (int(random.binomial(_ROWS, _ACCURACY)), int(random.binomial(_ROWS, _ACCURACY))))


def _wander(random: Random, hours: float) -> Rates:
    keep = math.exp(-1 / (hours * _HOUR_BLOCKS))
    found = np.empty((2, BLOCKS))
    found[:, 0] = random.standard_normal(2) * _DRIFT_MS
    noise = random.standard_normal((2, BLOCKS)) * math.sqrt(1 - keep * keep) * _DRIFT_MS
    for block in range(1, BLOCKS):
        found[:, block] = keep * found[:, block - 1] + noise[:, block]
    return found


def traffic(money: Money, block: int) -> tuple[TimedDifference, TimedDifference]:
    """Errors and milliseconds, challenger minus baseline, up to a block of five minutes, in the hourly blocks of a page."""
    length = _HOUR_BLOCKS if block > 48 * _HOUR_BLOCKS else 3
    n, errors, milliseconds = (_together(each, block, length) for each in (money.n, money.errors, money.milliseconds))
    counts = [[Counts(int(x), int(count)) for x, count in zip(errors[arm], n[arm], strict=True)] for arm in range(2)]
    sums = [[Sums(float(total), int(count)) for total, count in zip(milliseconds[arm], n[arm], strict=True)] for arm in range(2)]
    slower = mean_difference(sums[1], sums[0], PLANNED)
    assert slower is not None  # noqa: S101 both arms have traffic in each block
    return error_difference(counts[1], counts[0], PLANNED), slower


def _together(values: Rates | Numbers, block: int, length: int) -> Rates:
    return np.add.reduceat(values[:, :block].astype(float), np.arange(0, block, length), axis=1)


def net(money: Money, block: int) -> Interval:
    """The net value's limits as the page has them, in USD a year, with the default amounts."""
    more_errors, slower = traffic(money, block)
    theirs, ours = (Counts(right, _ROWS) for right in money.right)
    limits = [difference(ours, theirs, confidence) for confidence in (1 - alpha_of_look(1, 1), 0.95)]
    accuracy = _effect("accuracy_improvement", "fraction", (limits[0].estimate or 0.0), ((limits[0].low, limits[0].high), (limits[1].low, limits[1].high)))
    day = Measurement("requests_per_day", REQUESTS_A_DAY, "count", Origin.LIVE)
    inputs = BusinessInputs(accuracy, _timed("latency_increase_ms", "ms", slower, 1), _timed("error_rate_improvement", "fraction", more_errors, -1), day)
    found = _CALCULATOR.calculate(inputs).net.interval
    assert found is not None  # noqa: S101 all inputs have limits
    return found


def _timed(name: str, unit: str, timed: TimedDifference, sign: int) -> EffectInput:
    assert timed.always is not None and timed.one_look is not None  # noqa: S101, PT018 asked for from 8 blocks on
    ends = [tuple(sorted(sign * end for end in limits)) for limits in (timed.always, timed.one_look)]
    return _effect(name, unit, sign * timed.estimate, ((ends[0][0], ends[0][1]), (ends[1][0], ends[1][1])), tuple(sign * each for each in timed.residuals))


def _effect(name: str, unit: str, value: float, limits: tuple[tuple[float, float], tuple[float, float]], residuals: tuple[float, ...] = ()) -> EffectInput:
    side = Measurement("side", 0.0, unit, Origin.LIVE)
    return EffectInput(Measurement(name, value, unit, Origin.LIVE, interval=Interval(*limits[0])), side, side, Interval(*limits[1]), residuals)


def traffic_width(money: Money, block: int) -> float:
    """How wide the yearly value of errors and latency alone is, accuracy apart."""
    more_errors, slower = traffic(money, block)
    nothing = _effect("accuracy_improvement", "fraction", 0.0, ((0.0, 0.0), (0.0, 0.0)))
    day = Measurement("requests_per_day", REQUESTS_A_DAY, "count", Origin.LIVE)
    inputs = BusinessInputs(nothing, _timed("latency_increase_ms", "ms", slower, 1), _timed("error_rate_improvement", "fraction", more_errors, -1), day)
    found = _CALCULATOR.calculate(inputs).net.interval
    assert found is not None and found.low is not None and found.high is not None  # noqa: S101, PT018 all inputs have limits
    return found.high - found.low


def net_before(money: Money, block: int) -> Interval:
    """As at commit 153d384: the rolling 24 hours in quarters of an hour, fixed intervals at 95 %."""
    begin = max(0, block - BLOCKS_A_DAY)
    n, errors, milliseconds = (_together(each[:, begin:], block - begin, 3) for each in (money.n, money.errors, money.milliseconds))
    clusters = max(1.0, overdispersion([[(int(x), int(count)) for x, count in zip(errors[arm], n[arm], strict=True)] for arm in range(2)]))
    counts = [_effective(int(errors[arm].sum()), int(n[arm].sum()), clusters) for arm in range(2)]
    fewer = difference(counts[0], counts[1], 0.95)
    means = [milliseconds[arm].sum() / n[arm].sum() for arm in range(2)]
    residuals = (milliseconds[1] - means[1] * n[1]) / n[1].sum() - (milliseconds[0] - means[0] * n[0]) / n[0].sum()
    half = 1.959964 * math.sqrt(len(residuals) / (len(residuals) - 1) * float((residuals**2).sum()))
    slower = float(means[1] - means[0])
    theirs, ours = (Counts(right, _ROWS) for right in money.right)
    better = difference(ours, theirs, 0.95)
    day = Measurement("requests_per_day", float(n.sum()) * BLOCKS_A_DAY / (block - begin), "count", Origin.LIVE)

    def fixed(name: str, unit: str, value: float, low: float, high: float) -> EffectInput:
        return _effect(name, unit, value, ((low, high), (low, high)))

    inputs = BusinessInputs(
        fixed("accuracy_improvement", "fraction", better.estimate or 0.0, better.low, better.high),
        fixed("latency_increase_ms", "ms", slower, slower - half, slower + half),
        fixed("error_rate_improvement", "fraction", fewer.estimate or 0.0, fewer.low, fewer.high),
        day,
    )
    found = _CALCULATOR.calculate(inputs).net.interval
    assert found is not None  # noqa: S101 all inputs have limits
    return found


def traffic_width_before(money: Money, block: int) -> float:
    """The same of 153d384's, accuracy apart."""
    alike = Money(money.n, money.errors, money.milliseconds, (_ROWS, _ROWS))
    found = net_before(alike, block)
    same = difference(Counts(_ROWS, _ROWS), Counts(_ROWS, _ROWS), 0.95)
    revenue = 365 * 10_000_000 * 0.005 * (same.high - same.low)
    assert found.low is not None and found.high is not None  # noqa: S101, PT018 all inputs have limits
    return math.sqrt((found.high - found.low) ** 2 - revenue**2)


def _effective(errors: int, n: int, clusters: float) -> Counts:
    effective = max(1, round(n / clusters))
    return Counts(min(effective, round(errors / n * effective)), effective)
