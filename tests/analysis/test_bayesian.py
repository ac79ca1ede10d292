"""The chance to beat against numerical integration by scipy, draws, and a printed value."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from live_dashboards.analysis.statistics.proportions import Counts, chance_to_beat

CASES = [
    ((499_900_000, 10**9), (500_000_000, 10**9)),
    ((3, 10), (500_000_000, 10**9)),
    ((500, 10_000), (560, 10_000)),
    ((0, 50), (3, 60)),
    ((3, 10), (9, 1000)),
    ((1, 1), (0, 1)),
    ((12, 1_000_000), (20, 1_000_000)),
    ((70, 100), (69_000, 100_000)),
]


def by_quadrature(control, treatment):
    (x1, n1), (x2, n2) = control, treatment
    one, two = stats.beta(x1 + 0.5, n1 - x1 + 0.5), stats.beta(x2 + 0.5, n2 - x2 + 0.5)
    return integrate.quad(lambda share: two.sf(one.ppf(share)), 0, 1, limit=400, epsabs=1e-12)[0]


def test_the_printed_value():
    assert chance_to_beat(Counts(560, 10_000), Counts(500, 10_000)).probability == pytest.approx(0.970894, abs=5e-7)


@pytest.mark.parametrize(("control", "treatment"), CASES)
def test_the_chance_is_that_of_numerical_integration(control, treatment):
    found = chance_to_beat(Counts(*treatment), Counts(*control)).probability
    assert found == pytest.approx(by_quadrature(control, treatment), abs=1e-9)


@pytest.mark.parametrize(("control", "treatment"), CASES)
def test_the_loss_is_that_of_draws(control, treatment):
    random = np.random.default_rng(1)
    one, two = (random.beta(x + 0.5, n - x + 0.5, 2_000_000) for x, n in (control, treatment))
    loss = np.maximum(one - two, 0).mean()
    spread = np.maximum(one - two, 0).std() / np.sqrt(2_000_000)
    assert chance_to_beat(Counts(*treatment), Counts(*control)).expected_loss == pytest.approx(loss, abs=5 * spread)


COUNTS = st.integers(1, 10**9).flatmap(lambda n: st.builds(Counts, st.integers(0, n), st.just(n)))


@settings(max_examples=60, deadline=None)
@given(COUNTS, COUNTS)
def test_on_any_counts_it_is_a_probability_and_turns_over(one, other):
    found, turned = chance_to_beat(one, other), chance_to_beat(other, one)
    lower = chance_to_beat(other, one, higher_is_better=False)
    assert 0 <= found.probability <= 1
    assert found.probability + turned.probability == pytest.approx(1.0, abs=1e-9)
    assert lower.probability == pytest.approx(found.probability, abs=1e-9)
    assert 0 <= found.expected_loss <= 1
    means = [(arm.events + 0.5) / (arm.n + 1) for arm in (one, other)]
    assert turned.expected_loss - found.expected_loss == pytest.approx(means[0] - means[1], abs=1e-9)


def test_where_integration_misses_the_spike_the_leading_term_is_met():
    """Beta(½, 10⁹ + ½) above Beta(½, 1½): F₁(p) is about 4√p/π near 0, and the mean of √p there 1/√(π 10⁹)."""
    found = chance_to_beat(Counts(0, 10**9), Counts(0, 1)).probability
    assert found == pytest.approx(4 / math.pi / math.sqrt(math.pi * 1e9), rel=1e-6)


def test_two_arms_of_a_billion_are_compared_as_two_normal_ones():
    gap, spread = 1e-5, math.sqrt(2 * 0.25 / 1e9)
    found = chance_to_beat(Counts(500_010_000, 10**9), Counts(500_000_000, 10**9))
    assert found.probability == pytest.approx(stats.norm.cdf(gap / spread), rel=1e-8)
    assert found.expected_loss == pytest.approx(spread * stats.norm.pdf(gap / spread) - gap * stats.norm.sf(gap / spread), rel=1e-8)


@pytest.mark.parametrize("prior", [(1, 1), (0.1, 0.1), (1 / 3, 1 / 3), (20, 400)])
def test_the_prior_counts_as_events_and_non_events_seen_before(prior):
    one, two = stats.beta(prior[0] + 2, prior[1] + 48), stats.beta(prior[0] + 5, prior[1] + 35)
    expected = integrate.quad(lambda share: two.sf(one.ppf(share)), 0, 1, limit=400, epsabs=1e-12)[0]
    assert chance_to_beat(Counts(5, 40), Counts(2, 50), prior).probability == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("prior", [(0.05, 1), (1, 0), (1, -1), (float("nan"), 1), (1, float("nan")), (1, float("inf"))])
def test_a_prior_that_says_all_or_nothing_is_refused(prior):
    with pytest.raises(ValueError, match="prior"):
        chance_to_beat(Counts(1, 2), Counts(1, 2), prior=prior)
