"""The chance to beat against numerical integration by scipy, draws, and a printed value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from live_dashboards.analysis.proportions import Counts, chance_to_beat

CASES = [((500, 10_000), (560, 10_000)), ((0, 50), (3, 60)), ((3, 10), (9, 1000)), ((1, 1), (0, 1)), ((12, 1_000_000), (20, 1_000_000)), ((70, 100), (69_000, 100_000))]


def by_quadrature(control, treatment):
    (x1, n1), (x2, n2) = control, treatment
    one, two = stats.beta(x1 + 0.5, n1 - x1 + 0.5), stats.beta(x2 + 0.5, n2 - x2 + 0.5)
    return integrate.quad(lambda share: two.sf(one.ppf(share)), 0, 1, limit=400, epsabs=1e-10)[0]


def test_the_printed_value():
    assert chance_to_beat(Counts(560, 10_000), Counts(500, 10_000)).probability == pytest.approx(0.970894, abs=2e-6)


@pytest.mark.parametrize(("control", "treatment"), CASES)
def test_the_chance_is_that_of_numerical_integration(control, treatment):
    found = chance_to_beat(Counts(*treatment), Counts(*control)).probability
    assert found == pytest.approx(by_quadrature(control, treatment), abs=3e-6)


@pytest.mark.parametrize(("control", "treatment"), CASES)
def test_the_loss_is_that_of_draws(control, treatment):
    random = np.random.default_rng(1)
    one, two = (random.beta(x + 0.5, n - x + 0.5, 2_000_000) for x, n in (control, treatment))
    loss = np.maximum(one - two, 0).mean()
    spread = np.maximum(one - two, 0).std() / np.sqrt(2_000_000)
    assert chance_to_beat(Counts(*treatment), Counts(*control)).expected_loss == pytest.approx(loss, abs=5 * spread + 1e-7)


COUNTS = st.integers(1, 10**9).flatmap(lambda n: st.builds(Counts, st.integers(0, n), st.just(n)))


@settings(max_examples=60, deadline=None)
@given(COUNTS, COUNTS)
def test_on_any_counts_it_is_a_probability_and_turns_over(one, other):
    found, turned = chance_to_beat(one, other), chance_to_beat(other, one)
    lower = chance_to_beat(other, one, higher_is_better=False)
    assert 0 <= found.probability <= 1
    assert found.probability + turned.probability == pytest.approx(1.0, abs=1e-4)
    assert lower.probability == pytest.approx(found.probability, abs=1e-4)
    assert 0 <= found.expected_loss <= 1


def test_a_prior_with_poles_is_refused():
    with pytest.raises(ValueError, match="prior"):
        chance_to_beat(Counts(1, 2), Counts(1, 2), prior=(0.1, 1))
