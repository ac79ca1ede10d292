"""Coverage by full enumeration, and what more data does to an interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import test_proportions_2indep as proportions_test

from live_dashboards.analysis.statistics.proportions import Counts, difference, non_inferiority, ratio, wilson
from live_dashboards.analysis.statistics.sequential import confidence_sequence


def coverage(limits, p1, n1, p2, n2):
    """How often the limits (of every table that can come out) hold p2 - p1."""
    weights = np.outer(binom.pmf(range(n1 + 1), n1, p1), binom.pmf(range(n2 + 1), n2, p2))
    seldom = 1e-9
    held = 0.0
    for x1, x2 in zip(*np.nonzero(weights > seldom), strict=True):
        low, high = limits(Counts(int(x2), n2), Counts(int(x1), n1))
        held += weights[x1, x2] * (low <= p2 - p1 <= high)
    return held


def newcombe(treatment, control):
    found = difference(treatment, control)
    return found.low, found.high


def wald(treatment, control):
    spread = 1.959964 * np.sqrt(sum(arm.proportion * (1 - arm.proportion) / arm.n for arm in (treatment, control)))
    centre = treatment.proportion - control.proportion
    return centre - spread, centre + spread


@pytest.mark.parametrize(("p1", "n1", "p2", "n2"), [(0.01, 200, 0.02, 800), (0.9, 50, 0.92, 50), (0.002, 200, 0.002, 200), (0.05, 30, 0.1, 60), (0.5, 20, 0.5, 20)])
def test_newcombes_interval_holds_the_difference_in_94_percent_and_more(p1, n1, p2, n2):
    assert coverage(newcombe, p1, n1, p2, n2) >= 0.94


def test_walds_does_not():
    assert coverage(wald, 0.01, 200, 0.02, 800) < 0.93


@st.composite
def proportions(draw):
    """Two arms of up to 200, and how many times as many there are later."""
    n2, n1 = draw(st.integers(1, 200)), draw(st.integers(1, 200))
    return Counts(draw(st.integers(0, n2)), n2), Counts(draw(st.integers(0, n1)), n1), draw(st.integers(2, 1000))


def more(arm, times):
    return Counts(arm.events * times, arm.n * times)


@given(proportions())
def test_more_data_of_the_same_proportions_give_narrower_limits(case):
    treatment, control, times = case
    few, many = difference(treatment, control), difference(more(treatment, times), more(control, times))
    assert many.high - many.low < few.high - few.low
    assert wilson(more(treatment, times))[1] - wilson(more(treatment, times))[0] < wilson(treatment)[1] - wilson(treatment)[0]
    early, late = (confidence_sequence(*arms, planned_n=400) for arms in ((treatment, control), (more(treatment, times), more(control, times))))
    assert late.high - late.low <= early.high - early.low


@given(proportions())
def test_more_data_narrow_a_ratio(case):
    treatment, control, times = case
    few, many = ratio(treatment, control), ratio(more(treatment, times), more(control, times))
    assert many.low >= few.low * (1 - 1e-9)
    assert many.high <= few.high * (1 + 1e-9)


@pytest.mark.parametrize(
    ("treatment", "control", "margin"),
    [((105, 10_000), (100, 10_000), 0.01), ((220, 2_000), (150, 2_000), 0.02), ((50, 800), (48, 800), 0.01), ((900, 5_000), (1_000, 5_000), 0.005)],
)
def test_non_inferiority_agrees_with_farrington_and_manning_away_from_the_border(treatment, control, margin):
    found = non_inferiority(Counts(*treatment), Counts(*control), margin)
    test = proportions_test(*treatment, *control, value=margin, compare="diff", method="score", alternative="smaller", correction=False)
    assert abs(test.pvalue - 0.05) > 0.01
    assert (found.outcome == "shown") is bool(test.pvalue < 0.05)


@pytest.mark.parametrize(("x2", "n2", "x1", "n1"), [(20, 1000, 10, 1000), (3, 50, 9, 80), (60, 500, 20, 500), (450, 500, 430, 500)])
def test_mover_r_solves_the_quadratics_of_its_paper(x2, n2, x1, n1):
    """Donner & Zou 2012: the ratio's limits are where p2 - θ p1, with Wilson limits by MOVER, has a limit of 0."""
    (l2, u2), (l1, u1) = wilson(Counts(x2, n2)), wilson(Counts(x1, n1))
    p2, p1 = x2 / n2, x1 / n1
    low = np.roots([p1**2 - (u1 - p1) ** 2, -2 * p1 * p2, p2**2 - (p2 - l2) ** 2]).min()
    high = np.roots([p1**2 - (p1 - l1) ** 2, -2 * p1 * p2, p2**2 - (u2 - p2) ** 2]).max()
    found = ratio(Counts(x2, n2), Counts(x1, n1))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)
