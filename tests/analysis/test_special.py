"""Our special functions against scipy, over a wide grid and at the extremes."""

import math

import numpy as np
import pytest
from scipy import special, stats

from live_dashboards.analysis.special import binomial_at_most, chi_square_tail, lower_beta, upper_gamma


def test_upper_gamma_is_scipys():
    for a in (0.5, 1.0, 1.5, 3.0, 17.5, 120.0, 1e4):
        for ratio in (1e-6, 0.01, 0.5, 0.9, 1.0, 1.1, 2.0, 8.0):
            assert upper_gamma(a, a * ratio) == pytest.approx(special.gammaincc(a, a * ratio), rel=1e-9, abs=1e-300), (a, ratio)


def test_lower_beta_is_scipys():
    values = (0.5, 1.0, 2.5, 30.0, 1e3, 1e6)
    for a in values:
        for b in values:
            mean = a / (a + b)
            for x in (1e-9, mean * 0.5, mean * 0.99, mean, min(0.999999, mean * 1.01), 1 - (1 - mean) * 0.5):
                assert lower_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-12), (a, b, x)


def test_tails_are_scipys():
    for statistic in (0.0, 0.1, 3.84, 10.8, 200.0):
        for freedom in (1, 2, 9):
            assert chi_square_tail(statistic, freedom) == pytest.approx(stats.chi2.sf(statistic, freedom), rel=1e-9, abs=1e-300)
    for n in (1, 20, 1000, 10**9):
        for k in sorted({0, n // 3, n // 2, n - 1, n}):
            assert binomial_at_most(k, n, 0.5) == pytest.approx(stats.binom.cdf(k, n, 0.5), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(("function", "arguments"), [(upper_gamma, (0, 1)), (upper_gamma, (1, -1)), (lower_beta, (0, 1, 0.5)), (lower_beta, (1, 1, 1.5))])
def test_what_has_no_value_is_refused(function, arguments):
    with pytest.raises(ValueError, match="must be"):
        function(*arguments)


def test_at_a_billion_trials_it_is_a_number_and_quick():
    assert all(math.isfinite(lower_beta(events + 0.5, 1e9 - events + 0.5, 0.3)) for events in np.linspace(0, 1e9, 21))
