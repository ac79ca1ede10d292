"""Runs that log an error or a score in the place of an accuracy, from real servers: direction, unit, interval, verdict and money follow from what it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

from live_dashboards.analysis.facts.page import page as facts_of
from live_dashboards.analysis.facts.retraining import welch
from live_dashboards.analysis.planning.inputs import plan_inputs
from live_dashboards.app import pipeline
from live_dashboards.app.pipeline import Request
from live_dashboards.errors import UsageError
from live_dashboards.model.planning import Given
from live_dashboards.outputs.explain import explain
from live_dashboards.outputs.summary import summary, summary_schema
from live_dashboards.panels import performance, quality
from live_dashboards.settings import load_settings
from live_dashboards.sources.mlflow.check import mlflow_checks
from tests.pipeline.command import page_at
from tests.sources.prometheus_reading import END, HOUR, labels
from tests.sources.test_prometheus_counts import ERRORS, REQUESTS
from tests.support.prometheus_truth import PrometheusTruth

AT = datetime.fromtimestamp(END, UTC)
LATENCY = "ab_test_response_time_seconds"
DAYS = 10


@pytest.fixture(scope="module")
def traffic():
    """Ten days of 2,000 requests an hour each, alike in errors and response times."""
    start = END - DAYS * 24 * HOUR
    truth = PrometheusTruth(start=start - 2 * HOUR, end=END, scrape_seconds=300.0)
    for model in ("baseline", "enhanced"):
        for name, rate in ((REQUESTS, 2000), (ERRORS, 20)):
            truth.counter(name, labels(model), [(start - HOUR, 0.0), (start, rate / HOUR)])
        truth.histogram(LATENCY, labels(model), {0.1: 0.5, 0.25: 0.01, 0.5: 0.001}, starts_at=start)
    return truth


@pytest.fixture
def page(mlflow_database, prometheus, traffic):
    """`page(key, baseline values, enhanced values, **settings)`: a page of runs an hour apart, the newest last; without values of the runs that are there.

    `late` are runs of enhanced beside them: days before the page at which one began and ended, and its value.
    """

    def log(key, values, n, metrics, late):
        experiment = mlflow_database.truth.experiment("regression")
        for variant, logged in zip(("baseline", "enhanced"), values, strict=True):
            for number, value in enumerate(logged):
                started = AT - timedelta(days=DAYS + 5, hours=len(logged) - number)
                mlflow_database.truth.run(
                    experiment, variant, started=started, ended=started + timedelta(minutes=9), metrics={key: value, **dict(metrics)}, params={"test_size": n}
                )

        for began, ended, value in late:
            moments = {"started": AT - timedelta(days=began), "ended": AT - timedelta(days=ended)}
            mlflow_database.truth.run(experiment, "enhanced", metrics={key: value}, **moments)

    def make(key, *values, kind="ab", n=2500, metrics=(), late=(), **own):
        if values:
            log(key, values, n, metrics, late)
        return page_at(AT, mlflow_database, prometheus(traffic), kind=kind, **{"AB_ACCURACY_METRIC": key, "AB_EXPERIMENT": "regression", **own})

    return make


def rows(report):
    return {row.metric: row for row in report.comparisons}


def document(report):
    found = summary(report)
    jsonschema.validate(found, summary_schema())
    return found


def test_a_greater_error_is_worse_and_ships_nothing(page):
    report = page("rmse", [20.4], [31.2])
    row = rows(report)["accuracy"]
    assert (row.estimate, row.unit, row.is_higher_better, row.has_interval) == (pytest.approx(10.8), "as_logged", False, False)
    assert report.verdict.verdict == "NO VERDICT"
    assert any("rmse has no interval, as it is a value" in reason and "three finished runs" in reason for reason in report.verdict.reasons)
    assert report.effect.head.title == "rmse +10.8, of unknown certainty"
    assert report.quality.head.title == "rmse: enhanced 31.2 against baseline 20.4"


def test_a_value_has_no_percent_and_no_points_anywhere_in_the_summary(page):
    found = document(page("mean_squared_error", [392.8], [401.5]))
    assert found["quality"] == {"metric": "mean_squared_error", "goal": "lower", "kind": "value", "unit": "as_logged", "baseline": 392.8, "challenger": 401.5}
    assert (found["baseline_accuracy"], found["enhanced_accuracy"]) == (None, None)
    assert [variant["accuracy"] for variant in found["variants"].values()] == [None, None]
    measured = [each for each in found["measurements"] if each["name"] in {"accuracy", "accuracy_difference"}]
    assert {(each["unit"], each["interval"], each["n"]) for each in measured} == {("as_logged", None, None)}
    reasons = {each["name"]: each["reason"] for each in found["measurements"]}
    assert "mean_squared_error is a value in its own unit and no share" in reasons["baseline_accuracy"]
    assert "392.8 %" not in json.dumps(found)


@pytest.mark.parametrize(("ours", "verdict", "words"), [([18.1, 18.0, 18.2, 17.9], "SHIP", "better"), ([22.1, 22.0, 22.2, 21.9], "KEEP RUNNING", "worse")])
def test_over_three_runs_and_more_a_value_has_an_interval_that_the_verdict_goes_by(page, ours, verdict, words):
    theirs = [20.4, 20.5, 20.2, 20.3]
    report = page("rmse", theirs, ours)
    row = rows(report)["accuracy_over_runs"]
    low, high, p_value = welch(ours, theirs, 0.95)
    assert (row.low, row.high, row.p_value) == pytest.approx((low, high, p_value))
    assert (row.unit, row.is_higher_better, row.n_treatment) == ("as_logged", False, 4)
    assert row.verdict_limits == pytest.approx(welch(ours, theirs, 1 - 0.05 / 2)[:2])
    assert report.verdict.verdict == verdict
    assert report.effect.head.title.startswith(f"enhanced: rmse over runs {words} by ")
    assert report.effect.head.subtitle == "enhanced − baseline, percentage points; rmse over runs as logged"
    assert "points" not in report.answer.sentence.partition(";")[0]


def test_shares_of_wrong_answers_keep_their_percent_and_interval_and_less_is_better(page):
    report = page("binary_error", [0.20], [0.10])
    row = rows(report)["accuracy"]
    assert (row.estimate, row.unit, row.is_higher_better, row.has_interval) == (pytest.approx(-10), "points", False, True)
    assert report.verdict.verdict == "SHIP"
    money = page("binary_error", kind="business").case.inputs.accuracy_improvement.difference
    assert money.value == pytest.approx(0.10)
    assert 0 < money.interval.low < 0.10 < money.interval.high


UNTOLD = {
    "a value, lower": ("my_cost", [20.4, 20.5, 20.2, 20.3], [18.1, 18.0, 18.2, 17.9], "my_cost over runs −2.3: which way is better is not known"),
    "a value, higher": ("kpi", [18.1, 18.0, 18.2, 17.9], [20.4, 20.5, 20.2, 20.3], "kpi over runs +2.3: which way is better is not known"),
    "a share, higher": ("quality_index", [0.204], [0.312], "quality_index +10.8 pt: which way is better is not known"),
    "a share, lower": ("share_of_returns", [0.312], [0.204], "share_of_returns −10.8 pt: which way is better is not known"),
}


@pytest.mark.parametrize("case", UNTOLD)
def test_nothing_is_concluded_of_what_nobody_says_which_way_is_better(page, case):
    key, theirs, ours, title = UNTOLD[case]
    report = page(key, theirs, ours)
    reason = f"which way {key} is better is not known: set AB_ACCURACY_GOAL to higher or lower"
    assert (report.verdict.verdict, report.verdict.rule, report.verdict.reasons[0]) == ("NO VERDICT", "6: which way is better is not known", reason)
    assert report.verdict.would_change == ("AB_ACCURACY_GOAL=higher or AB_ACCURACY_GOAL=lower",)
    assert report.answer.sentence == f"no verdict on enhanced: {reason}"
    assert report.effect.head.title == title
    assert f"{reason}; until then no verdict and no revenue rests on it" in report.health.notices
    found = document(report)
    assert found["quality"]["goal"] is None
    (gate,) = [each for each in found["decision_forecast"] if each["gate"] == "success"]
    assert (gate["outcome"], gate["needs"], gate["reason"]) == ("open", "a direction", reason)
    for goal in ("higher", "lower"):
        is_better = (ours[0] > theirs[0]) is (goal == "higher")
        assert page(key, AB_ACCURACY_GOAL=goal).verdict.verdict == ("SHIP" if is_better else "KEEP RUNNING")


@pytest.mark.parametrize("case", UNTOLD)
def test_no_money_follows_from_what_nobody_says_which_way_is_better(page, case):
    key, theirs, ours, _ = UNTOLD[case]
    report = page(key, theirs, ours, kind="business", ACCURACY_REVENUE_MULTIPLIER=PER_UNIT)
    reason = f"which way {key} is better is not known: set AB_ACCURACY_GOAL to higher or lower"
    assert (revenue_of(report).value.reason, report.case.net.value) == (reason, None)
    assert report.recommendation.verdict == "withheld: partial data"
    found = summary(report)
    jsonschema.validate(found, summary_schema("business"))
    assert found["quality"]["goal"] is None
    assert "better" not in performance.head(report).title.lower().replace("not known", "")
    assert performance.charts(report)[0].rows[0].cells[-1].text == "not known"
    told = page(key, kind="business", ACCURACY_REVENUE_MULTIPLIER=PER_UNIT, AB_ACCURACY_GOAL="lower")
    assert (revenue_of(told).value.value > 0) is (ours[0] < theirs[0])


def test_a_verdict_on_the_error_rate_needs_no_direction_of_the_accuracy(page):
    found = page("quality_index", [0.2], [0.3], AB_SUCCESS_METRIC="error_rate").verdict
    assert found == page("quality_index", AB_SUCCESS_METRIC="error_rate", AB_ACCURACY_GOAL="higher").verdict
    assert found.verdict == "KEEP RUNNING"


def test_a_difference_that_is_too_small_to_matter_needs_no_direction(page):
    report = page("quality_index", [0.5], [0.5001], n=1_000_000, AB_PLANNED_REQUESTS="1000")
    assert report.verdict.verdict == "NO MEANINGFUL DIFFERENCE"


def test_data_that_allow_no_verdict_are_named_first_and_the_direction_with_them(page):
    verdict = page("my_cost", [20.4], [18.1]).verdict
    assert verdict.rule == "1: the data allow none"
    assert "my_cost has no interval, as it is a value" in verdict.reasons[0]
    assert verdict.reasons[-1] == "which way my_cost is better is not known: set AB_ACCURACY_GOAL to higher or lower"
    assert verdict.would_change[-1] == "AB_ACCURACY_GOAL=higher or AB_ACCURACY_GOAL=lower"


def test_a_run_that_fell_is_no_fall_where_nobody_knows_what_is_worse(page):
    values = [0.5, 0.9], [0.9, 0.5]
    assert not any("start_run()" in notice for notice in page("quality_index", *values).health.notices)
    (told,) = [notice for notice in page("quality_index", AB_ACCURACY_GOAL="lower").health.notices if "start_run()" in notice]
    assert told.startswith("quality_index of baseline was 50 %")


def test_an_online_accuracy_does_not_stand_in_for_what_may_be_better_lower(page):
    report = page("quality_index", [0.5], [0.6], MLFLOW_DB_PORT="1", MLFLOW_DB_HOST="127.0.0.1", AB_EXPERIMENT="regression")
    assert report.variants[0].accuracy.value is None


def test_a_plan_asks_which_way_is_better_of_what_nobody_said_it_of(page, mlflow_database):
    page("quality_index", [0.5], [0.6])
    settings = load_settings(environment={**mlflow_database.environment, "AB_ACCURACY_METRIC": "quality_index", "SOURCE_TIMEOUT_SECONDS": "60"})
    facts = facts_of(pipeline.ask(settings, Request(at=AT)), None, settings)
    with pytest.raises(UsageError, match="which way quality_index is better is not known: set AB_ACCURACY_GOAL to higher or lower"):
        plan_inputs(Given(requests_a_day=1000.0, error_rate_percent=1.0, too_slow_percent=1.0), facts, settings)


def test_settings_say_what_a_name_does_not(page):
    assumed = page("quality_index", [0.204], [0.312])
    assert rows(assumed)["accuracy"].unit == "points"
    told = page("quality_index", AB_ACCURACY_GOAL="lower", AB_ACCURACY_KIND="value")
    assert (rows(told)["accuracy"].unit, rows(told)["accuracy"].is_higher_better) == ("as_logged", False)
    assert not any("is not known" in notice for notice in told.health.notices)


PER_UNIT = "0.0001"
A_YEAR = 365 * 10_000_000 * float(PER_UNIT)
RMSE = ([20.4, 20.5, 20.2, 20.3], [18.1, 18.0, 18.2, 17.9])
R2 = ([0.71, 0.72, 0.70], [0.80, 0.81, 0.82])
NEG = ([-392.1, -390.0, -395.2], [-380.4, -381.0, -379.2])


def revenue_of(report):
    return next(term for term in report.case.terms if term.effect == "accuracy_improvement")


@pytest.mark.parametrize("values", [([20.4], [31.2]), RMSE])
def test_no_money_follows_from_a_value_unless_somebody_says_what_a_unit_of_it_brings(page, values):
    report = page("rmse", *values, kind="business")
    assert report.case.net.value is None
    reason = "rmse is a value in its own unit: no share of the volume follows unless ACCURACY_REVENUE_MULTIPLIER is given per unit of rmse"
    assert revenue_of(report).value.reason == reason
    assert f"revenue from rmse: {reason}" in report.recommendation.reasons
    assert report.case.assumption("ACCURACY_REVENUE_MULTIPLIER").unit == "of volume per accuracy fraction"
    assert report.case.inputs.accuracy_improvement.difference.value is not None  # it is measured all the same


@pytest.mark.parametrize(("key", "values", "sign"), [("rmse", RMSE, -1), ("rmse", RMSE[::-1], -1), ("r2", R2, 1), ("neg_mean_squared_error", NEG, 1)])
def test_a_given_amount_is_per_unit_that_a_value_gets_better_with_the_limits_of_the_verdict(page, key, values, sign):
    report = page(key, *values, kind="business", ACCURACY_REVENUE_MULTIPLIER=PER_UNIT)
    theirs, ours = values
    improvement, revenue = report.case.inputs.accuracy_improvement, revenue_of(report)
    found = sign * (sum(ours) / len(ours) - sum(theirs) / len(theirs))
    assert (improvement.difference.value, improvement.difference.unit) == (pytest.approx(found), "as_logged")
    assert revenue.value.value == pytest.approx(A_YEAR * found)
    for limits, level in ((improvement.difference.interval, 1 - 0.05 / 2), (improvement.one_look, 0.95)):
        assert sorted((sign * limits.low, sign * limits.high)) == pytest.approx(welch(ours, theirs, level)[:2])
    row = rows(page(key))["accuracy_over_runs"]
    assert sorted(sign * end for end in row.verdict_limits) == pytest.approx([improvement.difference.interval.low, improvement.difference.interval.high])
    assert (revenue.value.interval.low, revenue.value.interval.high) == pytest.approx(
        (A_YEAR * improvement.difference.interval.low, A_YEAR * improvement.difference.interval.high)
    )
    assert {gate.label: gate.state for gate in report.gates}[f"{key} is better"] == ("passed" if found > 0 else "failed")


def test_each_run_since_the_start_of_the_test_is_another_look_also_one_that_began_before_the_newest(page):
    ours = [*RMSE[1], 18.3]
    found = page("rmse", *RMSE, late=[(DAYS + 6, 3, 18.3)], kind="business", ACCURACY_REVENUE_MULTIPLIER=PER_UNIT).case.inputs.accuracy_improvement.difference
    low, high, _ = welch(ours, RMSE[0], 1 - 0.05 / 6)
    assert (found.interval.low, found.interval.high) == pytest.approx((-high, -low))
    assert "99.17 % for the 2nd pair of means" in found.reason
    assert rows(page("rmse"))["accuracy_over_runs"].verdict_limits == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (([20.4], [18.1]), "no interval: rmse is a value and no share of test rows; log it in 3 finished runs and more of each variant"),
        ((RMSE[0], [18.1, 18.0]), "no interval: rmse is a value and no share of test rows; log it in 3 finished runs and more of each variant"),
        (([20.4] * 3, [18.1] * 3), "no interval: the runs of a variant do not differ in rmse, which tells nothing of how they do"),
    ],
    ids=["one run", "two of one", "all alike"],
)
def test_without_three_runs_that_differ_the_newest_values_give_revenue_without_an_interval(page, values, reason):
    report = page("rmse", *values, kind="business", ACCURACY_REVENUE_MULTIPLIER=PER_UNIT)
    revenue = revenue_of(report)
    assert revenue.value.value == pytest.approx(A_YEAR * (values[0][-1] - values[1][-1]))
    assert (revenue.value.interval, report.case.net.interval) == (None, None)
    assert report.case.inputs.accuracy_improvement.difference.reason == reason
    assert (report.recommendation.verdict, report.recommendation.reasons) == ("keep testing", (reason,))


def test_the_business_summary_has_a_values_break_even_in_its_own_unit_and_no_fraction(page, tmp_path):
    report = page("rmse", *RMSE, kind="business", ACCURACY_REVENUE_MULTIPLIER=PER_UNIT)
    found = summary(report)
    jsonschema.validate(found, summary_schema("business"))
    by_name = {each["name"]: each for each in found["measurements"] if each["variant"] in {None, "enhanced"}}
    needed = by_name["break_even_improvement"]
    assert needed["unit"] == by_name["accuracy_improvement"]["unit"] == "as_logged"
    assert found["annual_risk_reduction"] - found["annual_cost_increase"] + A_YEAR * needed["value"] == pytest.approx(0, abs=1)
    assert (found["break_even_accuracy_improvement"], found["break_even_accuracy_improvement_interval"]) == (None, None)
    assert by_name["break_even_accuracy_improvement"]["reason"] == "rmse is a value and no share: break_even_improvement holds what it breaks even at"
    assert found["quality"] == {"metric": "rmse", "goal": "lower", "kind": "value", "unit": "as_logged", "baseline": 20.3, "challenger": 17.9}
    (amount,) = [each for each in found["assumptions"] if each["name"] == "ACCURACY_REVENUE_MULTIPLIER"]
    assert (amount["unit"], amount["meaning"]) == ("of volume per unit of rmse", "0.005 is 0.5 % of the volume for each unit by which rmse is better")
    path = tmp_path / "business.json"
    path.write_text(json.dumps(found))
    assert "ACCURACY_REVENUE_MULTIPLIER per unit of rmse" in explain("annual_revenue_increase", path)
    assert "as_logged" in explain("break_even_improvement", path)


def test_a_value_is_no_success_that_a_gauge_stands_in_for(page):
    """Without MLflow the online gauge is an accuracy, and none of a regressor."""
    report = page("rmse", [20.4], [31.2], MLFLOW_DB_PORT="1", MLFLOW_DB_HOST="127.0.0.1", AB_EXPERIMENT="regression")
    assert report.logged_quality.kind == "value"
    assert report.variants[0].accuracy.value is None


def test_an_online_accuracy_neither_stands_in_for_a_share_of_wrong_answers_nor_is_compared_with_it(page):
    report = page("binary_error", [0.20], [0.10], MLFLOW_DB_PORT="1", MLFLOW_DB_HOST="127.0.0.1", AB_EXPERIMENT="regression")
    assert report.variants[0].accuracy.value is None
    both = page("binary_error")
    assert "online − offline" not in both.quality.head.note


@pytest.mark.parametrize("size", [1e78, 9e98, 1e-90])
def test_losses_that_diverged_have_limits_and_no_traceback(page, size):
    report = page("loss", [1.0 * size, 1.1 * size, 1.2 * size], [2.0 * size, 2.1 * size, 2.2 * size])
    low, high, _ = welch([2.0, 2.1, 2.2], [1.0, 1.1, 1.2], 0.95)
    row = rows(report)["accuracy_over_runs"]
    assert (row.low / size, row.high / size) == pytest.approx((low, high))


def test_a_value_below_a_millionth_keeps_its_digits_on_page_summary_and_connection_test(page, mlflow_database):
    theirs, ours = [3.2e-8, 3.3e-8, 3.1e-8, 3.2e-8], [1.4e-12, 1.6e-12, 1.4e-12, 1.5e-12]
    report = page("mse", theirs, ours)
    assert report.quality.head.title == "mse: enhanced 1.5×10⁻¹² against baseline 3.2×10⁻⁸"
    (shown,) = (row for row in quality.charts(report)[0].rows if row.name == "mse")
    assert [words.text for words in shown.numbers] == ["3.2×10⁻⁸", "1.5×10⁻¹²"]
    found = document(report)
    assert found["answer"]["sentence"].startswith("mse over runs of enhanced is 3.20×10⁻⁸ less (3.03×10⁻⁸ to 3.37×10⁻⁸)")
    assert "mse: enhanced 1.5×10⁻¹² against baseline 3.2×10⁻⁸" in found["alt_text"]
    assert found["quality"]["challenger"] == 1.5e-12
    settings = load_settings(environment={**mlflow_database.environment, "AB_ACCURACY_METRIC": "mse", "SOURCE_TIMEOUT_SECONDS": "60"})
    (checked,) = (check.found for check in mlflow_checks(settings, AT) if check.name == "MLflow metrics")
    assert "accuracy (mse) from 1.4×10⁻¹² to 3.3×10⁻⁸; mse is a value" in checked


def test_a_plan_takes_what_is_not_wrong_for_right(page, mlflow_database):
    page("binary_error", [0.20], [0.10])
    settings = load_settings(environment={**mlflow_database.environment, "AB_ACCURACY_METRIC": "binary_error", "SOURCE_TIMEOUT_SECONDS": "60"})
    facts = facts_of(pipeline.ask(settings, Request(at=AT)), None, settings)
    given = Given(requests_a_day=1000.0, error_rate_percent=1.0, too_slow_percent=1.0)
    found = {each.name: each for each in plan_inputs(given, facts, settings)}["accuracy"]
    assert (found.value, found.n) == (pytest.approx(80), 2500)
    assert found.interval.low < 80 < found.interval.high


def test_the_other_metrics_of_the_page_stay_what_they_are(page):
    report = page("rmse", [20.4], [31.2], metrics={"precision": 0.8}.items())
    assert rows(report)["precision"].unit == "points"
    assert [row.label for row in report.quality.own_scale] == ["rmse"]
    assert [row.label for row in report.quality.rows] == ["Precision", "Recall", "F1"]
