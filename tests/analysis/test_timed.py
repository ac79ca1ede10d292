"""Differences within blocks of time that are worth money: against worked examples and simulated truth."""

import numpy as np
import pytest

from live_dashboards.analysis.business.traffic import error_difference, mean_difference
from live_dashboards.analysis.statistics.means import Sums
from live_dashboards.stats import Counts, long_run_variance, stratified_difference, stratified_sequence

PLANNED = 20_000


def arm(means, n):
    return [Sums(mean * count, count) for mean, count in zip(means, n, strict=True)]


def test_errors_are_those_of_the_published_sequence():
    treatment, control = ([Counts(events, 500) for events in each] for each in ((9, 7, 12, 8, 11, 6, 9, 10, 8), (6, 7, 5, 8, 7, 6, 9, 4, 8)))
    found, published = error_difference(treatment, control, PLANNED), stratified_sequence(treatment, control, PLANNED)
    assert (found.estimate, found.always) == (published.estimate, (published.low, published.high))
    one = stratified_difference(treatment, control)
    assert found.one_look[0] <= one.low < one.high <= found.one_look[1]
    assert sum(found.residuals) == pytest.approx(0.0, abs=1e-12)


def test_blocks_count_by_how_much_they_tell():
    ours, theirs = arm([50.0] * 8 + [80.0] * 8, [10] * 8 + [100] * 8), arm([40.0] * 8 + [60.0] * 8, [90] * 8 + [100] * 8)
    told = [10 * 90 / 100] * 8 + [100 * 100 / 200] * 8
    expected = sum(weight * each for weight, each in zip(told, [10.0] * 8 + [20.0] * 8, strict=True)) / sum(told)
    found = mean_difference(ours, theirs, PLANNED)
    assert (found.estimate, found.is_by_traffic) == (pytest.approx(expected), False)


def test_a_ramp_with_a_drifting_level_is_no_difference():
    level = np.repeat([100.0, 80.0, 60.0, 40.0], 48)
    small = np.repeat([1, 5, 20, 50], 48)
    found = mean_difference(arm(level, small), arm(level, 100 - small), PLANNED)
    pooled = np.average(level, weights=small) - np.average(level, weights=100 - small)
    assert found.estimate == pytest.approx(0.0)
    assert pooled < -20


def test_where_traffic_and_information_tell_two_differences_apart_money_goes_by_traffic():
    random = np.random.default_rng(5)
    ours = arm(50 + np.resize([0.0, 12.0], 400) + random.normal(0, 0.5, 400), [10, 500] * 200)
    theirs = arm(50 + random.normal(0, 0.5, 400), [990, 500] * 200)
    found = mean_difference(ours, theirs, 2_000)
    assert (found.is_by_traffic, found.estimate) == (True, pytest.approx(6.0, abs=0.5))


def test_a_difference_of_ratios_stays_one():
    treatment = [Counts(5, 5)] * 150 + [Counts(0, 900)] * 42
    control = [Counts(0, 995)] * 150 + [Counts(0, 100)] * 42
    found = error_difference(treatment, control, PLANNED)
    assert -1 <= found.always[0] <= found.always[1] <= 1
    ours, theirs = [Counts(40, 50)] * 150 + [Counts(5, 900)] * 42, [Counts(20, 950)] * 150 + [Counts(5, 100)] * 42
    assert -1 <= error_difference(ours, theirs, PLANNED).always[0] <= error_difference(ours, theirs, PLANNED).always[1] <= 1


def test_blocks_of_one_arm_alone_tell_nothing():
    both = arm([50.0] * 9, [10] * 9)
    found = mean_difference([*both, Sums(9e9, 5)], [*arm([40.0] * 9, [10] * 9), Sums(0.0, 0)], PLANNED)
    assert (found.estimate, found.residuals[-1]) == (pytest.approx(10.0), 0.0)
    assert mean_difference([Sums(5.0, 1)], [Sums(0.0, 0)], PLANNED) is None


def test_fewer_than_eight_blocks_have_no_limits():
    found = mean_difference(arm([50.0] * 7, [10] * 7), arm([40.0] * 7, [10] * 7), PLANNED)
    assert (found.estimate, found.always, found.one_look) == (pytest.approx(10.0), None, None)


def test_the_limits_for_one_look_are_those_of_the_long_run_variance_and_the_others_are_wider():
    random = np.random.default_rng(6)
    found = mean_difference(arm(random.normal(60, 5, 192), [100] * 192), arm(random.normal(50, 5, 192), [100] * 192), PLANNED)
    half = 1.959964 * long_run_variance(found.residuals, 0.0) ** 0.5
    assert found.one_look == pytest.approx((found.estimate - half, found.estimate + half))
    assert found.always[0] < found.one_look[0] < found.one_look[1] < found.always[1]


def drifting(random, hours, blocks_an_hour=4, days=8, spread=3.0):
    """Levels of an arm that wander, with that memory in hours."""
    memory = np.exp(-1 / (hours * blocks_an_hour))
    level, found = random.normal(0, spread), []
    for _ in range(24 * blocks_an_hour * days):
        level = memory * level + random.normal(0, spread * np.sqrt(1 - memory**2))
        found.append(level)
    return np.array(found)


def test_its_limits_cover_the_true_difference_also_where_each_arm_drifts():
    random, covered, always = np.random.default_rng(7), 0, 0
    for _ in range(150):
        ours, theirs = (50 + drifting(random, 4.0) + random.normal(0, 2, 768) for _ in range(2))
        found = mean_difference(arm(ours, [100] * 768), arm(theirs, [100] * 768), PLANNED)
        covered += found.one_look[0] <= 0 <= found.one_look[1]
        always += found.always[0] <= 0 <= found.always[1]
    assert covered / 150 >= 0.88  # 0.93 in the long run (benchmarks/truth)
    assert always / 150 >= 0.97
