"""What the challenger is worth: hand-worked numbers, signs, zeros, and what is missing."""

import pytest

from live_dashboards.analysis.business.calculator import BusinessMetricsCalculator
from live_dashboards.analysis.business.report import build_business_report
from live_dashboards.analysis.business.terms import TERMS, TermFormula
from live_dashboards.errors import UsageError
from live_dashboards.model.business_case import Assumption
from live_dashboards.model.measurement import Origin
from live_dashboards.model.setting_types import Amount
from live_dashboards.sources.metrics import AbTestMetrics
from tests.support.business_cases import assumptions, case, inputs
from tests.support.snapshots import live, logging, settings, without_prometheus


def terms(found):
    return {term.name: term.value.value for term in found.terms}


def test_revenue_is_volume_times_improvement_times_multiplier_times_365():
    assert terms(case(inputs(accuracy=0.036)))["annual_revenue_increase"] == pytest.approx(657_000)


def test_cost_and_risk_grow_with_the_requests_of_a_day():
    found = terms(case(inputs(latency=2.0, errors=0.0005, requests=50_000.0)))
    assert found["annual_cost_increase"] == pytest.approx(50_000 * 2.0 * 0.0001 * 365)
    assert found["annual_risk_reduction"] == pytest.approx(50_000 * 0.0005 * 50 * 365)


def test_the_worked_example_holds():
    day = 50_000.0
    measured = inputs(accuracy=672_450 / (365 * 10_000_000 * 0.005), latency=28_930 / (365 * day * 0.0001), errors=42_180 / (365 * day * 50), requests=day)
    found = case(measured)
    assert found.net.value == pytest.approx(685_700)
    assert found.roi.value == pytest.approx(1193.77, abs=0.005)
    assert found.payback.value == pytest.approx(28.21, abs=0.005)


def test_a_faster_challenger_saves_and_more_errors_cost():
    found = case(inputs(latency=(-2.0, 0.1), errors=(-0.0005, 0.0001)))
    assert terms(found)["annual_cost_increase"] < 0
    assert terms(found)["annual_risk_reduction"] < 0
    contributions = {term.name: term.contribution.value for term in found.terms}
    assert contributions["annual_cost_increase"] > 0 > contributions["annual_risk_reduction"]
    assert found.net.value == pytest.approx(sum(contributions.values()))


@pytest.mark.parametrize("gone", ["accuracy", "latency", "errors"])
def test_a_missing_term_takes_net_roi_payback_and_chance_with_it_and_leaves_a_partial_total(gone):
    found = case(inputs(**{gone: None}))
    for result in (found.net, found.roi, found.payback, found.probability_net_positive, found.break_even_accuracy_improvement):
        assert (result.value, result.origin) == (None, Origin.MISSING)
        assert "not measured" in result.reason
    rest = [term for term in found.terms if term.value.value is not None]
    assert len(rest) == 2
    assert found.partial_terms == tuple(term.name for term in rest)
    assert found.partial_total.value == pytest.approx(sum(term.contribution.value for term in rest))
    assert (found.net.interval, found.swings, found.cash, found.break_evens) == (None, (), (), ())


def test_without_requests_only_revenue_is_left():
    found = case(inputs(requests=None))
    assert found.partial_terms == ("annual_revenue_increase",)
    assert "no requests" in found.net.reason


def test_without_n_there_are_points_and_the_one_reason_but_no_interval_and_no_chance():
    found = case(inputs(accuracy=0.036))
    for result in (found.net, found.roi, found.payback):
        assert result.value is not None
        assert (result.interval, result.reason) == (None, "no interval: n unknown")
    assert (found.probability_net_positive.value, found.probability_net_positive.reason) == (None, "no interval: n unknown")
    by_name = {term.name: term for term in found.terms}
    assert by_name["annual_revenue_increase"].value.interval is None
    assert by_name["annual_cost_increase"].value.interval is not None


def test_infrastructure_for_nothing_has_a_net_value_but_no_roi_and_nothing_to_pay_back():
    found = case(INFRASTRUCTURE_ANNUAL_COST=0.0)
    assert found.net.value is not None
    assert (found.roi.value, found.payback.value) == (None, None)
    assert "there is no ROI" in found.roi.reason
    assert "nothing to pay back" in found.payback.reason


def test_a_net_value_that_is_not_above_0_is_never_paid_back():
    found = case(inputs(accuracy=(-0.036, 0.004)))
    assert found.net.value < 0
    assert found.roi.value < -100
    assert (found.payback.value, found.payback.reason) == (None, "never paid back: the net value is not above 0")


def test_equal_accuracy_is_worth_nothing_and_has_no_sign():
    found = case(inputs(accuracy=(0.0, 0.001), latency=(0.0, 0.1), errors=(0.0, 0.0001)))
    assert (found.net.value, found.probability_net_positive.value) == (0.0, 0.5)


def test_at_its_break_even_accuracy_the_net_value_is_0():
    found = case()
    needed = found.break_even_accuracy_improvement.value
    assert case(inputs(accuracy=needed)).net.value == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("name", ["ACCURACY_REVENUE_MULTIPLIER", "LATENCY_COST_PER_MS", "ERROR_COST_MULTIPLIER", "BASE_TRADING_VOLUME"])
def test_at_the_break_even_of_a_parameter_the_net_value_is_0(name):
    measured = inputs(accuracy=(0.002, 0.001), latency=(50.0, 5.0), errors=(0.00005, 0.0001))
    flip = next(each for each in case(measured).break_evens if each.parameter == name)
    assert flip.amount is not None
    assert case(measured, **{name: flip.amount}).net.value == pytest.approx(0.0, abs=1e-6)


def test_where_no_amount_flips_the_answer_that_is_said():
    flip = next(each for each in case().break_evens if each.parameter == "ERROR_COST_MULTIPLIER")
    assert (flip.amount, flip.words) == (None, "no amount of it changes the sign")


def test_at_its_break_even_cost_the_roi_is_0():
    flip = next(each for each in case().break_evens if each.parameter == "INFRASTRUCTURE_ANNUAL_COST")
    assert case(INFRASTRUCTURE_ANNUAL_COST=flip.amount).roi.value == pytest.approx(0.0, abs=1e-9)


def test_cash_begins_with_the_cost_and_ends_with_net_less_cost():
    found = case()
    assert (found.cash[0].month, found.cash[0].value_usd) == (0.0, -53_000.0)
    assert (found.cash[-1].month, found.cash[-1].value_usd) == (12.0, pytest.approx(found.net.value - 53_000))
    assert found.cash[0].low_usd == found.cash[0].high_usd == -53_000.0


def test_the_net_value_knows_its_inputs_and_its_weakest_origin():
    found = case()
    assert {each.name for each in found.net.inputs} == {"annual_revenue_increase", "annual_cost_increase", "annual_risk_reduction"}
    assert {each.name for each in found.terms[1].value.inputs} == {"latency_increase", "requests_per_day"}
    assert found.net.origin is Origin.LIVE


def test_the_widest_swing_comes_first_and_a_parameter_without_a_range_does_not_swing():
    found = case(inputs(accuracy=(0.036, 0.004), latency=(2.0, 0.1), errors=(0.0005, 0.00001)), ERROR_COST_MULTIPLIER=(40.0, 60.0))
    names = [swing.name for swing in found.swings]
    assert names[0] == "accuracy_improvement"
    assert "ERROR_COST_MULTIPLIER" in names
    assert "LATENCY_COST_PER_MS" not in names
    widths = [swing.width_usd for swing in found.swings]
    assert widths == sorted(widths, reverse=True)


def test_fewer_draws_than_a_tail_needs_are_refused():
    with pytest.raises(ValueError, match="at least 100,000"):
        BusinessMetricsCalculator(assumptions(), draws_count=1000)


OWN = {"LATENCY_COST_PER_MS": "0.0001..0.0002", "ERROR_COST_MULTIPLIER": "20"}


def test_what_the_connector_gives_is_calculated_as_the_page_has_it():
    own = settings(**OWN)
    assert BusinessMetricsCalculator().calculate(AbTestMetrics.of(live(), own)) == build_business_report(live(), None, own).case


def test_own_amounts_stand_over_those_of_the_settings():
    found = BusinessMetricsCalculator(assumptions(ERROR_COST_MULTIPLIER=0.0)).calculate(AbTestMetrics.of(live(), settings(**OWN)))
    assert terms(found)["annual_risk_reduction"] == 0


VALUED = {"AB_ACCURACY_METRIC": "rmse"}
RMSE = {"baseline": [20.4, 20.5, 20.2], "enhanced": [18.1, 18.0, 18.2]}


def test_what_a_unit_of_a_value_brings_may_stand_in_the_calculators_own_amounts_or_in_the_settings():
    measured = logging(live(), "rmse", **RMSE)
    own = BusinessMetricsCalculator(assumptions(ACCURACY_REVENUE_MULTIPLIER=0.0001)).calculate(AbTestMetrics.of(measured, settings(**VALUED)))
    told = BusinessMetricsCalculator().calculate(AbTestMetrics.of(measured, settings(**VALUED, ACCURACY_REVENUE_MULTIPLIER="0.0001")))
    assert terms(own)["annual_revenue_increase"] == terms(told)["annual_revenue_increase"] == pytest.approx(365 * 1e7 * 0.0001 * (20.3666667 - 18.1))


def test_an_amount_that_nobody_set_is_an_accuracys_also_where_the_settings_have_one():
    asked = AbTestMetrics.of(logging(live(), "rmse", **RMSE), settings(**VALUED, ACCURACY_REVENUE_MULTIPLIER="0.0001"))
    found = BusinessMetricsCalculator(assumptions(ERROR_COST_MULTIPLIER=1.0)).calculate(asked)
    assert (found.net.value, found.partial_terms) == (None, ("annual_cost_increase", "annual_risk_reduction"))


def test_a_term_of_ones_own_takes_a_value_without_the_revenues_amount():
    saved = TermFormula("annual_savings", "Returned parcels", 1, "accuracy_improvement", ("USD_PER_UNIT",))
    amounts = (*assumptions(), Assumption("USD_PER_UNIT", Amount(100, 100), "USD", "", is_default=False))
    found = BusinessMetricsCalculator(amounts, terms=(*TERMS, saved)).calculate(AbTestMetrics.of(logging(live(), "rmse", **RMSE), settings(**VALUED)))
    assert terms(found)["annual_savings"] == pytest.approx(365 * 100 * (20.3666667 - 18.1))
    assert terms(found)["annual_revenue_increase"] is None


def test_a_value_that_has_diverged_has_a_net_value_or_a_reason_and_no_traceback():
    for size in (1e90, 1e300):
        measured = logging(live(), "rmse", baseline=[2 * size, 3 * size, 4 * size], enhanced=[size, 1.1 * size, 1.2 * size])
        found = BusinessMetricsCalculator().calculate(AbTestMetrics.of(measured, settings(**VALUED, ACCURACY_REVENUE_MULTIPLIER="0.5")))
        assert found.net.value is not None or "annual_revenue_increase" not in found.partial_terms


def test_what_no_source_told_is_missing_and_never_simulated():
    found = BusinessMetricsCalculator().calculate(AbTestMetrics.of(without_prometheus(live()), settings()))
    assert (found.net.value, found.partial_terms) == (None, ("annual_revenue_increase",))
    assert "not measured" in found.net.reason


def test_measured_inputs_without_amounts_are_refused_with_the_way_out():
    with pytest.raises(UsageError, match=r"BusinessMetricsCalculator\(assumptions\(settings\)\)"):
        BusinessMetricsCalculator().calculate(inputs())


def test_anything_else_is_refused_by_its_name():
    with pytest.raises(UsageError, match="not dict"):
        BusinessMetricsCalculator().calculate({})
