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
from live_dashboards.model.planning import Given
from live_dashboards.outputs.summary import summary, summary_schema
from live_dashboards.panels import quality
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
    """`page(key, baseline values, enhanced values, **settings)`: a page of runs an hour apart, the newest last; without values of the runs that are there."""

    def log(key, values, n, metrics):
        experiment = mlflow_database.truth.experiment("regression")
        for variant, logged in zip(("baseline", "enhanced"), values, strict=True):
            for number, value in enumerate(logged):
                started = AT - timedelta(days=DAYS + 5, hours=len(logged) - number)
                mlflow_database.truth.run(
                    experiment, variant, started=started, ended=started + timedelta(minutes=9), metrics={key: value, **dict(metrics)}, params={"test_size": n}
                )

    def make(key, *values, kind="ab", n=2500, metrics=(), **own):
        if values:
            log(key, values, n, metrics)
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


def test_settings_say_what_a_name_does_not(page):
    assumed = page("quality_index", [0.204], [0.312])
    assert rows(assumed)["accuracy"].unit == "points"
    assert any("quality_index is taken as the better the higher; set AB_ACCURACY_GOAL=lower" in notice for notice in assumed.health.notices)
    told = page("quality_index", AB_ACCURACY_GOAL="lower", AB_ACCURACY_KIND="value")
    assert (rows(told)["accuracy"].unit, rows(told)["accuracy"].is_higher_better) == ("as_logged", False)
    assert not any("taken as the better" in notice for notice in told.health.notices)


def test_no_money_follows_from_a_value(page):
    report = page("rmse", [20.4], [31.2], kind="business")
    assert report.case.net.value is None
    revenue = next(term for term in report.case.terms if term.effect == "accuracy_improvement")
    assert "rmse is a value in its own unit" in str(revenue.value.reason)


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
