"""Quantile intervals and whole distributions from buckets, against raw data and scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from live_dashboards.analysis.statistics.latency import compare_buckets, quantile_interval
from live_dashboards.analysis.statistics.special import student_t_below, student_t_quantile

EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, math.inf)


def cumulative(values, edges=EDGES):
    return [int((values <= edge).sum()) for edge in edges]


def test_the_interval_always_holds_the_true_quantile_where_interpolation_never_is_it():
    random, true = np.random.default_rng(1), 0.05 * math.exp(0.8 * stats.norm.ppf(0.95))
    found = [quantile_interval(EDGES, cumulative(0.05 * np.exp(0.8 * random.standard_normal(2000))), 0.95) for _ in range(300)]
    assert all(each.low <= true <= each.high for each in found)
    assert min(abs(each.point - true) for each in found) > 0.01


def test_its_edges_are_those_of_the_buckets_of_conovers_ranks():
    counts = [0, 0, 100, 500, 890, 960, 990, 1000, 1000]
    first, last = stats.binom.ppf(0.025, 1000, 0.95), stats.binom.ppf(0.975, 1000, 0.95) + 1
    assert (first, last) == (936, 964)
    found = quantile_interval(EDGES, counts, 0.95)
    assert (found.low, found.high) == (0.1, 0.5)


def test_in_the_last_bucket_the_upper_end_is_open():
    assert quantile_interval(EDGES, [0] * 8 + [50], 0.5).high == math.inf
    assert quantile_interval((1.0, math.inf), [3, 3], 0.99).high == math.inf


def test_a_billion_requests_are_no_trouble():
    found = quantile_interval(EDGES, [0, 0, 0, 0, 10**8, 9 * 10**8, 99 * 10**7, 10**9, 10**9], 0.95)
    assert (found.low, found.high) == (0.25, 0.5)


@pytest.mark.parametrize(
    ("bounds", "counts", "q", "name"),
    [
        ((1.0, 2.0), (1, 2), 0.5, "upper_bounds"),
        ((2.0, 1.0, math.inf), (1, 2, 3), 0.5, "upper_bounds"),
        ((math.nan, math.inf), (1, 2), 0.5, "upper_bounds"),
        ((1.0, 1.0, math.inf), (1, 2, 3), 0.5, "upper_bounds"),
        ((1.0, math.inf), (2, 1), 0.5, "cumulative_counts"),
        ((1.0, math.inf), (math.nan, 1), 0.5, "cumulative_counts"),
        ((1.0, math.inf), (1, math.inf), 0.5, "cumulative_counts"),
        ((1.0, math.inf), (0, 0), 0.5, "cumulative_counts"),
        ((1.0, math.inf), (1, 2), 1.0, "q is"),
    ],
)
def test_impossible_histograms_are_refused_by_name(bounds, counts, q, name):
    with pytest.raises(ValueError, match=name):
        quantile_interval(bounds, counts, q)


def test_buckets_are_compared_as_scipy_compares_the_requests_in_them():
    random = np.random.default_rng(2)
    for _ in range(20):
        treatment, control = random.poisson(random.uniform(0, 12, 6)) + 1, random.poisson(random.uniform(0, 12, 6)) + 1
        found = compare_buckets(list(treatment), list(control))
        expected = stats.brunnermunzel(np.repeat(np.arange(6), control), np.repeat(np.arange(6), treatment))
        assert found.p_value == pytest.approx(expected.pvalue, rel=1e-7)
        assert found.low <= found.probability_treatment_slower <= found.high


def test_a_slower_treatment_is_slower_and_the_other_way_round():
    found, turned = compare_buckets([10, 50, 90], [90, 50, 10]), compare_buckets([90, 50, 10], [10, 50, 90])
    assert found.low > 0.5 > turned.high
    assert found.probability_treatment_slower == pytest.approx(1 - turned.probability_treatment_slower)


def test_all_in_one_bucket_is_no_difference_and_more_requests_say_so_more_surely():
    few, many = compare_buckets([9, 0], [9, 0]), compare_buckets([900, 0], [900, 0])
    assert few.p_value == many.p_value == 1.0
    assert few.low < many.low < 0.5 < many.high < few.high


@pytest.mark.parametrize("n", [2, 9, 99])
def test_arms_that_are_all_apart_keep_an_interval_and_a_p_of_their_size(n):
    found, turned = compare_buckets([0, n], [n, 0]), compare_buckets([n, 0], [0, n])
    assert (found.probability_treatment_slower, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(stats.beta.ppf(0.025, n, 1))  # Clopper-Pearson for n of n
    assert found.p_value == pytest.approx(stats.binomtest(n, n, 0.5).pvalue)
    assert (turned.low, turned.high, turned.p_value) == pytest.approx((0.0, 1 - found.low, found.p_value))


def test_a_single_request_tells_nothing():
    found = compare_buckets([0, 1], [50, 50])
    assert (found.low, found.high, found.p_value) == (0.0, 1.0, 1.0)
    assert found.probability_treatment_slower == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("treatment", "control", "name"),
    [([1], [1, 1], "control_counts"), ([-1, 9], [1, 1], "treatment_counts"), ([1, 1], [0, 0], "control_counts"), ([math.nan, 1], [1, 1], "treatment_counts")],
)
def test_impossible_counts_are_refused_by_name(treatment, control, name):
    with pytest.raises(ValueError, match=name):
        compare_buckets(treatment, control)


def test_students_t_is_scipys():
    for freedom in (1.0, 2.7, 19.0, 1e6):
        for t in (-8.0, -1.0, 0.0, 0.3, 2.5):
            assert student_t_below(t, freedom) == pytest.approx(stats.t.cdf(t, freedom), rel=1e-8)
        for share in (0.01, 0.5, 0.975, 0.9999):
            assert student_t_quantile(share, freedom) == pytest.approx(stats.t.ppf(share, freedom), rel=1e-7, abs=1e-9)
