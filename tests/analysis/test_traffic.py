"""The sample ratio against scipy, and when it is red."""

import math

import pytest
from scipy import stats

from live_dashboards.analysis.statistics.proportions import sample_ratio


@pytest.mark.parametrize(("observed", "planned"), [((5050, 4950), (0.5, 0.5)), ((700, 310), (0.7, 0.3)), ((10, 20, 31), (0.2, 0.3, 0.5))])
def test_statistic_and_p_are_scipys(observed, planned):
    expected = stats.chisquare(observed, [sum(observed) * share for share in planned])
    found = sample_ratio(observed, planned)
    assert (found.chi2, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))


@pytest.mark.parametrize(("observed", "share"), [((1, 0), 0.5), ((700, 299), 0.7), ((60, 40), 0.5), ((3, 0), 0.01), ((0, 25), 0.2)])
def test_two_arms_with_few_requests_have_the_exact_binomial_p(observed, share):
    expected = stats.binomtest(observed[0], sum(observed), share).pvalue
    assert sample_ratio(observed, (share, 1 - share)).p_value == pytest.approx(expected, rel=1e-9)


def test_no_request_at_all_is_no_ratio():
    with pytest.raises(ValueError, match="observed"):
        sample_ratio((0, 0), (0.5, 0.5))


def test_a_large_and_sure_difference_is_red():
    assert sample_ratio((52_000, 48_000), (0.5, 0.5)).flag == "red"


def test_a_sure_but_tiny_difference_is_amber():
    assert sample_ratio((500_600_000, 499_400_000), (0.5, 0.5)).flag == "amber"


def test_an_unsure_difference_is_ok():
    assert sample_ratio((52, 48), (0.5, 0.5)).flag == "ok"


def test_traffic_where_none_was_planned_is_red_and_an_empty_arm_there_is_nothing():
    found = sample_ratio((700, 300, 1), (0.7, 0.3, 0.0))
    assert (found.chi2, found.p_value, found.flag) == (math.inf, 0.0, "red")
    assert sample_ratio((700, 300, 0), (0.7, 0.3, 0.0)) == sample_ratio((700, 300), (0.7, 0.3))


@pytest.mark.parametrize(
    ("observed", "planned", "name"),
    [
        ((1,), (0.5, 0.5), "planned"),
        ((-1, 2), (0.5, 0.5), "observed"),
        ((1, 2), (0.5, 0.6), "planned"),
        ((1, 2), (-0.5, 1.5), "planned"),
        ((1, math.nan), (0.5, 0.5), "observed"),
    ],
)
def test_impossible_input_is_refused_by_name(observed, planned, name):
    with pytest.raises(ValueError, match=name):
        sample_ratio(observed, planned)
