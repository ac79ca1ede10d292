"""How long a limit takes until it says what it is to say: against other computations, and against drawn tests."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

from live_dashboards.analysis.statistics.forecast import (
    Claim,
    Forecast,
    Gathered,
    Leg,
    after,
    forecast,
    gathered_of,
    is_told,
    rounded_up,
    settled_plan,
)
from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.analysis.statistics.sequential import confidence_sequence, difference_so_far
from live_dashboards.analysis.statistics.stratified import sequence_of, strata

MOST = 1e12
GUARD = Claim(0.05, 0.05, 0.002, planned_n=20_000)


def trials(claim, share=0.5, so_far=Gathered()):  # noqa: B008 a frozen value
    """One trial a day, so that days are trials."""
    found = forecast(claim, [Leg(math.inf, 1.0, share)], so_far, MOST)
    return None if found is None else found.trials


def factor(n, planned_n, alpha=0.05):
    """Half-width over the standard error, once more from the paper (eq. 9 and 161 of arXiv 2103.06476v7)."""
    rho2 = (-2 * np.log(alpha) + np.log(1 - 2 * np.log(alpha))) / planned_n
    return np.sqrt(2 * (n * rho2 + 1) / (n * rho2) * np.log(np.sqrt(n * rho2 + 1) / alpha))


@pytest.mark.parametrize(("p", "better"), [(0.9, 0.91), (0.5, 0.52), (0.05, 0.04)])
def test_a_fixed_look_takes_what_statsmodels_says(p, better):
    per_arm = trials(Claim(p, better, 0.0)) / 2
    assert per_arm == pytest.approx(samplesize_proportions_2indep_onetail(better - p, p, 0.8, ratio=1, alpha=0.05), rel=0.002)


def test_one_point_more_than_90_percent_takes_13500_test_rows_an_arm():
    assert trials(Claim(0.9, 0.91, 0.0)) / 2 == pytest.approx(13_495, rel=1e-3)


def test_unequal_arms_take_more_as_statsmodels_says():
    n_control = NormalIndPower().solve_power(0.002 / math.sqrt(0.05 * 0.95), power=0.8, alpha=0.05, ratio=3 / 7)
    assert trials(replace(GUARD, planned_n=None), share=0.3) == pytest.approx(n_control * 10 / 7, rel=1e-3)


@pytest.mark.parametrize(("planned_n", "power", "share"), [(20_000, 0.8, 0.5), (900_000, 0.8, 0.1), (5_000, 0.95, 0.3)])
def test_a_sequence_takes_what_another_solver_of_the_papers_formula_finds(planned_n, power, share):
    def off(n):
        spread = math.sqrt(0.05 * 0.95 / (n * share * (1 - share)))
        return (factor(n, planned_n) + norm.ppf(power)) * spread - 0.002

    found = trials(replace(GUARD, planned_n=planned_n, power_fraction=power), share)
    assert found == pytest.approx(brentq(off, 1e3, 1e9), rel=1e-6)


def test_looking_all_the_time_costs_what_growthbook_says():
    """gbstats 0.8.0, power in the middle of a test of 20,000 users at N* 20,000: 50,605 more for one look, 127,031 more for a sequence."""
    effect = (norm.ppf(0.975) + norm.ppf(0.8)) * math.sqrt(4 * 0.05 * 0.95 / (20_000 + 50_605))
    so_far = gathered_of(Counts(500, 10_000), Counts(500, 10_000), 5_000.0)
    fixed, sequential = (trials(Claim(0.05, 0.05, effect, planned_n=planned), so_far=so_far) for planned in (None, 20_000))
    assert (fixed - 20_000, sequential - 20_000) == (pytest.approx(50_605, abs=2), pytest.approx(127_031, abs=20))


@pytest.mark.parametrize("share", [0.5, 0.3, 0.05])
def test_at_the_forecast_four_of_five_equal_arms_are_shown_to_be_no_worse(share):
    n, draws, runs = round(trials(GUARD, share)), np.random.default_rng(3), 1500
    sizes = round(n * share), n - round(n * share)
    pairs = zip(*(draws.binomial(size, 0.05, runs) for size in sizes), strict=True)
    shown = sum(confidence_sequence(Counts(int(ours), sizes[0]), Counts(int(theirs), sizes[1]), 20_000).high < 0.002 for ours, theirs in pairs)
    assert shown / runs == pytest.approx(0.8, abs=0.035)


def test_at_the_forecast_four_of_five_true_effects_are_found():
    claim = Claim(0.8, 0.81, 0.0, planned_n=50_000)
    n, draws, runs = round(trials(claim) / 2), np.random.default_rng(4), 1500
    pairs = zip(*(draws.binomial(n, p, runs) for p in (0.81, 0.8)), strict=True)
    found = sum(confidence_sequence(Counts(int(ours), n), Counts(int(theirs), n), 50_000).low > 0 for ours, theirs in pairs)
    assert found / runs == pytest.approx(0.8, abs=0.035)


def test_at_the_forecast_of_a_ramp_four_of_five_are_shown_within_blocks():
    ramp = [Leg(3.0, 20_000, 0.05), Leg(2.0, 20_000, 0.2), Leg(math.inf, 20_000, 0.5)]
    days = forecast(replace(GUARD, bound_fraction=0.007), ramp, Gathered(), 180).days
    assert 6 < days < 12
    draws, runs, shown = np.random.default_rng(5), 600, 0
    steps = [(20_000 * length, each.treatment_share) for length, each in zip((3.0, 2.0, days - 5), ramp, strict=True)]
    sizes = [(round(n * share), round(n * (1 - share))) for n, share in steps]
    for _ in range(runs):
        ours, theirs = ([Counts(int(draws.binomial(size[arm], 0.05)), size[arm]) for size in sizes] for arm in (0, 1))
        found = strata(ours, theirs)
        shown += sequence_of(found, 20_000, 0.05, found.variance).high < 0.007
    assert shown / runs == pytest.approx(0.8, abs=0.05)


def test_without_an_event_the_exact_limits_are_waited_for():
    n = round(trials(Claim(0.0, 0.0, 0.002, planned_n=20_000)) / 2)
    now, sooner = (difference_so_far(Counts(0, size), Counts(0, size), 20_000).high for size in (n + 1, round(0.95 * n)))
    assert now < 0.002 < sooner


def test_requests_that_go_together_count_less():
    assert trials(replace(GUARD, planned_n=None, inflation=2.5)) == pytest.approx(2.5 * trials(replace(GUARD, planned_n=None)))


def test_what_is_gathered_counts_with_the_split_that_it_had():
    whole = forecast(GUARD, [Leg(math.inf, 1000.0, 0.2)], Gathered(), MOST)
    half = after([Leg(math.inf, 1000.0, 0.2)], Gathered(), whole.days / 2)
    assert forecast(GUARD, [Leg(math.inf, 1000.0, 0.2)], half, MOST).days == pytest.approx(whole.days / 2)
    assert forecast(GUARD, [], after([Leg(math.inf, 1000.0, 0.2)], Gathered(), 1.01 * whole.days), MOST).days == 0


@pytest.mark.parametrize("leg", [Leg(math.inf, 0.0, 0.5), Leg(math.inf, 1000.0, 0.0), Leg(math.inf, 1000.0, 1.0), Leg(3.0, 1000.0, 0.5)])
def test_what_brings_nothing_more_never_tells(leg):
    assert forecast(GUARD, [leg], Gathered(), 180.0) is None


def test_a_margin_a_hair_wide_is_never_passed_and_a_whole_one_at_once():
    assert trials(replace(GUARD, bound_fraction=1e-9)) is None
    assert trials(replace(GUARD, bound_fraction=0.9)) < 200


@given(st.floats(0.0, 0.5), st.floats(0.0005, 0.2), st.floats(0.05, 0.95), st.floats(1.0, 50.0))
def test_the_forecast_is_the_first_moment_and_stays_told(p, margin, share, inflation):
    claim = Claim(p, p, margin, inflation=inflation, planned_n=20_000)
    course = [Leg(math.inf, 1000.0, share)]
    found = forecast(claim, course, Gathered(), 1e7)
    if found is not None:
        assert is_told(claim, after(course, Gathered(), found.days))
        assert is_told(claim, after(course, Gathered(), 3 * found.days + 1))
        assert not is_told(claim, after(course, Gathered(), 0.5 * found.days))


def test_no_other_plan_takes_fewer_requests_than_the_settled_one():
    best = settled_plan(lambda planned: trials(replace(GUARD, planned_n=planned), 0.3))
    assert trials(replace(GUARD, planned_n=best), 0.3) == pytest.approx(best, rel=1e-4)
    assert min(trials(replace(GUARD, planned_n=best * times), 0.3) for times in (0.3, 0.7, 1.5, 4.0)) > best


def test_where_it_is_never_told_there_is_no_plan():
    assert settled_plan(lambda planned: trials(replace(GUARD, bound_fraction=1e-9, planned_n=planned))) is None


def test_days_follow_from_the_course():
    assert forecast(GUARD, [Leg(math.inf, 31_000.0, 0.5)], Gathered(), 180) == Forecast(pytest.approx(28.17, abs=0.01), pytest.approx(873_320, rel=1e-5))


@pytest.mark.parametrize(("needed", "planned"), [(713_916.1, 714_000), (12.0, 12), (0.2, 1), (99_999.0, 100_000), (1_000.0, 1_000)])
def test_what_is_planned_is_never_fewer(needed, planned):
    assert rounded_up(needed) == planned


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"control_fraction": 1.2}, "control_fraction is 1.2"),
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"power_fraction": 1.0}, "power_fraction is 1.0"),
        ({"inflation": 0.5}, "inflation is 0.5"),
        ({"planned_n": 0}, "planned_n is 0"),
        ({"bound_fraction": 0.0}, "is the bound"),
    ],
)
def test_numbers_out_of_range_are_named(changes, names):
    with pytest.raises(ValueError, match=names):
        replace(GUARD, **changes)
