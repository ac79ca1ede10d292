"""The intervals of the net value against independent draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_dashboards.analysis.business_uncertainty import probability_above
from live_dashboards.analysis.proportions import Counts, difference
from live_dashboards.model.business_case import EffectInput, LevelInterval
from live_dashboards.model.measurement import Interval, Measurement, Origin
from tests.support.business_cases import LEVELS, case, inputs

DRAWS = 400_000
ACCURACY, LATENCY, ERRORS = (0.036, 0.004), (2.0, 0.5), (0.0005, 0.0002)


def simulated_net(seed, *, volume=10_000_000.0, multiplier=0.005, per_ms=0.0001, per_error=50.0, accuracy=None, requests=50_000.0):
    """Net value a year by formula 6 of the design, drawn anew."""
    random = np.random.default_rng(seed)
    improvement = random.normal(*ACCURACY, DRAWS) if accuracy is None else accuracy(random)
    slower, fewer = random.normal(*LATENCY, DRAWS), random.normal(*ERRORS, DRAWS)
    return 365 * (volume * improvement * multiplier - requests * slower * per_ms + requests * fewer * per_error)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_the_analytic_interval_is_that_of_the_draws(level):
    net = simulated_net(7)
    tail = 50 * (1 - level)
    found = case().net_interval(level)
    width = found.high - found.low
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(net, [tail, 100 - tail])), abs=0.01 * width)


def test_the_chance_of_a_gain_is_that_of_the_draws():
    measured = inputs(accuracy=(0.004, 0.004))
    random = np.random.default_rng(8)
    net = simulated_net(9, accuracy=lambda _: random.normal(0.004, 0.004, DRAWS))
    assert case(measured).probability_net_positive.value == pytest.approx(np.mean(net > 0), abs=0.003)


def test_with_few_test_rows_the_interval_follows_newcombes_as_the_posteriors_do():
    ours, theirs = Counts(183, 200), Counts(166, 200)
    levels = tuple(LevelInterval(level, Interval(difference(ours, theirs, level).low, difference(ours, theirs, level).high)) for level in LEVELS)
    side = Measurement("side", 1.0, "percent", Origin.LIVE)
    effect = EffectInput(Measurement("accuracy_improvement", 17 / 200, "fraction", Origin.LIVE, interval=levels[-1].interval), side, side, levels)
    measured = inputs()
    found = case(type(measured)(effect, measured.latency_increase, measured.error_rate_improvement, measured.requests_per_day)).net_interval(0.95)
    random = np.random.default_rng(10)
    net = simulated_net(11, accuracy=lambda _: random.beta(183.5, 17.5, DRAWS) - random.beta(166.5, 34.5, DRAWS))
    width = found.high - found.low
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(net, [2.5, 97.5])), abs=0.04 * width)


def test_roi_and_payback_are_the_net_values_limits_turned_over():
    found = case()
    low, high = found.net.interval.low, found.net.interval.high
    assert found.roi.interval.low == pytest.approx(100 * (low - 53_000) / 53_000)
    assert found.payback.interval.low == pytest.approx(53_000 * 365 / high)
    assert found.payback.interval.high == pytest.approx(53_000 * 365 / low)


def test_a_net_value_that_may_be_0_is_paid_back_at_an_open_end():
    found = case(inputs(accuracy=(0.004, 0.004), errors=(0.0, 0.00001)))
    assert found.net.value > 0 > found.net.interval.low
    assert found.payback.interval.high is None


def test_ranges_widen_the_interval_as_independent_draws_do():
    random = np.random.default_rng(12)
    net = simulated_net(13, per_error=random.uniform(20, 80, DRAWS), volume=random.uniform(5e6, 15e6, DRAWS))
    found = case(ERROR_COST_MULTIPLIER=(20.0, 80.0), BASE_TRADING_VOLUME=(5e6, 15e6))
    limits = found.net_interval(0.9)
    width = limits.high - limits.low
    assert (limits.low, limits.high) == pytest.approx(tuple(np.percentile(net, [5, 95])), abs=0.015 * width)
    assert found.net.value == pytest.approx(case().net.value)
    assert found.probability_net_positive.value == pytest.approx(np.mean(net > 0), abs=0.003)


def test_the_statistical_and_the_assumed_part_are_told_apart():
    found = case(ERROR_COST_MULTIPLIER=(20.0, 80.0))
    alone = case()
    assert found.spread.statistical == alone.net.interval
    per_dollar = 365 * 50_000 * ERRORS[0]
    assert found.spread.assumed.high - found.spread.assumed.low == pytest.approx(0.95 * 60 * per_dollar, rel=0.01)
    assert alone.spread.assumed is None
    assert found.net.interval.high > alone.net.interval.high


def test_the_same_seed_gives_the_same_draws_and_another_one_others():
    one, again, other = (case(seed=seed, ERROR_COST_MULTIPLIER=(20.0, 80.0)).net.interval for seed in (1, 1, 2))
    assert one == again != other


def test_without_n_a_range_alone_gives_no_interval():
    found = case(inputs(accuracy=0.036), ERROR_COST_MULTIPLIER=(20.0, 80.0))
    assert (found.net.interval, found.probability_net_positive.value) == (None, None)
    assert found.spread.assumed is not None


EFFECTS = st.tuples(
    st.tuples(st.floats(-0.5, 0.5), st.floats(1e-6, 0.1)), st.tuples(st.floats(-500, 500), st.floats(1e-6, 50)), st.tuples(st.floats(-0.5, 0.5), st.floats(1e-9, 0.1))
)


@settings(max_examples=200, deadline=None)
@given(EFFECTS, st.floats(0, 1e9))
def test_every_interval_holds_its_estimate_and_chance_and_interval_agree(effects, requests):
    found = case(inputs(*effects, requests))
    limits = found.net.interval
    assert limits.low <= found.net.value <= limits.high
    chance = found.probability_net_positive.value
    assert 0 <= chance <= 1
    assert (chance > 0.975 + 1e-9) <= (limits.low >= 0)
    assert (limits.low > 0) <= (chance >= 0.975 - 1e-9)


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 1e8), st.floats(0, 1e8))
def test_more_volume_never_lowers_the_revenue_of_a_better_model(small, large):
    revenues = [case(BASE_TRADING_VOLUME=volume).terms[0].value.value for volume in sorted((small, large))]
    assert revenues[0] <= revenues[1]


def test_a_certain_value_is_surely_above_what_is_below_it():
    assert probability_above(0.0, 1.0, Interval(1.0, 1.0)) == 1.0
    assert probability_above(0.0, -1.0, Interval(-1.0, -1.0)) == 0.0
    assert probability_above(0.0, 0.0, Interval(0.0, 0.0)) == 0.5
