import math

import pytest

from live_dashboards.analysis.statistics.latency import bucket_quantile

EDGES = (0.1, 0.25, 0.5, math.inf)


def test_quantile_is_interpolated_within_its_bucket():
    found = bucket_quantile(EDGES, (50, 90, 100, 100), 0.95)
    assert found is not None
    assert (found.point, found.low, found.high) == (pytest.approx(0.375), 0.25, 0.5)


def test_first_bucket_starts_at_zero():
    found = bucket_quantile(EDGES, (100, 100, 100, 100), 0.5)
    assert found is not None
    assert (found.point, found.low) == (pytest.approx(0.05), 0)


def test_last_bucket_gives_its_lower_edge_and_no_upper_one():
    found = bucket_quantile(EDGES, (1, 2, 3, 100), 0.95)
    assert found is not None
    assert (found.point, found.low, found.high) == (0.5, 0.5, math.inf)


def test_nothing_observed_has_no_quantile():
    assert bucket_quantile(EDGES, (0, 0, 0, 0), 0.95) is None


def test_a_histogram_without_inf_bucket_has_no_quantile():
    assert bucket_quantile(EDGES[:-1], (50, 90, 100), 0.95) is None


def test_extrapolated_counts_that_shrink_in_the_last_digits_are_forced_to_grow():
    found = bucket_quantile(EDGES, (50.0, 49.9999, 100.0, 99.9999), 0.95)
    assert found is not None
    assert found.low == 0.25
