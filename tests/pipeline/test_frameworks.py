"""From a serving framework's own metrics and what MLflow's client logs to a live page, by one setting."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.pipeline.command import page_at
from tests.sources.prometheus_reading import END, HOUR
from tests.sources.test_prometheus_names import RECORDED, VARIANTS
from tests.support.expositions import Exposition

AT = datetime.fromtimestamp(END, UTC)


def log_as_evaluate_does(database, accuracies=(0.78, 0.82)):
    """Runs of `mlflow.models.evaluate`, which calls the accuracy accuracy_score and tells the number of rows."""
    experiment = database.truth.experiment("launch")
    started = AT - timedelta(hours=20)
    for variant, accuracy in zip(VARIANTS, accuracies, strict=True):
        metrics = {"accuracy_score": accuracy, "example_count": 5000.0, "f1_score": accuracy - 0.02}
        database.truth.run(experiment, variant, started=started, ended=started + timedelta(hours=1), metrics=metrics, params={})


@pytest.mark.parametrize("recorded", RECORDED, ids=str)
def test_one_setting_draws_live_data_with_right_numbers(mlflow_database, prometheus, recorded):
    log_as_evaluate_does(mlflow_database)
    exposition = Exposition.of(recorded.name)
    page = page_at(AT, mlflow_database, prometheus(exposition.grown(start=END - 2 * HOUR, end=END, times=20)), AB_WINDOW="3h", **recorded.settings)
    assert page.badge.kind.value == "LIVE DATA"
    assert [row.state for row in page.health.rows] == ["info", "fresh", "fresh"]  # nobody looks for gauges that a framework has not
    shown = {facts.variant: facts for facts in page.variants}
    assert {*shown} == {*VARIANTS}
    for variant, accuracy in zip(VARIANTS, (78, 82), strict=True):
        client = exposition.client["variants"][variant]
        more = client["malformed"] if recorded.counts_malformed else 0
        requests = 20 * (client["sent"] - client["malformed"] + more + client["warm_up"] + recorded.unsent.get(variant, 0))
        failed = 20 * (client["failed"] + (client["malformed"] if recorded.malformed_fail else 0))
        facts = shown[variant]
        assert facts.accuracy.value == pytest.approx(accuracy)
        assert facts.requests.value == requests
        assert facts.error_rate.value == pytest.approx(100 * failed / requests)
        assert (facts.mean_latency_ms.value is None) == ("latency_sum" in recorded.missing)
        assert (facts.p95_latency_ms.value is None) == ("latency_buckets" in recorded.missing)


def test_models_that_mlflow_does_not_know_are_left_out_and_told(mlflow_database, prometheus):
    """BentoML's router counts each request of its services again."""
    log_as_evaluate_does(mlflow_database)
    truth = Exposition.of("bentoml-1.4.40").grown(start=END - 2 * HOUR, end=END)
    page = page_at(AT, mlflow_database, prometheus(truth), AB_WINDOW="3h", AB_METRICS="bentoml")
    assert {facts.variant for facts in page.variants} == {*VARIANTS}
    assert any("none of router, as they are no variants of 'launch' (baseline, enhanced)" in notice for notice in page.health.notices)
