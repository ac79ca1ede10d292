"""Adjusted p-values against statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from live_dashboards.analysis.statistics.proportions import adjust


@pytest.mark.parametrize("method", ["holm", "fdr_bh"])
def test_they_are_those_of_statsmodels(method):
    random = np.random.default_rng(5)
    for size in (1, 2, 3, 10, 40):
        p_values = list(random.uniform(0, 1, size) ** 3)
        assert adjust(p_values, method) == pytest.approx(multipletests(p_values, method=method)[1])


def test_ties_and_nothing_are_fine():
    assert adjust([0.04, 0.01, 0.01]) == pytest.approx([0.04, 0.03, 0.03])
    assert adjust([]) == []


@pytest.mark.parametrize(("p_values", "method", "name"), [([0.1], "bonferroni", "method"), ([1.1], "holm", "p_values"), ([float("nan")], "holm", "p_values")])
def test_impossible_input_is_refused_by_name(p_values, method, name):
    with pytest.raises(ValueError, match=name):
        adjust(p_values, method)
