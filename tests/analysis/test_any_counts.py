"""On any legal counts up to a billion every published function gives numbers in their range, and never raises."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_dashboards.analysis.statistics.latency import compare_buckets, quantile_interval
from live_dashboards.analysis.statistics.proportions import Counts, adjust, non_inferiority, required_n_per_arm, sample_ratio
from live_dashboards.analysis.statistics.sequential import error_count_test, traffic_split_test
from live_dashboards.analysis.statistics.stratified import overdispersion

MANY = 10**9
COUNT = st.one_of(st.integers(0, 50), st.integers(0, MANY), st.sampled_from((0, 1, MANY - 1, MANY)))
ARM = st.builds(lambda events, others: Counts(events, max(1, events + others)), COUNT, COUNT)
SHARES = st.floats(0.0, 1.0).map(lambda share: (share, 1 - share))
PAIRS = st.lists(st.tuples(COUNT, COUNT), min_size=1, max_size=5)
few = settings(max_examples=150, deadline=None)


@few
@given(ARM, ARM, st.floats(1e-6, 1.0), st.floats(1e-6, 0.49))
def test_non_inferiority_says_one_of_three_and_its_interval_agrees(treatment, control, margin, alpha):
    found = non_inferiority(treatment, control, margin, alpha)
    assert -1 <= found.low <= found.estimate <= found.high <= 1
    assert found.outcome == ("shown" if found.high < margin else "harm" if found.low > 0 else "not_shown")


@few
@given(PAIRS, SHARES)
@pytest.mark.parametrize("test", [error_count_test, traffic_split_test])
def test_always_valid_p_values_are_from_0_to_1_and_never_rise(test, batches, shares):
    p_values = test(batches, shares)
    assert len(p_values) == len(batches)
    assert all(0 <= p <= 1 for p in p_values)
    assert p_values == sorted(p_values, reverse=True)


@few
@given(st.tuples(COUNT, COUNT).filter(any), SHARES)
def test_a_sample_ratio_has_a_p_and_a_flag(observed, planned):
    found = sample_ratio(observed, planned)
    assert 0 <= found.p_value <= 1
    assert found.chi2 >= 0
    assert (found.flag == "ok") is (found.p_value >= 0.001)


@few
@given(st.lists(COUNT, min_size=3, max_size=3).filter(any), st.floats(0.001, 0.999), st.floats(0.01, 0.999))
def test_a_quantiles_interval_holds_its_point(counts, q, confidence):
    cumulative = [sum(counts[: place + 1]) for place in range(3)]
    found = quantile_interval((0.1, 0.5, math.inf), cumulative, q, confidence)
    assert 0 <= found.low <= found.point <= found.high


@few
@given(*[st.lists(COUNT, min_size=3, max_size=3).filter(any)] * 2)
def test_buckets_compare_to_a_chance_within_its_limits(treatment, control):
    found = compare_buckets(treatment, control)
    assert 0 <= found.low <= found.probability_treatment_slower <= found.high <= 1
    assert 0 <= found.p_value <= 1


@few
@given(st.lists(st.lists(ARM, max_size=5), max_size=3))
def test_overdispersion_is_a_number_that_is_not_negative(arms):
    found = overdispersion([[(window.events, window.n) for window in windows] for windows in arms])
    assert math.isfinite(found)
    assert found >= 0


@few
@given(*[st.floats(0.0, 1.0)] * 2)
def test_required_n_is_above_0_and_finite_where_there_is_a_difference_to_show(one, other):
    if abs(one - other) > 1e-9:
        found = required_n_per_arm(one, other)
        assert math.isfinite(found)
        assert found >= 0


@few
@given(st.lists(st.floats(0.0, 1.0), max_size=9))
@pytest.mark.parametrize("method", ["holm", "fdr_bh"])
def test_adjusted_p_values_are_never_smaller_and_keep_the_order(method, p_values):
    found = adjust(p_values, method)
    assert all(p <= after <= 1 for p, after in zip(p_values, found, strict=True))
    assert sorted(range(len(found)), key=lambda place: (found[place], p_values[place])) == sorted(range(len(found)), key=p_values.__getitem__)
