"""Our closed forms against independent implementations, printed values, zeros and limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact as scipy_fisher
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest, samplesize_proportions_2indep_onetail

from live_dashboards.analysis.statistics.proportions import Counts, difference, fisher_exact, non_inferiority, ratio, required_n_per_arm, score_test, wilson

CASES = [(636, 1000, 1564, 2000), (1, 40, 0, 50), (0, 500, 0, 500), (15_640, 20_000, 16_360, 20_000), (999, 1000, 1000, 1000), (3, 10_000, 14, 30_000)]


@st.composite
def counts(draw):
    n = draw(st.integers(1, 1_000_000_000))
    return Counts(draw(st.integers(0, n)), n)


@pytest.mark.parametrize(("x2", "n2", "x1", "n1"), CASES)
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_wilson_agrees_with_statsmodels(x2, n2, x1, n1, confidence):
    for x, n in ((x2, n2), (x1, n1)):
        assert wilson(Counts(x, n), confidence) == pytest.approx(proportion_confint(x, n, 1 - confidence, method="wilson"), abs=1e-12)


@pytest.mark.parametrize(("x2", "n2", "x1", "n1"), CASES)
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_newcombe_interval_agrees_with_statsmodels(x2, n2, x1, n1, confidence):
    found = difference(Counts(x2, n2), Counts(x1, n1), confidence)
    oracle = confint_proportions_2indep(x2, n2, x1, n1, compare="diff", method="newcomb", alpha=1 - confidence)
    assert (found.low, found.high) == pytest.approx(oracle, abs=1e-12)


def test_newcombe_1998_printed_example():
    """Newcombe 1998, Table II, example (a): 56/70 - 48/80, method 10 gives 0.0524 to 0.3339."""
    found = difference(Counts(56, 70), Counts(48, 80))
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


def test_score_test_agrees_with_statsmodels():
    assert score_test(Counts(560, 10_000), Counts(500, 10_000)) == pytest.approx(proportions_ztest([560, 500], [10_000, 10_000])[1], rel=1e-10)


@pytest.mark.parametrize(
    ("x2", "n2", "x1", "n1"),
    [(1, 40, 0, 50), (5, 30, 1, 35), (2, 1000, 7, 900), (3, 3, 0, 3), (4, 39, 30, 39), (20, 39, 500_000_000, 10**9), (4, 10**9, 5, 10**9), (0, 10**9, 9, 10**9)],
)
def test_fisher_agrees_with_scipy(x2, n2, x1, n1):
    oracle = scipy_fisher([[x2, n2 - x2], [x1, n1 - x1]]).pvalue
    assert fisher_exact(Counts(x2, n2), Counts(x1, n1)) == pytest.approx(
        oracle, rel=2e-7
    )  # scipy itself is 1e-7 off at a billion: by hand 2⁻⁸(1 - 1.8e-8) in the last case


def test_tables_as_likely_as_the_observed_one_count_even_at_a_billion():
    """Fisher's p of equal arms whose counts differ by 1 is 1: the mirrored table is as likely, and no other is likelier."""
    assert fisher_exact(Counts(2, 10**9), Counts(3, 10**9)) == 1.0


def test_small_counts_use_fisher_and_say_so():
    assert "Fisher" in difference(Counts(4, 1000), Counts(5, 1000)).method
    assert "Fisher" in difference(Counts(20, 39), Counts(20, 1000)).method
    assert "score test" in difference(Counts(600, 10_000), Counts(700, 10_000)).method
    assert "score test" in difference(Counts(9400, 10_000), Counts(9300, 10_000)).method


@pytest.mark.parametrize(
    ("treatment", "control"),
    [
        ((1000, 1000), (995, 1000)),
        ((10, 100_000), (30, 1_000_000)),
        ((45, 10_000), (2455, 1_000_000)),
        ((45, 10_000), (955, 1_000_000)),
        ((500, 10_000), (500, 9000)),
        ((2, 1000), (7, 900)),
    ],
)
def test_errors_and_successes_of_one_table_have_one_exact_p(treatment, control):
    """1000 and 995 of 1000 correct had p 0.025, the same table as 0 and 5 errors 0.062; 10 of 100,000 against 30 of a million 0.0005 for 0.0025."""
    arms = [Counts(*treatment), Counts(*control)]
    turned = [Counts(arm.n - arm.events, arm.n) for arm in arms]
    oracle = scipy_fisher([[arm.events, arm.n - arm.events] for arm in arms]).pvalue
    assert [difference(*each).p_value for each in (arms, turned)] == [pytest.approx(oracle, rel=1e-6)] * 2


def test_no_event_in_either_arm_has_p_one_and_an_interval_around_zero():
    found = difference(Counts(0, 1000), Counts(0, 500))
    assert found.p_value == 1
    assert found.low < 0 < found.high


def test_wilson_is_exactly_zero_or_one_at_the_ends():
    assert wilson(Counts(0, 7))[0] == 0
    assert wilson(Counts(7, 7))[1] == 1


@pytest.mark.parametrize(("events", "n"), [(-1, 5), (6, 5), (0, 0), (math.nan, 5), (1, math.inf)])
def test_impossible_counts_are_refused(events, n):
    with pytest.raises(ValueError, match=r"events|n is"):
        Counts(events, n)


@given(counts(), counts())
def test_difference_is_antisymmetric_and_its_interval_holds_it(ours, theirs):
    one, other = difference(ours, theirs), difference(theirs, ours)
    assert one.estimate == -other.estimate
    assert -1 <= one.low <= one.estimate <= one.high <= 1
    assert one.low == pytest.approx(-other.high, abs=1e-12)


def test_the_ratios_limits_are_those_of_the_formula_and_the_zeros_are_exact():
    found = ratio(Counts(40, 1000), Counts(20, 1000))
    (low2, high2), (low1, high1) = wilson(Counts(40, 1000)), wilson(Counts(20, 1000))
    product = 0.04 * 0.02
    direct_low = (product - math.sqrt(product**2 - low2 * (2 * 0.04 - low2) * high1 * (2 * 0.02 - high1))) / (high1 * (2 * 0.02 - high1))
    assert (found.estimate, found.low) == (pytest.approx(2.0), pytest.approx(direct_low))
    assert found.high == pytest.approx((product + math.sqrt(product**2 - high2 * low1 * (2 * 0.04 - high2) * (2 * 0.02 - low1))) / (low1 * (2 * 0.02 - low1)))
    assert ratio(Counts(3, 100), Counts(0, 100)).high == math.inf
    assert ratio(Counts(0, 100), Counts(3, 100)).low == 0.0
    nothing = ratio(Counts(0, 100), Counts(0, 100))
    assert (nothing.estimate, nothing.low, nothing.high) == (None, 0.0, math.inf)
    assert ratio(Counts(40, 1000), Counts(20, 1000)).p_value == difference(Counts(40, 1000), Counts(20, 1000)).p_value


def test_the_ratio_covers_at_rare_events():
    random, covered = np.random.default_rng(6), 0
    for _ in range(1500):
        found = ratio(Counts(int(random.binomial(200, 0.02)), 200), Counts(int(random.binomial(1000, 0.01)), 1000))
        covered += found.low <= 2.0 <= found.high
    assert covered / 1500 >= 0.94


@settings(max_examples=200, deadline=None)
@given(counts(), counts())
def test_the_ratio_is_a_number_on_any_counts_and_holds_its_estimate(treatment, control):
    found = ratio(treatment, control)
    assert 0 <= found.low <= found.high
    assert not math.isnan(found.high)
    assert found.estimate is None or found.low <= found.estimate <= found.high


def test_required_n_is_that_of_r_and_of_statsmodels():
    assert required_n_per_arm(0.5, 0.75, power=0.9) == pytest.approx(76.7, abs=0.05)
    expected = samplesize_proportions_2indep_onetail(0.01, 0.9, 0.8, ratio=1, alpha=0.05, alternative="two-sided")
    assert required_n_per_arm(0.9, 0.91) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("arguments", "name"), [((0.5, 0.5), "p_treatment"), ((1.5, 0.5), "p_control"), ((0.5, 0.6, 0.0), "alpha"), ((0.5, 0.6, 0.05, 1.0), "power")])
def test_required_n_refuses_what_no_number_can_show(arguments, name):
    with pytest.raises(ValueError, match=name):
        required_n_per_arm(*arguments)


@pytest.mark.parametrize(
    ("treatment", "outcome"), [(Counts(100, 100_000), "shown"), (Counts(1100, 100_000), "harm"), (Counts(2, 1000), "not_shown"), (Counts(120, 100_000), "shown")]
)
def test_non_inferiority_has_three_outcomes_in_their_order(treatment, outcome):
    assert non_inferiority(treatment, Counts(100, 100_000), margin=0.002).outcome == outcome


def test_non_inferiority_is_judged_by_the_one_sided_limit():
    found = non_inferiority(Counts(50, 10_000), Counts(40, 10_000), margin=0.003, alpha=0.05)
    wide = difference(Counts(50, 10_000), Counts(40, 10_000), 0.9)
    assert (found.low, found.high) == (wide.low, wide.high)
    with pytest.raises(ValueError, match="margin"):
        non_inferiority(Counts(1, 2), Counts(1, 2), margin=0.0)
