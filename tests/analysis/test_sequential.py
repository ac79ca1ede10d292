"""Sequences that may be looked at again and again: false alarms, limits, and the formulas' own equivalences."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln
from scipy.stats import binom

from live_dashboards.analysis.statistics.proportions import Counts, difference
from live_dashboards.analysis.statistics.sequential import confidence_sequence, error_count_test, segmented_split_test, traffic_split_test

LOOKS, RUNS = 500, 300


def aa_counts(seed, runs=RUNS, looks=LOOKS, per_look=1000, rate=0.02):
    """Cumulative (events, requests) of two equal arms: arrays of runs x looks."""
    random = np.random.default_rng(seed)
    n = np.cumsum(np.full((runs, looks), per_look // 2), axis=1)
    return [np.cumsum(random.binomial(per_look // 2, rate, (runs, looks)), axis=1) for _ in range(2)], n


def test_the_sequence_holds_over_500_looks_while_the_fixed_test_does_not():
    (one, other), n = aa_counts(1)
    sequence = fixed = 0
    for run in range(RUNS):
        arms = [(Counts(int(one[run, look]), int(n[run, look])), Counts(int(other[run, look]), int(n[run, look]))) for look in range(0, LOOKS, 2)]
        sequence += any(found.low > 0 or found.high < 0 for found in (confidence_sequence(*pair, planned_n=50_000) for pair in arms))
        fixed += any(abs(z_of(*pair)) > 1.96 for pair in arms)
    assert sequence / RUNS <= 0.05
    assert fixed / RUNS > 0.3


def z_of(treatment, control):
    spread = math.sqrt(sum(arm.proportion * (1 - arm.proportion) / arm.n for arm in (treatment, control)))
    return (treatment.proportion - control.proportion) / spread if spread else 0.0


def test_its_p_is_below_alpha_exactly_where_its_interval_leaves_out_0():
    for events in range(100, 200, 5):
        found = confidence_sequence(Counts(events, 5000), Counts(100, 5000), planned_n=10_000)
        assert (found.p_value < 0.05) is (found.low > 0 or found.high < 0)


@pytest.mark.parametrize(
    ("planned_n", "control", "treatment", "printed"),
    [
        (5000, Counts(500, 10_000), Counts(560, 10_000), (-0.003906784471104504, 0.015906784471104503, 1.0)),
        (20_000, Counts(300, 40_000), Counts(150, 15_000), (-0.0003406544815373327, 0.005340654481537334, 0.13977675919359323)),
        (500_000, Counts(800, 1000), Counts(860, 1000), (-0.17428055142266835, 0.29428055142266824, 0.8336964460454778)),
    ],
)
def test_it_gives_what_gbstats_prints(planned_n, control, treatment, printed):
    """gbstats 0.8.0, SequentialTwoSidedTTest of ProportionStatistics with difference_type absolute; it wants pandas below 2, so its output stands here."""
    found = confidence_sequence(treatment, control, planned_n)
    assert (found.low, found.high, found.p_value) == pytest.approx(printed, rel=1e-12)


def test_it_is_the_mixture_sequential_test_under_another_name():
    """GrowthBook's mSPRT: Λ = √(V/(V + nτ²)) exp(n²τ²d²/(2V(V + nτ²))), V = p₁q₁ + p₂q₂, τ² = ρ²(N/n)V; p = 1/Λ."""
    n, treatment, control = 20_000, Counts(1240, 20_000), Counts(1100, 20_000)
    found = confidence_sequence(treatment, control, planned_n=30_000)
    variance = sum(arm.proportion * (1 - arm.proportion) for arm in (treatment, control))
    rho2 = (-2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05))) / 30_000
    tau2 = rho2 * 2 * variance
    gap = treatment.proportion - control.proportion
    mixture = math.sqrt(variance / (variance + n * tau2)) * math.exp(n**2 * tau2 * gap**2 / (2 * variance * (variance + n * tau2)))
    assert found.p_value == pytest.approx(min(1.0, 1 / mixture), rel=1e-9)


@pytest.mark.parametrize(
    "arms", [(Counts(4, 1000), Counts(50, 1000)), (Counts(997, 1000), Counts(500, 1000)), (Counts(5, 39), Counts(50, 1000)), (Counts(0, 10**9), Counts(0, 10**9))]
)
def test_too_few_of_anything_says_nothing(arms):
    found = confidence_sequence(*arms, planned_n=1000)
    assert (found.low, found.high, found.p_value) == (-1.0, 1.0, 1.0)
    assert "too few" in found.method


COUNTS = st.integers(1, 10**9).flatmap(lambda n: st.builds(Counts, st.integers(0, n), st.just(n)))


@settings(max_examples=200, deadline=None)
@given(COUNTS, COUNTS, st.integers(1, 10**9))
def test_on_any_counts_it_holds_the_estimate_within_bounds_and_turns_over(treatment, control, planned_n):
    found, turned = confidence_sequence(treatment, control, planned_n), confidence_sequence(control, treatment, planned_n)
    assert -1 <= found.low <= found.estimate <= found.high <= 1
    assert 0 <= found.p_value <= 1
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_it_is_wider_than_one_look_and_narrows_with_data():
    small, large = (confidence_sequence(Counts(60 * k, 3000 * k), Counts(45 * k, 3000 * k), planned_n=60_000) for k in (1, 10))
    once = difference(Counts(600, 30_000), Counts(450, 30_000))
    assert small.high - small.low > large.high - large.low > once.high - once.low


def test_error_counts_are_tested_by_the_beta_binomial_bayes_factor():
    (p_value,) = error_count_test([(3, 15)], (0.7, 0.3))
    log_bf = betaln(1 + 15, 1 + 3) - betaln(1, 1) - 15 * math.log(0.3) - 3 * math.log(0.7)
    assert p_value == pytest.approx(math.exp(-log_bf))


def test_error_counts_give_few_false_alarms_and_find_a_regression():
    random = np.random.default_rng(3)
    alarms = found = 0
    for _ in range(400):
        treatment = random.binomial(4, 0.3, 500)
        alarms += error_count_test([(4 - int(x), int(x)) for x in treatment], (0.7, 0.3))[-1] < 0.05
        worse = random.binomial(4, 0.6, 500)
        found += error_count_test([(4 - int(x), int(x)) for x in worse], (0.7, 0.3))[-1] < 0.05
    assert alarms / 400 <= 0.05
    assert found == 400


def test_p_values_never_rise_and_no_error_says_nothing():
    p_values = error_count_test([(0, 0), (0, 9), (9, 0), (20, 0)], (0.5, 0.5))
    assert p_values[0] == 1.0
    assert p_values == sorted(p_values, reverse=True)


def test_the_split_test_gives_few_false_alarms_and_finds_a_wrong_split():
    random = np.random.default_rng(4)
    alarms = found = 0
    for _ in range(200):
        fair, unfair = random.binomial(100, 0.7, 500), random.binomial(100, 0.65, 500)
        alarms += traffic_split_test([(int(x), 100 - int(x)) for x in fair], (0.7, 0.3))[-1] < 0.05
        found += traffic_split_test([(int(x), 100 - int(x)) for x in unfair], (0.7, 0.3))[-1] < 0.001
    assert alarms / 200 <= 0.05
    assert found == 200


def test_traffic_where_none_is_planned_gives_0_from_then_on():
    assert traffic_split_test([(70, 30, 0), (70, 30, 1), (70, 30, 0)], (0.7, 0.3, 0.0))[1:] == [0.0, 0.0]


def test_an_error_of_an_arm_that_should_have_no_traffic_gives_0_and_none_there_says_nothing():
    assert error_count_test([(4, 0), (3, 1), (5, 0)], (1.0, 0.0)) == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("n", [10**3, 10**6, 10**9])
def test_bayes_factors_keep_their_digits_at_a_billion(n):
    x2, x1 = n // 2 + int(3 * n**0.5), n // 2
    under_equal_rates = binom.pmf(x2, x1 + x2, 0.5)  # a uniform prior makes every split of the errors equally likely
    expected = min(1.0, under_equal_rates * (x1 + x2 + 1))
    assert error_count_test([(x1, x2)], (0.5, 0.5)) == pytest.approx([expected], rel=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: confidence_sequence(Counts(1, 2), Counts(1, 2), planned_n=0), "planned_n"),
        (lambda: confidence_sequence(Counts(1, 2), Counts(1, 2), planned_n=9, alpha=1), "alpha"),
        (lambda: error_count_test([(1, 1)], (0.5, 0.6)), "traffic_share"),
        (lambda: traffic_split_test([(1, 1)], (0.5, 0.6)), "planned_share"),
        (lambda: error_count_test([(-1, 1)], (0.5, 0.5)), "batches"),
        (lambda: error_count_test([(1, 1)], (0.5, 0.5), prior=(0, 1)), "prior"),
        (lambda: traffic_split_test([(1, 1, 1)], (0.5, 0.5)), "batches"),
        (lambda: traffic_split_test([(1, 1)], (0.5, 0.5), concentration=0), "concentration"),
        (lambda: confidence_sequence(Counts(9, 99), Counts(9, 99), planned_n=math.inf), "planned_n"),
        (lambda: error_count_test([(1, math.nan)], (0.5, 0.5)), "batches"),
        (lambda: error_count_test([(1, 1)], (0.5, 0.5), prior=(math.nan, 1)), "prior"),
        (lambda: error_count_test([(1, 1)], (0.5, 0.5), prior=(1, math.inf)), "prior"),
        (lambda: traffic_split_test([(1, 1)], (0.5, 0.5), concentration=math.inf), "concentration"),
    ],
)
def test_impossible_input_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_one_segment_is_the_split_test_itself():
    batches = [(90, 12), (85, 9), (99, 3)]
    assert segmented_split_test([(batches, (0.9, 0.1))]) == pytest.approx(traffic_split_test(batches, (0.9, 0.1)))


def test_the_evidence_of_segments_with_plans_of_their_own_multiplies():
    one, other = [(9300, 700)], [(5300, 4700)]
    alone = [traffic_split_test(batches, plan)[-1] for batches, plan in ((one, (0.9, 0.1)), (other, (0.5, 0.5)))]
    together = segmented_split_test([(one, (0.9, 0.1)), (other, (0.5, 0.5))])
    assert together == pytest.approx([alone[0], alone[0] * alone[1]])
    assert segmented_split_test([(one, (0.93, 0.07)), (other, (0.53, 0.47))])[-1] > 0.05
    with pytest.raises(ValueError, match="add up to 1"):
        segmented_split_test([(one, (0.9, 0.2))])
