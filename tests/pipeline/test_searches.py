"""A search by hand: a parent run whose nested runs are trials, and which logs the best of them itself; as MLflow's own client logs it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from live_dashboards.analysis.statistics.proportions import Counts, wilson
from tests.pipeline.command import page_at
from tests.pipeline.test_as_clients_log import client_logs, log, metrics_check
from tests.pipeline.test_class_scores import shown
from tests.sources.mlflow_reading import NOW, ago

SEARCHES = """
import sys
import mlflow

uri, folder, kind = sys.argv[1:]
mlflow.set_tracking_uri(uri)
mlflow.set_experiment(experiment_id=mlflow.create_experiment("searched", artifact_location=folder))
for variant, shares in (("baseline", (0.75, 0.78, 0.74)), ("enhanced", (0.83, 0.80, 0.71))):
    with mlflow.start_run(run_name=f"search {variant}"):
        if kind != "on the trials":
            mlflow.log_param("model_variant", variant)
        for number, share in enumerate(shares):
            with mlflow.start_run(run_name=f"{variant} {number}", nested=True):
                if kind != "on the parent":
                    mlflow.log_param("model_variant", variant)
                mlflow.log_params({"depth": number, "test_size": 1000 + 100 * number})
                mlflow.log_metric("accuracy", share)
        mlflow.log_metric("best_accuracy", max(shares))
"""


@pytest.mark.parametrize("kind", ["on the trials", "on the parent", "on both"])
def test_the_best_that_a_parent_logs_is_the_variants_accuracy_with_the_rows_of_its_trial(mlflow_database, tmp_path, kind):
    client_logs(mlflow_database, tmp_path, SEARCHES, kind)
    report = page_at(datetime.now(UTC) + timedelta(minutes=1), mlflow_database)
    assert [(each.accuracy.value, each.accuracy.n) for each in report.variants] == [(pytest.approx(78), 1100), (pytest.approx(83), 1000)]
    low, high = wilson(Counts(830, 1000), 0.95)
    assert (report.variants[1].accuracy.interval.low, report.variants[1].accuracy.interval.high) == pytest.approx((100 * low, 100 * high))
    said = "best_accuracy of search enhanced, the best of 3 child runs of a search, that of enhanced 0"
    assert report.variants[1].accuracy.reason == said
    assert f"accuracy of enhanced is {said}" in report.health.notices
    checked = metrics_check(mlflow_database, "searched")
    assert "; accuracy of baseline is best_accuracy of search baseline, the best of 3 child runs of a search, that of baseline 1" in checked
    assert f", accuracy of enhanced is {said}" in checked


def trials(database, experiment, variant, parent, shares, *, key="accuracy"):
    for number, share in enumerate(shares):
        started = ago(hours=8, minutes=-number)
        database.truth.run(experiment, variant, parent=parent, started=started, metrics={key: share}, params={"test_size": 1000 + number}, name=f"trial {number}")


def test_a_search_over_both_variants_gives_its_best_to_the_one_that_has_it(mlflow_database):
    experiment = mlflow_database.truth.experiment("searched")
    parent = mlflow_database.truth.run(experiment, None, started=ago(hours=9), metrics={"best_accuracy": 0.83}, name="both")
    trials(mlflow_database, experiment, "baseline", parent, [0.75, 0.78, 0.74])
    trials(mlflow_database, experiment, "enhanced", parent, [0.83, 0.80])
    report = page_at(NOW, mlflow_database)
    assert [(each.accuracy.value, each.accuracy.n) for each in report.variants] == [(pytest.approx(78), 1001), (pytest.approx(83), 1000)]
    assert [str(each.accuracy.reason) for each in report.variants] == [
        "the best of 3 child runs of a search",
        "best_accuracy of both, the best of 2 child runs of a search, that of trial 0",
    ]
    assert [notice for notice in report.health.notices if "search" in notice] == [f"accuracy of enhanced is {report.variants[1].accuracy.reason}"]


def test_a_parent_whose_trials_log_nothing_alike_has_its_own_rows_in_percent(mlflow_database):
    experiment = mlflow_database.truth.experiment("searched")
    for variant, best in (("baseline", 0.78), ("enhanced", 0.83)):
        parent = mlflow_database.truth.run(
            experiment, variant, started=ago(hours=9), metrics={"best_accuracy": best}, params={"test_size": 500}, name=f"search {variant}"
        )
        trials(mlflow_database, experiment, None, parent, [0.1, 0.2], key="loss")
    report = page_at(NOW, mlflow_database)
    assert [(each.accuracy.value, each.accuracy.n) for each in report.variants] == [(pytest.approx(78), 500), (pytest.approx(83), 500)]
    assert report.variants[0].accuracy.reason == "best_accuracy of search baseline, the best of a search"
    assert "from 0.78 to 0.83; accuracy looks like a fraction" in metrics_check(mlflow_database, "searched")


def test_a_run_on_its_own_counts_before_a_newer_search(mlflow_database):
    made = log(mlflow_database, [("baseline", {"accuracy": 0.6}, 20), ("enhanced", {"accuracy": 0.7}, 20)])
    parent = mlflow_database.truth.run(made, "enhanced", started=ago(hours=9), metrics={"best_accuracy": 0.83})
    trials(mlflow_database, made, None, parent, [0.83, 0.80])
    assert shown(page_at(NOW, mlflow_database)) == {"baseline": pytest.approx(60), "enhanced": pytest.approx(70)}


@pytest.mark.parametrize(
    ("key", "shares", "best", "own"), [("rmse", [21.0, 20.0, 22.0], 20.0, {"AB_ACCURACY_METRIC": "rmse"}), ("test_accuracy", [0.7, 0.8, 0.6], 0.8, {})]
)
def test_the_best_is_that_of_the_very_key_be_more_or_less_better(mlflow_database, key, shares, best, own):
    experiment = mlflow_database.truth.experiment("searched")
    for variant in ("baseline", "enhanced"):
        metrics = {f"best_{key}": best, "best_accuracy": 0.99}
        parent = mlflow_database.truth.run(experiment, None, started=ago(hours=9), metrics=metrics, name="search")
        trials(mlflow_database, experiment, variant, parent, shares, key=key)
    report = page_at(NOW, mlflow_database, **own)
    assert [each.accuracy.value for each in report.variants] == [pytest.approx(best if own else 100 * best)] * 2
    assert f"best_{key} of search, the best of 3 child runs of a search, that of trial 1" in str(report.variants[0].accuracy.reason)


def test_a_search_whose_best_is_read_has_no_run_before_it(mlflow_database):
    experiment = mlflow_database.truth.experiment("searched")
    for hours, best in ((30, 0.9), (9, 0.8)):
        for variant in ("baseline", "enhanced"):
            parent = mlflow_database.truth.run(experiment, variant, started=ago(hours=hours), metrics={"best_accuracy": best})
            mlflow_database.truth.run(experiment, None, parent=parent, started=ago(hours=hours - 1), metrics={"accuracy": best}, params={"test_size": 1000})
    report = page_at(NOW, mlflow_database)
    assert shown(report) == {"baseline": pytest.approx(80), "enhanced": pytest.approx(80)}
    assert "of the runs before" not in report.quality.head.note
