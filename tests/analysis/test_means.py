"""Differences of means of which only sums and counts are known: worked examples, and how often tests without a difference raise an alarm at any look."""

import math

import numpy as np
import pytest

from live_dashboards.analysis.statistics.means import Sums, harm_mean_variance, has_enough, mean_sequence, mean_strata, safe_mean_variance
from live_dashboards.analysis.statistics.stratified import batch_variance, long_run_variance
from live_dashboards.analysis.verdict.guardrails import outcome

BLOCK_SECONDS, PLANNED, MARGIN_MS = 300, 20_000, 25.0
HOUR_BLOCKS, DAY_BLOCKS = 12, 288
# when somebody looks, in blocks of five minutes: at each from six to eight hours on, then every half an hour, after the first day every four hours
EARLY = tuple(range(8, 72))
LOOKS = (*range(72, 96), *range(96, DAY_BLOCKS, 6), *range(DAY_BLOCKS, 5 * DAY_BLOCKS + 1, 48))


def sums(means, n):
    return [Sums(mean * count, count) for mean, count in zip(means, n, strict=True)]


def test_blocks_count_by_how_much_they_tell():
    found = mean_strata(sums([50.0, 80.0], [10, 100]), sums([40.0, 60.0], [90, 100]))
    assert found.estimate == pytest.approx((9 * 10 + 50 * 20) / 59)
    assert (found.information, found.n, sum(found.weights)) == (59.0, (110, 190), pytest.approx(1.0))
    assert sum(found.residuals) == pytest.approx(0.0, abs=1e-12)


def test_a_ramp_with_a_drifting_level_is_no_difference():
    level, small = np.repeat([100.0, 80.0, 60.0, 40.0], 12), np.repeat([1, 5, 20, 50], 12)
    assert mean_strata(sums(level, small), sums(level, 100 - small)).estimate == pytest.approx(0.0)


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1.0], []), ([1.0, 2.0], [1.0])])
def test_as_many_blocks_of_both_are_needed(ours, theirs):
    with pytest.raises(ValueError, match="give as many of both, one at least"):
        mean_strata(sums(ours, [5] * len(ours)), sums(theirs, [5] * len(theirs)))


def test_a_block_of_one_arm_alone_is_refused():
    with pytest.raises(ValueError, match="leave it out"):
        mean_strata([Sums(0.0, 0)], [Sums(5.0, 1)])


def test_without_scatter_there_is_nothing_but_the_difference():
    found = mean_strata(sums([60.0] * 24, [50] * 24), sums([40.0] * 24, [50] * 24))
    limits = mean_sequence(found, PLANNED, 0.05, safe_mean_variance(found))
    assert (limits.low, limits.high, limits.p_value) == (pytest.approx(20), pytest.approx(20), 1.0)


def test_its_limits_are_those_of_the_published_sequence():
    random = np.random.default_rng(4)
    found = mean_strata(sums(random.normal(60, 5, 48), [100] * 48), sums(random.normal(50, 5, 48), [100] * 48))
    limits = mean_sequence(found, PLANNED, 0.05, safe_mean_variance(found))
    rho2 = (-2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05))) / PLANNED
    grown = 9600 * rho2
    half = math.sqrt(long_run_variance(found.residuals, 0.0) * 2 * (grown + 1) / grown * math.log(math.sqrt(grown + 1) / 0.05))
    assert (limits.low, limits.high) == (pytest.approx(found.estimate - half), pytest.approx(found.estimate + half))


def test_a_harm_that_begins_late_is_found_by_its_own_variance_and_is_a_long_incident_to_the_other():
    random = np.random.default_rng(5)
    late = np.where(np.arange(240) >= 192, 30.0, 0.0)
    found = mean_strata(sums(200 + late + random.normal(0, 3, 240), [500] * 240), sums(200 + random.normal(0, 3, 240), [500] * 240))
    ends = 3600.0 * np.arange(1, 241)
    assert harm_mean_variance(found, ends, ends[-1]) == pytest.approx(batch_variance(found.residuals, 240))
    assert harm_mean_variance(found, ends, ends[-1]) < safe_mean_variance(found) / 5


@pytest.mark.parametrize(("blocks", "seconds", "enough"), [(24, 21_600.0, True), (23, 86_400.0, False), (48, 21_599.0, False)])
def test_a_mean_is_judged_from_24_blocks_and_six_hours_on(blocks, seconds, enough):
    assert has_enough(mean_strata(sums([1.0] * blocks, [5] * blocks), sums([1.0] * blocks, [5] * blocks)), seconds) == enough


def arm(random, requests, *, tail, drift_ms, memory_blocks, slower_ms=0.0):
    """Sums (ms) and counts of an arm by five minutes over five days: a level that goes up and down by day, response times with that log-spread, and a drift."""
    blocks = 5 * DAY_BLOCKS
    day = np.sin(2 * np.pi * np.arange(blocks) / DAY_BLOCKS)
    n = 1 + random.poisson(requests * (1 + 0.5 * day))
    level, drift = random.normal(0, drift_ms), []
    keep = math.exp(-1 / memory_blocks)
    for noise in random.normal(0, drift_ms * math.sqrt(1 - keep**2), blocks):
        level = keep * level + noise
        drift.append(level)
    spread = 200 * math.sqrt(math.expm1(tail**2))
    shape = (200 / spread) ** 2  # a gamma with the mean and the variance of the log-normal times, so that sums of them are drawn at once
    return n, random.gamma(shape * n, spread**2 / 200) + n * (20 * day + np.array(drift) + slower_ms)


def looks(arms, early=()):
    """The outcome at each look, in blocks as the page has them: of five to fifteen minutes on the first day, then of an hour."""
    for until in (*early, *LOOKS):
        length = 1 if until <= 192 else 3 if until < DAY_BLOCKS else HOUR_BLOCKS
        kept = until // length * length
        (n1, total1), (n2, total2) = ([each[:kept].reshape(-1, length).sum(axis=1) for each in arm] for arm in arms)
        found = mean_strata(*([Sums(float(total), int(n)) for total, n in zip(totals, counts, strict=True)] for totals, counts in ((total2, n2), (total1, n1))))
        if early or has_enough(found, until * BLOCK_SECONDS):
            ends = BLOCK_SECONDS * length * np.arange(1, len(found.residuals) + 1, dtype=float)
            safe = mean_sequence(found, PLANNED, 0.05, safe_mean_variance(found))
            harm = mean_sequence(found, PLANNED, 0.05, harm_mean_variance(found, ends, until * BLOCK_SECONDS))
            yield until, outcome(harm.low, safe.high, MARGIN_MS)


def share_ever(wanted, tests, early=(), **world):
    random, found = np.random.default_rng(12), 0
    for _ in range(tests):
        slower_ms = world.get("slower_ms", 0.0)
        arms = [arm(random, **{**world, "slower_ms": each}) for each in (0.0, slower_ms)]
        found += any(each == wanted for _, each in looks(arms, early))
    return found / tests


WORLDS = {
    "many requests": {"requests": 1000, "tail": 0.7, "drift_ms": 0.0, "memory_blocks": 1.0},
    "few requests with a long tail": {"requests": 15, "tail": 1.2, "drift_ms": 0.0, "memory_blocks": 1.0},
    "arms that drift for half an hour": {"requests": 1000, "tail": 0.7, "drift_ms": 10.0, "memory_blocks": 6.0},
}


@pytest.mark.parametrize("world", WORLDS)
def test_tests_without_a_difference_are_harmed_at_any_look_in_at_most_one_of_twenty(world):
    assert share_ever("harm", 300, **WORLDS[world]) <= 0.05


@pytest.mark.parametrize("world", WORLDS)
def test_tests_that_are_slower_by_the_margin_are_shown_to_hold_at_any_look_in_at_most_one_of_twenty(world):
    assert share_ever("shown", 300, **WORLDS[world], slower_ms=MARGIN_MS) <= 0.05


@pytest.mark.parametrize("world", WORLDS)
def test_tests_that_are_slower_by_60_ms_are_found(world):
    assert share_ever("harm", 30, **WORLDS[world], slower_ms=60.0) == 1.0


def test_limits_from_eight_blocks_on_would_raise_an_alarm_in_many_tests_without_a_difference():
    assert share_ever("harm", 100, EARLY, **WORLDS["arms that drift for half an hour"]) > 0.15


def test_arms_that_drift_for_four_hours_are_still_taken_for_an_effect():
    """What six hours cannot tell apart: docs/numbers.md says so."""
    assert 0.1 < share_ever("harm", 100, **{**WORLDS["arms that drift for half an hour"], "memory_blocks": 48.0}) < 0.35
