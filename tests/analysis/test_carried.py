"""What carries a harm: an incident is told with its moments, a harm that is there all the time is not."""

from datetime import UTC, datetime

import numpy as np
import pytest

from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.analysis.statistics.stratified import strata
from live_dashboards.analysis.verdict.blocks import carried

HOUR, DAYS = 3600.0, 8
SPANS = tuple((HOUR * hour, HOUR * (hour + 1)) for hour in range(24 * DAYS))


def told(rates, *, seed=0, n=417):
    """What is told of a test with these hourly error rates of the challenger, and of 0.8 % in the baseline."""
    random = np.random.default_rng(seed)
    arms = ([Counts(int(random.binomial(n, rate)), n) for rate in each] for each in (rates, np.full(len(rates), 0.008)))
    treatment, control = arms
    return carried(strata(treatment, control), treatment, control, SPANS[: len(rates)])


def incident(first, last, rate=0.3):
    return np.where((np.arange(24 * DAYS) >= first) & (np.arange(24 * DAYS) < last), rate, 0.008)


def moment(hour):
    return datetime.fromtimestamp(HOUR * hour, UTC)


def test_an_incident_is_told_with_its_moments_and_the_difference_without_it():
    found = told(incident(100, 106))
    assert abs((found.begin - moment(100)).total_seconds()) <= HOUR
    assert abs((found.end - moment(106)).total_seconds()) <= HOUR
    assert found.share_percent > 85
    assert abs(found.without) < 0.1


@pytest.mark.parametrize(("first", "last"), [(0, 4), (24 * DAYS - 4, 24 * DAYS)])
def test_an_incident_at_either_end_is_told(first, last):
    found = told(incident(first, last))
    assert (found.begin <= moment(first + 1), found.end >= moment(last - 1)) == (True, True)


@pytest.mark.parametrize("points", [0.001, 0.0025, 0.005, 0.01])
def test_of_a_constant_difference_some_tenth_carries_much_by_chance_and_is_told_of_one_test_in_a_hundred(points):
    found = [told(np.full(24 * DAYS, 0.008 + points), seed=seed) for seed in range(120)]
    assert sum(each is not None for each in found) <= 5


def test_an_incident_on_top_of_a_harm_leaves_the_harm():
    found = told(np.where(incident(100, 106) > 0.1, 0.3, 0.018))
    assert found.without == pytest.approx(1.0, abs=0.15)
    assert 30 < found.share_percent < 70


def test_too_few_blocks_and_no_harm_tell_nothing():
    assert told(incident(3, 5)[:19]) is None
    assert told(np.full(24 * DAYS, 0.001)) is None


def test_a_stretch_is_a_tenth_of_the_time_also_where_blocks_are_of_unlike_length():
    random, spans, counts = np.random.default_rng(3), [], ([], [])
    second = 0.0
    for block in range(300):
        length = 900.0 if block < 192 else 3600.0
        spans.append((second, second + length))
        second += length
        n = round(length / 9)
        rate = 0.2 if 195 <= block < 199 else 0.01
        counts[0].append(Counts(int(random.binomial(n, rate)), n))
        counts[1].append(Counts(int(random.binomial(n, 0.01)), n))
    found = carried(strata(*counts), *counts, spans)
    assert (found.begin.timestamp(), found.end.timestamp()) == (spans[195][0], spans[198][1])
