"""The intervals of the net value against independent draws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_dashboards.analysis.business.terms import probability_above
from live_dashboards.analysis.statistics.proportions import Counts, difference
from live_dashboards.model.business_case import EffectInput
from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.stats import long_run_variance
from tests.support.business_cases import case, effect, inputs

DRAWS = 400_000
ACCURACY, LATENCY, ERRORS = (0.036, 0.004), (2.0, 0.5), (0.0005, 0.0002)


def simulated_net(seed, *, volume=10_000_000.0, multiplier=0.005, per_ms=0.0001, per_error=50.0, accuracy=None, requests=50_000.0):
    """Net value a year by formula 6 of the design, drawn anew."""
    random = np.random.default_rng(seed)
    improvement = random.normal(*ACCURACY, DRAWS) if accuracy is None else accuracy(random)
    slower, fewer = random.normal(*LATENCY, DRAWS), random.normal(*ERRORS, DRAWS)
    return 365 * (volume * improvement * multiplier - requests * slower * per_ms + requests * fewer * per_error)


def test_the_analytic_interval_is_that_of_the_draws():
    net = simulated_net(7)
    found = case().net.interval
    width = found.high - found.low
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(net, [2.5, 97.5])), abs=0.01 * width)


def test_the_chance_of_a_gain_is_that_of_the_draws():
    measured = inputs(accuracy=(0.004, 0.004))
    random = np.random.default_rng(8)
    net = simulated_net(9, accuracy=lambda _: random.normal(0.004, 0.004, DRAWS))
    assert case(measured).probability_net_positive.value == pytest.approx(np.mean(net > 0), abs=0.003)


def test_with_few_test_rows_the_interval_follows_newcombes_as_the_posteriors_do():
    ours, theirs = Counts(183, 200), Counts(166, 200)
    limits = Interval(difference(ours, theirs, 0.95).low, difference(ours, theirs, 0.95).high)
    side = Measurement("side", 1.0, "percent", Origin.LIVE)
    effect = EffectInput(Measurement("accuracy_improvement", 17 / 200, "fraction", Origin.LIVE, interval=limits), side, side, limits)
    measured = inputs()
    found = case(type(measured)(effect, measured.latency_increase, measured.error_rate_improvement, measured.requests_per_day)).net.interval
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
    limits = found.net.interval
    width = limits.high - limits.low
    assert (limits.low, limits.high) == pytest.approx(tuple(np.percentile(net, [2.5, 97.5])), abs=0.015 * width)
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


def measured_together(sign, blocks=400):
    """Errors and response times of the same blocks; where errors are more, requests are slower (1) or faster (-1). The effects' errors have these blocks' variance."""
    random = np.random.default_rng(14)
    shock = random.normal(0, 1, blocks)
    fewer, slower = -2e-5 * (shock + random.normal(0, 0.5, blocks)), 0.05 * (sign * shock + random.normal(0, 0.5, blocks))
    spreads = [float(np.sqrt(long_run_variance([float(value) for value in each], 0.0))) for each in (fewer, slower)]
    own = inputs()
    errors = effect("error_rate_improvement", ERRORS[0], spreads[0], residuals=map(float, fewer))
    latency = effect("latency_increase", LATENCY[0], spreads[1], residuals=map(float, slower))
    return replace(own, error_rate_improvement=errors, latency_increase=latency), fewer, slower


@pytest.mark.parametrize("sign", [1, -1])
def test_terms_of_the_same_blocks_are_summed_block_by_block(sign):
    measured, fewer, slower = measured_together(sign)
    per_error, per_ms = 365 * 50_000 * 50, 365 * 50_000 * 0.1
    found = case(measured, LATENCY_COST_PER_MS=0.1, BASE_TRADING_VOLUME=0.0)
    together = float(np.sqrt(long_run_variance([float(each) for each in per_error * fewer - per_ms * slower], 0.0)))
    assert (found.net.interval.high - found.net.interval.low) / 2 == pytest.approx(1.959964 * together, rel=1e-3)
    apart = sum(((term.value.interval.high - term.value.interval.low) / 2) ** 2 for term in found.terms) ** 0.5
    assert (1.959964 * together > 1.1 * apart) is (sign > 0)
    assert (1.959964 * together < 0.9 * apart) is (sign < 0)


@pytest.mark.parametrize("sign", [1, -1])
def test_draws_of_terms_of_the_same_blocks_go_together(sign):
    measured, _, _ = measured_together(sign)
    analytic = case(measured, LATENCY_COST_PER_MS=0.1, BASE_TRADING_VOLUME=0.0).net.interval
    drawn = case(measured, LATENCY_COST_PER_MS=0.1, BASE_TRADING_VOLUME=(0.0, 1e-9)).net.interval
    assert (drawn.low, drawn.high) == pytest.approx((analytic.low, analytic.high), rel=0.03, abs=0.02 * (analytic.high - analytic.low))


def test_the_chance_is_told_from_the_limits_for_one_look():
    own = inputs(accuracy=0.0, latency=(0.0, 1e-9), errors=(0.0005, 0.0002))
    wide = replace(own.error_rate_improvement, difference=replace(own.error_rate_improvement.difference, interval=Interval(-0.0005, 0.0015)))
    sure = replace(own.accuracy_improvement, one_look=Interval(0.0, 0.0), difference=replace(own.accuracy_improvement.difference, interval=Interval(0.0, 0.0)))
    found = case(replace(own, error_rate_improvement=wide, accuracy_improvement=sure))
    assert found.net.interval.low < 0
    assert found.probability_net_positive.value == pytest.approx(0.99379, abs=1e-4)  # 2.5 standard errors
    assert found.probability_net_positive.reason == "for one look"
