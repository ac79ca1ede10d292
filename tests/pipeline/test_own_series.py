"""One MLflow and one Prometheus in which several tests are counted: each page shows its own test's traffic, whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from live_dashboards.app.pipeline import Request, ab_report, ask, connection_checks
from live_dashboards.model.notices import CheckState
from live_dashboards.model.snapshot import ChosenTest
from live_dashboards.settings import load_settings
from live_dashboards.sources.connector import LiveDataConnector
from tests.sources.prometheus_reading import END, labels, short_truth, traffic
from tests.support.waiting import LONGEST_SECONDS

AT = datetime.fromtimestamp(END, UTC)
ERRORS = "ab_test_errors_total"


def log_runs(database, name, *variants, days=0):
    experiment = database.truth.experiment(name)
    for index, variant in enumerate(variants):
        started = AT - timedelta(hours=2, days=days)
        ended = started + timedelta(hours=1)
        database.truth.run(experiment, variant, started=started, ended=ended, metrics={"accuracy": 0.78 + 0.02 * index}, params={"test_size": 5000})


@pytest.fixture
def settings_of(mlflow_database, prometheus):
    """`settings_of(truth, AB_X="...")`: both sources, of which MLflow's is to be filled before."""

    def make(truth, **own):
        more = {"AB_WINDOW": "1h", "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}
        return load_settings(environment={**mlflow_database.environment, **prometheus(truth).environment, **more, **own})

    return make


def report_of(settings):
    request = Request(at=AT)
    return ab_report(ask(settings, request), settings, request)


def requests_of(report):
    return {one.variant: one.value for one in report.measurements if one.name == "requests"}


def others(truth):
    for index in range(7):
        for model in ("baseline-predictor", "enhanced-predictor"):
            own = labels(model, experiment=f"test {index}")
            traffic(truth, model, experiment=f"test {index}")
            truth.counter(ERRORS, own, 0.1)
            truth.gauge("ab_test_business_impact", {**own, "metric_type": "net_business_value"}, -63.8)


def test_a_test_without_series_of_its_own_is_model_data_and_the_names_there_are_told(settings_of, mlflow_database):
    truth = short_truth()
    others(truth)
    log_runs(mlflow_database, "mine", "baseline", "enhanced")
    settings = settings_of(truth)
    report = report_of(settings)
    assert report.badge.kind.value == "MODEL DATA"
    assert {one.value for one in report.measurements if one.name in {"total_requests", "net_business_value"} and one.origin.value == "live"} == set()
    assert any("test 0, test 1, test 2" in (status.reason or "") for status in report.sources)
    found = {check.name: check for check in connection_checks(settings, AT)}
    assert found["Prometheus A/B data"].ok is CheckState.FAILED
    assert "test 0, test 1, test 2" in found["Prometheus A/B data"].found


def test_unlabelled_variants_count_beside_seven_labelled_tests_in_the_page_and_the_connection_test(settings_of, mlflow_database):
    truth = short_truth()
    others(truth)
    for model, rate in (("baseline-predictor", 1.0), ("enhanced-predictor", 2.0), ("stranger-predictor", 4.0)):
        traffic(truth, model, "own", rate=rate)
    log_runs(mlflow_database, "mine", "baseline", "enhanced")
    settings = settings_of(truth)
    report = report_of(settings)
    assert report.badge.kind.value == "LIVE DATA"
    assert requests_of(report) == {"baseline": pytest.approx(3600, abs=1), "enhanced": pytest.approx(7200, abs=1)}
    found = {check.name: check for check in connection_checks(settings, AT)}
    assert "model_name: baseline-predictor, enhanced-predictor; experiment: not there" in found["Prometheus labels"].found
    assert found["variants in both sources"].ok is CheckState.OK


def test_each_of_all_experiments_counts_its_own_variants_where_no_series_names_an_experiment(settings_of, mlflow_database):
    truth = short_truth()
    for model, rate in (("a", 1.0), ("b", 2.0), ("c", 4.0), ("d", 8.0)):
        traffic(truth, model, rate=rate)
    log_runs(mlflow_database, "first", "a", "b")
    log_runs(mlflow_database, "second", "c", "d", days=1)
    snapshots = list(LiveDataConnector(settings_of(truth)).fetch_all(at=AT))
    found = {each.mlflow.experiment: {series.label("model_name") for series in each.prometheus.instant("requests").series} for each in snapshots}
    assert found == {"first": {"a", "b"}, "second": {"c", "d"}}


def test_a_configured_test_is_cut_to_its_variants_as_well(settings_of, mlflow_database):
    truth = short_truth()
    for model in ("a", "b", "c"):
        traffic(truth, model)
    log_runs(mlflow_database, "first", "a", "b")
    assert set(requests_of(report_of(settings_of(truth, AB_EXPERIMENT="first", AB_BASELINE_VARIANT="a")))) >= {"a", "b"}
    snapshot = LiveDataConnector(settings_of(truth, AB_EXPERIMENT="first")).fetch(at=AT)
    assert {series.label("model_name") for series in snapshot.prometheus.instant("requests").series} == {"a", "b"}


def test_an_arm_whose_errors_nobody_counts_has_no_error_rate_no_guardrail_and_no_total(settings_of, mlflow_database):
    truth = short_truth()
    for name in ("mine", "other"):
        for model in ("baseline", "enhanced"):
            traffic(truth, model, experiment=name)
            if name == "other":
                truth.counter(ERRORS, labels(model, experiment=name), 0.1)
    log_runs(mlflow_database, "mine", "baseline", "enhanced")
    report = report_of(settings_of(truth))
    rates = [one for one in report.measurements if one.name in {"errors", "error_rate", "error_rate_difference"}]
    assert {one.value for one in rates} == {None}
    assert all("not counted" in (one.reason or "") for one in rates if one.variant in {"baseline", "enhanced"} and one.name == "errors")


def test_while_mlflow_is_down_a_configured_test_has_its_unlabelled_series_and_is_not_refused(settings_of, caplog):
    truth = short_truth()
    others(truth)
    for model in ("baseline", "enhanced"):
        traffic(truth, model, "own")
    report = report_of(settings_of(truth, AB_EXPERIMENT="mine", MLFLOW_DB_PORT="1"))
    assert requests_of(report) == {"baseline": pytest.approx(7200, abs=1), "enhanced": pytest.approx(7200, abs=1)}
    assert "experiment 'mine' is not verified: MLflow cannot be asked, and no series in Prometheus has its name" in caplog.text
    assert any("of baseline, enhanced those without the label experiment, as MLflow does not tell whose they are" in notice for notice in report.health.notices)


def test_what_mlflow_told_before_serves_while_it_is_down(settings_of):
    truth = short_truth()
    for model in ("baseline", "enhanced", "stranger"):
        traffic(truth, model)
    connector = LiveDataConnector(settings_of(truth, MLFLOW_DB_PORT="1"))
    snapshot = connector.fetch(at=AT, known_test=ChosenTest("mine", ("baseline", "enhanced")))
    assert {series.label("model_name") for series in snapshot.prometheus.instant("requests").series} == {"baseline", "enhanced"}
