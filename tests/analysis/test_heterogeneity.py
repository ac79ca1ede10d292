"""Cochran's Q: as scipy and statsmodels have it, at its level where nothing differs, and sure of one group that does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from live_dashboards.analysis.statistics.heterogeneity import cochran_q, contrasts_q
from live_dashboards.analysis.statistics.proportions import Counts


def test_q_by_hand():
    found = cochran_q((0.01, 0.03), (0.0001, 0.0003))
    # (0.02)² / (0.0001 + 0.0003)
    assert found.q == pytest.approx(1.0)
    assert found.degrees == 1


@pytest.mark.parametrize("count", [2, 3, 20])
def test_q_and_its_p_are_those_of_other_libraries(count):
    from statsmodels.stats.meta_analysis import combine_effects

    draws = np.random.default_rng(count)
    estimates, variances = draws.normal(0, 0.02, count), draws.uniform(1e-4, 1e-3, count)
    with np.errstate(invalid="ignore"):  # of its random effects
        found, theirs = cochran_q(tuple(estimates), tuple(variances)), combine_effects(estimates, variances, method_re="dl")
    assert found.q == pytest.approx(theirs.q)
    assert found.p_value == pytest.approx(chi2.sf(theirs.q, count - 1), rel=1e-9)


def test_estimates_that_are_the_same_do_not_differ():
    assert cochran_q((0.01, 0.01), (1e-4, 1e-3)).p_value == 1.0


@pytest.mark.parametrize(("estimates", "variances"), [((0.1,), (1.0,)), ((0.1, 0.2), (1.0,)), ((0.1, 0.2), (1.0, 0.0))])
def test_what_has_no_q_is_refused(estimates, variances):
    with pytest.raises(ValueError, match="two at least, and variances above 0"):
        cochran_q(estimates, variances)


def drawn(draws, rates, sizes, blocks=96):
    """Groups whose rate drifts over the blocks, all alike but for their own factor, each beside all before it."""
    drift = 1 + 0.5 * np.sin(np.arange(blocks) / 15)
    n = [draws.poisson(size, blocks) + 1 for size in sizes]
    events = [draws.binomial(own, rate * drift) for own, rate in zip(n, rates, strict=True)]
    return [(counts(events[group], n[group]), counts(sum(events[:group]), sum(n[:group]))) for group in range(1, len(sizes))]


def counts(events, n):
    return [Counts(int(x), int(of)) for x, of in zip(events, n, strict=True)]


def test_groups_that_are_the_same_differ_as_seldom_as_they_should():
    draws = np.random.default_rng(7)
    found = [contrasts_q(drawn(draws, (0.02,) * 4, (60, 40, 20, 10))).p_value for _ in range(300)]
    assert sum(p < 0.05 for p in found) / len(found) == pytest.approx(0.04, abs=0.03)


def test_one_group_that_fails_more_is_found_in_whichever_place():
    draws = np.random.default_rng(8)
    for place in range(3):
        rates = [0.02] * 3
        rates[place] = 0.08
        found = contrasts_q(drawn(draws, rates, (40, 40, 40)))
        assert found.degrees == 2
        assert found.p_value < 0.001


def test_two_groups_are_told_apart_by_their_difference():
    found = contrasts_q([([Counts(10, 1000)] * 4, [Counts(20, 1000)] * 4)])
    # below 8 blocks Sato's variance, here that of two binomials in blocks of one size
    assert found.q == pytest.approx(0.01**2 / ((0.01 * 0.99 + 0.02 * 0.98) / 4000), rel=1e-3)
    assert found.p_value == pytest.approx(chi2.sf(found.q, 1), rel=1e-9)


def test_groups_with_too_few_events_tell_nothing():
    assert contrasts_q([([Counts(1, 20)], [Counts(0, 20)]), ([], [])]) is None
    assert contrasts_q([]) is None
