"""Whether errors cluster."""

import numpy as np
import pytest

from live_dashboards.analysis.statistics.stratified import overdispersion


def test_independent_errors_have_a_factor_of_about_1():
    random = np.random.default_rng(1)
    arms = [[(int(x), 100) for x in random.binomial(100, 0.02, 400)] for _ in range(2)]
    assert overdispersion(arms) == pytest.approx(1.0, abs=0.12)


def test_bursts_raise_it_as_theory_says():
    """With a beta-binomial of correlation r, the variance is 1 + (n - 1) r times the binomial one."""
    random, r, p = np.random.default_rng(2), 0.05, 0.02
    rates = random.beta(p * (1 - r) / r, (1 - p) * (1 - r) / r, 4000)
    assert overdispersion([[(int(x), 100) for x in random.binomial(100, rates)]]) == pytest.approx(1 + 99 * r, rel=0.15)


def test_it_is_pearsons_statistic_over_its_freedom():
    windows = [(1, 10), (4, 10), (1, 10)]
    assert overdispersion([windows]) == pytest.approx(((1 - 2) ** 2 + (4 - 2) ** 2 + (1 - 2) ** 2) / (10 * 0.2 * 0.8) / 2)


@pytest.mark.parametrize("arms", [[], [[]], [[(0, 10), (0, 10)]], [[(10, 10), (5, 5)]], [[(1, 10)]], [[(1, 10), (0, 0)]]])
def test_where_nothing_can_be_told_it_is_1(arms):
    assert overdispersion(arms) == 1.0


@pytest.mark.parametrize("window", [(3, 2), (3, 0), (-1, 0), (0, -1)])
def test_more_errors_than_requests_are_refused(window):
    with pytest.raises(ValueError, match="increments"):
        overdispersion([[window, (1, 5)]])
