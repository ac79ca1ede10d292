"""Differences that hold at every look, also where nothing has failed yet; coverage by simulation with fixed seeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import betaln
from scipy.stats import binom

from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.analysis.statistics.sequential import confidence_sequence, difference_so_far, proportion_so_far


@st.composite
def counts(draw):
    n = draw(st.integers(1, 10**9))
    return Counts(draw(st.integers(0, n)), n)


def test_limits_are_where_the_beta_mixture_has_gathered_its_bar():
    found = Counts(3, 1000)
    for limit in proportion_so_far(found, 0.05):
        log_mixture = betaln(3.5, 997.5) - betaln(0.5, 0.5)
        assert log_mixture - 3 * np.log(limit) - 997 * np.log1p(-limit) == pytest.approx(np.log(20), rel=1e-6)


def test_no_event_has_a_low_limit_of_exactly_0_and_nothing_but_events_a_high_one_of_1():
    assert proportion_so_far(Counts(0, 50))[0] == 0.0
    assert proportion_so_far(Counts(50, 50))[1] == 1.0
    assert proportion_so_far(Counts(0, 60_000))[1] < 0.0002


def test_a_proportion_is_missed_at_any_of_300_looks_in_at_most_5_percent_of_services():
    draws, missed = np.random.default_rng(7), 0
    for _ in range(400):
        events = np.cumsum(draws.binomial(100, 0.01, 300))
        looks = range(0, 300, 10)
        limits = [proportion_so_far(Counts(int(events[look]), 100 * (look + 1))) for look in looks]
        missed += any(not low <= 0.01 <= high for low, high in limits)
    assert missed <= 0.05 * 400


@pytest.mark.parametrize("rate", [0.0002, 0.003, 0.05])
def test_equal_services_are_told_apart_at_any_look_in_at_most_5_percent(rate):
    draws, alarms = np.random.default_rng(11), 0
    for _ in range(400):
        control, treatment = (np.cumsum(draws.binomial(200, rate, 200)) for _ in range(2))
        looks = [difference_so_far(Counts(int(treatment[at]), 200 * (at + 1)), Counts(int(control[at]), 200 * (at + 1)), 40_000) for at in range(0, 200, 5)]
        alarms += any(found.low > 0 or found.high < 0 for found in looks)
    assert alarms <= 0.05 * 400


def test_a_fixed_test_at_the_same_looks_tells_a_third_of_them_apart():
    draws, alarms = np.random.default_rng(11), 0
    for _ in range(400):
        control, treatment = (np.cumsum(draws.binomial(200, 0.05, 200)) for _ in range(2))
        n = 200 * np.arange(1, 201)
        pooled = (control + treatment) / (2 * n)
        z = np.abs(treatment - control) / n / np.sqrt(2 * pooled * (1 - pooled) / n)
        alarms += bool((z > 1.96).any())
    assert alarms > 0.3 * 400


def test_with_no_errors_in_either_arm_a_margin_can_still_be_shown():
    found = difference_so_far(Counts(0, 30_000), Counts(0, 70_000), 100_000)
    assert -0.002 < found.low <= 0 <= found.high < 0.002
    assert (found.p_value, found.method) == (1.0, "exact confidence sequences of both arms")


def test_errors_in_one_arm_only_are_told_although_too_few_for_the_asymptotic_sequence():
    found = difference_so_far(Counts(60, 2000), Counts(0, 2000), 20_000)
    assert found.low > 0
    assert found.p_value < 1e-6


def test_with_enough_events_it_is_the_confidence_sequence():
    treatment, control = Counts(560, 10_000), Counts(500, 10_000)
    ours, theirs = difference_so_far(treatment, control, 20_000, 0.05), confidence_sequence(treatment, control, 20_000, 0.05)
    assert (ours.low, ours.high, ours.p_value) == pytest.approx((theirs.low, theirs.high, theirs.p_value), rel=1e-12)


def test_requests_in_clusters_of_four_give_limits_twice_as_wide_round_the_same_difference():
    treatment, control = Counts(5600, 100_000), Counts(5000, 100_000)
    alone, clustered = (difference_so_far(treatment, control, 200_000, overdispersion=each) for each in (1.0, 4.0))
    assert clustered.estimate == alone.estimate == pytest.approx(0.006)
    assert (clustered.high - clustered.low) / (alone.high - alone.low) == pytest.approx(2.0, rel=1e-3)
    assert (clustered.low + clustered.high) / 2 == pytest.approx(0.006, abs=1e-9)
    assert (clustered.n_treatment, clustered.n_control) == (100_000, 100_000)


@given(counts(), counts(), st.floats(1.0, 1e4))
@example(Counts(51, 96), Counts(1484, 16_274), 2959.0)
def test_any_counts_give_limits_round_the_estimate_within_the_scale(treatment, control, overdispersion):
    found = difference_so_far(treatment, control, 20_000, overdispersion=overdispersion)
    assert -1 <= found.low <= found.estimate <= found.high <= 1
    assert 0 <= found.p_value <= 1


@given(counts(), counts())
def test_swapping_the_arms_swaps_the_signs(treatment, control):
    one, other = difference_so_far(treatment, control, 20_000), difference_so_far(control, treatment, 20_000)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)


def test_it_is_wider_than_an_exact_interval_for_a_single_look():
    low, high = proportion_so_far(Counts(12, 400))
    assert low < binom.ppf(0.025, 400, 0.03) / 400
    assert high > binom.ppf(0.975, 400, 0.03) / 400
