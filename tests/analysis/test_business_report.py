"""The business page: what counts, what is simulated, and what is recommended."""

import re
from dataclasses import replace

import pytest

from live_dashboards.analysis.business.report import absurd, build_business_report
from live_dashboards.analysis.facts.page import page as found_page
from live_dashboards.model.measurement import Origin
from live_dashboards.outputs.business_summary import business_summary
from live_dashboards.outputs.sidecars import drawn_values
from live_dashboards.panels import break_even, ledger, net, parts, payback, performance
from live_dashboards.panels import inputs as inputs_panel
from live_dashboards.panels.business import BUSINESS_PANELS
from live_dashboards.panels.money import headline_words
from tests.support.business_cases import case, inputs
from tests.support.business_pages import CASES, RMSE, valued
from tests.support.snapshots import AT, DAY, accumulated, live, of_the_window, settings, stand_in, with_instant, with_values, without_mlflow, without_prometheus

OWN = {
    "BASE_TRADING_VOLUME": "10000000",
    "ACCURACY_REVENUE_MULTIPLIER": "0.005",
    "LATENCY_COST_PER_MS": "0.0001",
    "ERROR_COST_MULTIPLIER": "50",
    "INFRASTRUCTURE_ANNUAL_COST": "53000",
}
KEYS = {
    "annual_revenue_increase",
    "annual_cost_increase",
    "annual_risk_reduction",
    "net_annual_value",
    "roi_percentage",
    "payback_days",
    "probability_net_positive",
    "break_even_accuracy_improvement",
}


def page(snapshot=None, *, simulate=True, **values):
    return build_business_report(snapshot if snapshot is not None else live(), stand_in() if simulate else None, settings(**values))


def owners(report):
    """Whose each assumption is, as the ledger says it."""
    (table,) = ledger.charts(report)
    place = [column.heading for column in table.columns].index("whose")
    return [row.cells[place].text for row in table.rows]


def bars(report):
    """The bars of the waterfall, the total last."""
    return parts.charts(report)[0].table


def headline(report):
    return {name: measurement.value for name, measurement in report.headline}


def test_with_both_sources_and_own_parameters_a_clear_gain_is_deployed():
    report = page(**OWN)
    assert (report.badge.kind.value, report.recommendation.verdict) == ("LIVE DATA", "deploy")
    assert set(headline(report)) == KEYS
    assert None not in headline(report).values()
    assert [gate.label for gate in report.gates if gate.state != "passed"] == ["Traffic is split as planned"]  # no plan is set


def test_with_nothing_but_defaults_it_is_at_most_keep_testing():
    report = page()
    assert report.recommendation.verdict == "keep testing"
    assert "not yours" in report.recommendation.reasons[0]
    assert "with 5 default assumptions" in net.head(report).title
    assert owners(report)[0] == "default, not yours"


def test_one_own_parameter_is_enough_to_recommend_and_the_others_stay_marked():
    report = page(BASE_TRADING_VOLUME="10000000")
    assert report.recommendation.verdict == "deploy"
    assert owners(report) == ["yours", *["default, not yours"] * 4]
    assert "with 4 default assumptions" in net.head(report).title


def test_what_ships_but_may_bring_nothing_is_monitored():
    report = page(**{**OWN, "ERROR_COST_MULTIPLIER": "1000"})
    assert report.case.net.interval.low < 0 < report.case.net.value
    assert (report.verdict.verdict, report.recommendation.verdict) == ("SHIP", "deploy with monitoring")
    assert "may still be 0 or less" in report.recommendation.reasons[1]


def test_a_net_value_surely_below_0_is_not_deployed():
    report = page(with_values(live(), "enhanced", "accuracy", value=0.7), **OWN)
    assert report.case.net.interval.high < 0
    assert report.recommendation.verdict == "do not deploy"


def test_a_net_value_that_is_rather_a_loss_is_tested_on_though_it_ships():
    report = page(with_latency(1.02), **{**OWN, "LATENCY_COST_PER_MS": "0.1"})
    assert report.case.net.value < 0 < report.case.net.interval.high
    assert (report.verdict.verdict, report.recommendation.verdict) == ("SHIP", "keep testing")


def test_money_does_not_change_the_verdict():
    verdicts = {page(**{**OWN, "ERROR_COST_MULTIPLIER": cost}).verdict for cost in ("0", "50", "1000")}
    assert {each.verdict for each in verdicts} == {"SHIP"}
    assert not any("net value" in reason for each in verdicts for reason in each.reasons)


def test_without_test_rows_it_says_the_one_thing_that_is_missing():
    fractional = with_values(with_values(live(), "enhanced", "accuracy", test_count="0.2"), "baseline", "accuracy", test_count="0.2")
    report = page(fractional, **OWN)
    assert report.recommendation.verdict == "keep testing"
    (reason,) = report.recommendation.reasons
    assert "log the number of test rows as AB_TEST_COUNT_PARAM" in reason
    for name in ("annual_revenue_increase", "net_annual_value", "roi_percentage", "payback_days"):
        measurement = dict(report.headline)[name]
        assert (measurement.value is not None, measurement.interval) == (True, None)
        assert "log the number of test rows" in measurement.reason
    assert "effect unknown" in break_even.head(report).note


def test_model_data_has_revenue_only_and_simulated_bars_outside_every_total():
    report = page(without_prometheus(live()), **OWN)
    numbers = headline(report)
    assert (report.badge.kind.value, report.recommendation.verdict) == ("MODEL DATA", "withheld: partial data")
    assert report.case.partial_terms == ("annual_revenue_increase",)
    assert report.case.partial_total.value == numbers["annual_revenue_increase"]
    assert {name for name, value in numbers.items() if value is None} == KEYS - {"annual_revenue_increase"}
    assert report.headline_words[0][0] == "Revenue only"
    assert [(bar.series, bar.x) for bar in bars(report)] == [("measured", "revenue"), ("simulated", "cost"), ("simulated", "risk"), ("measured", "partial")]
    assert bars(report)[-1].value == report.case.partial_total.value
    assert all("refuses the connection" in measurement.reason for _, measurement in report.headline if measurement.value is None)


def test_missing_terms_are_marked_empty_where_nothing_is_to_be_simulated():
    report = page(without_prometheus(live()), simulate=False)
    assert [(bar.series, bar.value) for bar in bars(report)[1:3]] == [("missing", None)] * 2
    assert not any(one.origin is Origin.SIMULATED for one in report.measurements)


def test_operational_data_takes_accuracy_from_the_online_gauge_without_an_interval():
    report = page(without_mlflow(live()), **OWN)
    assert report.badge.kind.value == "OPERATIONAL DATA"
    improvement = report.case.inputs.accuracy_improvement
    assert improvement.difference.source == "prometheus"
    assert "online gauge" in improvement.difference.reason
    assert report.case.net.interval is None
    assert report.recommendation.verdict == "keep testing"


def test_operational_data_without_the_gauge_has_no_revenue():
    report = page(with_instant(without_mlflow(live()), "online_accuracy", {}, reason="no series"), **OWN)
    assert report.case.partial_terms == ("annual_cost_increase", "annual_risk_reduction")
    assert report.recommendation.verdict == "withheld: partial data"


def test_a_simulated_page_computes_all_of_it_and_recommends_nothing():
    report = page(without_mlflow(without_prometheus(live())), **OWN)
    assert (report.is_simulated, report.recommendation.verdict) == (True, "withheld: simulated data")
    assert {measurement.origin for _, measurement in report.headline} == {Origin.SIMULATED}
    assert {bar.series for bar in bars(report)} == {"simulated"}


def test_with_neither_source_and_nothing_simulated_there_is_no_number():
    report = page(without_mlflow(without_prometheus(live())), simulate=False)
    assert report.recommendation.verdict == "withheld: no data"
    assert set(headline(report).values()) == {None}


def test_stale_traffic_withholds_the_recommendation():
    old = live().at.timestamp() - 3600
    stale = with_instant(with_instant(live(), "newest_requests", {"baseline": old, "enhanced": old}), "newest_latency_count", {"baseline": old, "enhanced": old})
    report = page(stale, **OWN)
    assert report.recommendation.verdict == "withheld: stale data"
    assert report.has_stale


def test_a_harmed_guardrail_is_not_deployed_whatever_it_earns():
    report = page(accumulated(live(), errors=20.0), **{**OWN, "ERROR_COST_MULTIPLIER": "0.01"})
    assert report.case.net.interval.low > 0
    assert (report.verdict.verdict, report.recommendation.verdict) == ("ROLL BACK", "do not deploy")
    assert any("error rate is worse" in reason for reason in report.recommendation.reasons)


def test_what_only_the_window_shows_is_no_verdict():
    report = page(of_the_window(), **OWN)
    assert (report.verdict.verdict, report.recommendation.verdict) == ("NO VERDICT", "withheld: partial data")
    assert any("nothing has accumulated" in reason for reason in report.recommendation.reasons)


@pytest.mark.parametrize(
    ("changed", "gone"),
    [
        ({"requests": {"baseline": 0, "enhanced": 0}, "errors": {"baseline": 0, "enhanced": 0}}, {"annual_cost_increase", "annual_risk_reduction"}),
        ({"latency_count": {}}, {"annual_cost_increase"}),
        ({"latency_count": {"baseline": 100, "enhanced": 0}}, {"annual_cost_increase"}),
        ({"requests": {"baseline": 1000}, "errors": {"baseline": 1}}, {"annual_cost_increase", "annual_risk_reduction"}),
    ],
)
def test_what_cannot_be_divided_is_missing_and_never_made_up(changed, gone):
    snapshot = live()
    for name, values in changed.items():
        snapshot = with_instant(snapshot, name, values)
    report = page(accumulated(snapshot))
    assert {name for name, value in headline(report).items() if value is None} >= gone
    assert {term.name for term in report.case.terms if term.value.value is None} == gone
    assert all(measurement.reason for _, measurement in report.headline if measurement.value is None)


def test_equal_accuracies_bring_no_revenue_and_no_invented_one():
    same = with_values(live(), "enhanced", "accuracy", value=next(each.value for each in live().mlflow.values if (each.variant, each.metric) == ("baseline", "accuracy")))
    assert headline(page(same))["annual_revenue_increase"] == 0


def test_no_challenger_leaves_everything_missing_with_that_reason():
    report = build_business_report(live(), None, settings(AB_CHALLENGER_VARIANT="nobody"))
    assert headline(report)["net_annual_value"] is None
    assert "nobody" in report.case.net.reason


def test_a_multiplier_meant_per_point_is_warned_about():
    assert absurd(page().case) == ()
    (text,) = absurd(page(ACCURACY_REVENUE_MULTIPLIER="0.5").case)
    assert "ACCURACY_REVENUE_MULTIPLIER=0.5" in text
    report = page(ACCURACY_REVENUE_MULTIPLIER="0.5")
    assert text in report.notices
    assert text in ledger.head(report).note


def test_money_has_no_more_digits_than_its_interval_carries():
    report = page()
    (_, worth, beside), (_, roi, _), (_, days, _), _ = report.headline_words
    half = (report.case.net.interval.high - report.case.net.interval.low) / 2
    assert half > 100_000
    assert worth.endswith("0k")
    assert "95 %" in beside
    assert report.headline_words[-1][2] == "for one look"
    assert roi.endswith("0 %")
    assert days.endswith(" days")


def test_the_net_value_is_one_number_with_one_interval_on_the_whole_page():
    report = page(**{**OWN, "ERROR_COST_MULTIPLIER": "20..80"})
    (_, value, beside), *_ = report.headline_words
    (gate,) = [each for each in report.gates if each.label == "Net value is above 0"]
    limits = beside.removeprefix("95 %: ")
    assert net.charts(report)[0].rows[0].numbers[0].text == f"{value} ({limits})"
    assert gate.words == f"95 %: {value} ({limits})"
    assert f"{value} ({limits})" in report.recommendation.reasons[0]
    assert parts.charts(report)[0].rows[-1].numbers[0].text == f"+{value}"
    assert net.head(report).title.startswith(f"{value} a year")
    (only,) = business_summary(report)["net_annual_value_intervals"]
    assert (only["confidence"], only["interval"]) == (0.95, business_summary(report)["net_annual_value_interval"])


VALUED = ["a value per unit", "a value per unit, worse", "a value per unit, more is better", "a value of one run, a slip", "a value without an amount"]


def said_of_quality(report):
    """What the business page says of what stands in the place of the accuracy, but for the other inputs' rows."""
    heads = [panel.head(report) for panel in BUSINESS_PANELS]
    rows = [row for table in (*inputs_panel.charts(report), *ledger.charts(report)) for row in table.rows]
    mine = [row for row in rows if row.cells[0].text in {report.case.inputs.quality.key, "ACCURACY_REVENUE_MULTIPLIER"}]
    curves = break_even.charts(report) if report.case.net.value is not None else ()
    return [
        *(text for head in heads for text in (head.title, head.subtitle, head.note, head.reason)),
        *(f"{cell.text} {cell.more}" for row in mine for cell in row.cells),
        *(row.below for row in mine),
        *(text for curve in curves for text in (curve.x_axis, *(words.text for _, words in curve.above), *(said.text for said in curve.said(1.0, 2.0)))),
        *(f"{gate.label} {gate.words}" for gate in report.gates if "rmse" in gate.label),
        *report.doubts,
        *report.recommendation.reasons,
    ]


@pytest.mark.parametrize("name", VALUED)
def test_of_a_value_nothing_is_said_in_points_or_of_accuracy(name):
    report = CASES[name]()
    texts = [
        text.replace("ACCURACY_REVENUE_MULTIPLIER", "").replace("of volume per accuracy fraction", "").replace("meant per accuracy fraction?", "")
        for text in said_of_quality(report)
    ]
    assert len(texts) > 30
    assert [text for text in texts if re.search(r"\bpt\b|points|[Aa]ccuracy|Newcombe|test rows;? as AB", text)] == ["accuracy, mean latency, error rate"] * (
        "MISSING" in texts
    )


def test_the_break_even_of_a_value_is_what_the_value_does():
    for name, title in ("a value per unit", "Breaks even at rmse 0.644 higher: proven"), ("a value per unit, worse", "Breaks even at rmse 0.644 higher: not reached"):
        report = CASES[name]()
        (curve,) = break_even.charts(report)
        improvement = report.case.inputs.accuracy_improvement.difference
        assert break_even.head(report).title == title
        assert curve.x_axis.partition("\n")[0] == "improvement in rmse: how much lower"
        assert [words.text for _, words in curve.above] == [f"measured 2.3 {'lower' if improvement.value > 0 else 'higher'}", "break-even 0.644 higher"]
        assert curve.spots[0].x == improvement.value
        assert curve.spots[0].y_usd == pytest.approx(report.case.net.value)
        assert curve.shade == (improvement.interval.low, improvement.interval.high)


def test_the_inputs_of_a_value_stand_as_challenger_minus_baseline():
    row = inputs_panel.charts(CASES["a value per unit"]())[0].rows[0]
    assert [cell.text for cell in row.cells[:7]] == ["rmse", "20.4", "18.1", "−2.3", "−2.57 to −2.03", "4 / 4", "runs"]


def test_the_ledger_says_per_unit_of_the_value_and_when_the_answer_flips():
    table = ledger.charts(CASES["a value per unit, worse"]())[0]
    row = next(row for row in table.rows if row.cells[0].text == "ACCURACY_REVENUE_MULTIPLIER")
    assert row.below == "of volume per unit of rmse; flips if a unit of rmse brought less than $102.2k a year"
    tiny = valued("rmse", RMSE, ACCURACY_REVENUE_MULTIPLIER="0.0000002..0.0000004")
    cells = next(row for row in ledger.charts(tiny)[0].rows if row.cells[0].text == "ACCURACY_REVENUE_MULTIPLIER").cells
    assert (cells[1].text, cells[3].text) == ("3e-07", "2e-07 to 4e-07")


def test_an_accuracys_amount_that_is_taken_for_a_values_is_questioned():
    report = CASES["a value of one run, a slip"]()
    assert report.doubts[0].endswith(
        "is ACCURACY_REVENUE_MULTIPLIER=0.005 meant per accuracy fraction? It is a share of the volume per unit of a_root_mean_squared_error_of_a_long_name"
    )


def test_without_mlflow_a_value_is_missing_for_that_reason():
    report = page(without_mlflow(live()), AB_ACCURACY_METRIC="rmse", ACCURACY_REVENUE_MULTIPLIER="0.0001")
    term = next(term for term in report.case.terms if term.effect == "accuracy_improvement")
    assert term.value.reason == "refuses the connection"


def test_the_break_even_is_proven_only_where_the_net_value_is():
    titles = {name: page(**{**OWN, "ERROR_COST_MULTIPLIER": cost}) for name, cost in (("proven", "50"), ("not proven", "1000"))}
    for word, report in titles.items():
        assert break_even.head(report).title.endswith(f": {word}")
        assert (report.case.net.interval.low > 0) is (word == "proven")


def test_what_the_gates_judge_is_among_the_numbers():
    slow = next(one for one in page().measurements if one.name == "over_latency_objective_difference")
    assert slow.interval.low < slow.value < slow.interval.high
    assert {side.variant: side.n for side in slow.inputs} == {"baseline": 8 * 33_264, "enhanced": 8 * 14_256}


def test_no_baseline_leaves_everything_missing_with_that_reason():
    report = build_business_report(live(), None, settings(AB_BASELINE_VARIANT="nobody", AB_CHALLENGER_VARIANT="enhanced"))
    assert headline(report)["net_annual_value"] is None
    assert "nobody" in report.case.net.reason


def test_the_worked_example_reads_as_in_the_specification():
    day = 50_000.0
    found = case(inputs(accuracy=672_450 / (365 * 10_000_000 * 0.005), latency=28_930 / (365 * day * 0.0001), errors=42_180 / (365 * day * 50), requests=day))
    (_, worth, _), (_, roi, _), (_, days, _), _ = headline_words(found)
    assert (worth, roi, days) == ("$685.7k", "1,194 %", "28 days")


def test_the_performance_panel_says_which_accuracy_it_shows():
    assert "accuracy (offline)" in performance.head(page()).subtitle
    assert "accuracy (online gauge)" in performance.head(page(without_mlflow(live()))).subtitle


def test_a_test_younger_than_a_day_has_revenue_and_no_other_yearly_value():
    report = page(accumulated(live(), days=0.9), **OWN)
    numbers = headline(report)
    assert {name for name, value in numbers.items() if value is None} == KEYS - {"annual_revenue_increase"}
    assert all("the test is 21.6 h old" in measurement.reason for _, measurement in report.headline if measurement.value is None)
    assert report.recommendation.verdict == "withheld: partial data"
    assert None not in headline(page(accumulated(live(), days=1.0), **OWN)).values()


def test_a_quiet_window_takes_no_money_away():
    """The challenger had no request within the last hour; the eight days before it tell all."""
    quiet = live(window_seconds=3600.0)
    for name in ("requests", "errors", "latency_sum", "latency_count"):
        quiet = with_instant(quiet, name, {"baseline": 0.0, "enhanced": 0.0})
    report = page(quiet, **OWN, AB_WINDOW="1h")
    assert None not in headline(report).values()
    assert headline(report)["net_annual_value"] == pytest.approx(headline(page(live(window_seconds=3600.0), **OWN, AB_WINDOW="1h"))["net_annual_value"])


def test_days_before_the_first_request_are_no_days_of_the_test():
    """AB_START is thirty days ago, traffic came on the last two alone."""
    snapshot = accumulated(live(), days=2.0)
    (found,) = snapshot.prometheus.accumulated
    early = replace(found, start_seconds=AT.timestamp() - 30 * DAY)
    report = page(replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(early,))), **OWN, AB_START=f"{AT.timestamp() - 30 * DAY:.0f}")
    inputs = report.case.inputs
    assert (inputs.days_of_requests, inputs.requests_per_day.value) == (2, pytest.approx(47_520, rel=5e-3))


def test_a_sum_without_a_count_is_no_response_time():
    snapshot = live()
    (found,) = snapshot.prometheus.accumulated

    def halved(answer):
        if answer.name != "latency_count":
            return answer
        return replace(answer, series=tuple(replace(each, points=tuple(point for point in each.points[::2])) for each in answer.series))

    report = page(replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(found, blocks=tuple(map(halved, found.blocks))),))), **OWN)
    assert report.case.inputs.latency_increase.baseline.value == pytest.approx(page(snapshot, **OWN).case.inputs.latency_increase.baseline.value, rel=0.1)


def test_a_harm_found_in_the_first_hours_is_not_deployed_though_no_year_can_be_told():
    report = page(accumulated(live(), days=0.5, errors=40.0), **OWN)
    assert report.case.is_partial
    assert (report.verdict.verdict, report.recommendation.verdict) == ("ROLL BACK", "do not deploy")


def test_what_is_to_be_known_of_an_accuracy_goes_on_to_the_improvement():
    running = with_values(live(), "enhanced", "accuracy", run_status="RUNNING")
    assert "run not finished" in page(running).case.inputs.accuracy_improvement.difference.reason


@pytest.mark.parametrize(("plan", "state"), [("baseline=70,enhanced=30", "passed"), ("baseline=50,enhanced=50", "failed"), ("baseline=100", "failed")])
def test_traffic_that_is_not_split_as_planned_withholds_the_recommendation(plan, state):
    report = page(**OWN, AB_TRAFFIC_SPLIT=plan)
    (gate,) = [each for each in report.gates if each.label == "Traffic is split as planned"]
    assert gate.state == state
    assert report.recommendation.verdict == ("withheld: traffic split" if state == "failed" else "deploy")


def business_page(snapshot):
    return found_page(snapshot, stand_in(), settings())


def with_errors(count):
    return accumulated(with_instant(live(), "errors", {"baseline": 30.0, "enhanced": count}))


def with_latency(factor):
    sums = {series.label("model_name"): series.last for series in live().prometheus.instant("latency_sum").series}
    return accumulated(with_instant(live(), "latency_sum", {**sums, "enhanced": sums["enhanced"] * factor}))


def with_accuracy(value, count="20000"):
    return with_values(live(), "enhanced", "accuracy", value=value, test_count=count)


@pytest.mark.parametrize(
    ("snapshot", "title"),
    [
        (live(), "Accuracy better; mean latency, error rate unclear"),
        (with_errors(90.0), "Accuracy better; error rate worse; mean latency unclear"),
        (with_errors(0.0), "Accuracy, error rate better; mean latency unclear"),
        (with_latency(1.2), "Accuracy better; mean latency worse; error rate unclear"),
        (with_latency(0.8), "Accuracy, mean latency better; error rate unclear"),
        (with_accuracy(0.5), "Accuracy worse; mean latency, error rate unclear"),
        (with_accuracy(0.9, count="0.2"), "Accuracy, mean latency, error rate unclear"),  # without n nothing is sure
        (without_prometheus(live()), "Accuracy better; mean latency, error rate missing"),
    ],
)
def test_the_performance_panel_says_better_or_worse_only_of_what_surely_differs(snapshot, title):
    assert performance.head(page(snapshot, simulate=False)).title == title


def test_free_infrastructure_has_nothing_to_pay_back_and_says_no_chance_of_it():
    report = page(INFRASTRUCTURE_ANNUAL_COST="0")
    assert payback.head(report).title == "INFRASTRUCTURE_ANNUAL_COST is 0: there is nothing to pay back"
    assert payback.charts(report)[0].above == ()


def test_the_drawn_limits_of_a_swing_are_in_order():
    assert all(value.low <= value.high for value in drawn_values(page(**OWN)) if value.panel == "sensitivity")
