"""What autolog logs of `model.score(X, y)`: the class in front makes two variants' keys differ, and of a regressor it is no accuracy."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

from live_dashboards.model.class_scores import is_classifier, is_no_accuracy, is_regressor
from live_dashboards.outputs.summary import summary, summary_schema
from tests.pipeline.command import page_at
from tests.pipeline.test_as_clients_log import client_logs, log, metrics_check
from tests.sources.mlflow_reading import NOW
from tests.sources.mlflow_ways import dataset

SCORES = """
import sys
import mlflow
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

uri, folder, kind = sys.argv[1:]
mlflow.set_tracking_uri(uri)
mlflow.set_experiment(experiment_id=mlflow.create_experiment("scored", artifact_location=folder))
mlflow.sklearn.autolog(log_models=False, silent=True)
random = np.random.default_rng(7)
rows = random.normal(size=(1000, 4))
truth = (rows[:, 0] * rows[:, 1] + 0.5 * rows[:, 2] > 0).astype(int)
forest = RandomForestClassifier(20, random_state=1)
other = {
    "classes": forest,
    "regressor": Lasso(0.01),
    "pipeline": make_pipeline(StandardScaler(), forest),
    "pipeline of a regressor": make_pipeline(StandardScaler(), Lasso(0.01)),
    "search": GridSearchCV(forest, {"max_depth": [1, 4]}, cv=2),
    "search by another scorer": GridSearchCV(forest, {"max_depth": [1, 4]}, cv=2, scoring="roc_auc"),
}[kind]
for variant, model in (("baseline", LogisticRegression()), ("enhanced", other)):
    with mlflow.start_run():
        mlflow.log_param("model_variant", variant)
        model.fit(rows[:750], truth[:750])
        X_test = rows[750:]
        y_test = truth[750:]
        print(variant, model.score(X_test, y_test))
        if kind != "classes":
            model.predict(X_test)  # of which alone autolog keeps the data set
"""
NAMES = {"classes": "RandomForestClassifier", "pipeline": "Pipeline", "search": "GridSearchCV"}
OF = "{}_score_test".format
TWO = [("baseline", {OF("LogisticRegression"): 0.7}, 5), ("enhanced", {OF("RandomForestClassifier"): 0.8}, 4)]
SAID = "accuracy read as score of test: LogisticRegression_score_test for baseline, RandomForestClassifier_score_test for enhanced"


def shown(report):
    return {each.variant: each.accuracy.value for each in report.variants}


def reasons(report):
    return {each.variant: str(each.accuracy.reason) for each in report.variants}


@pytest.mark.parametrize("kind", NAMES)
def test_what_autolog_logs_of_score_is_compared_over_classes_with_its_number_of_rows(mlflow_database, tmp_path, kind):
    printed = client_logs(mlflow_database, tmp_path, SCORES, kind)
    expected = {name: pytest.approx(100 * float(value)) for name, value in (line.split() for line in printed.splitlines())}
    report = page_at(datetime.now(UTC) + timedelta(minutes=1), mlflow_database)
    assert shown(report) == expected
    assert [each.accuracy.n for each in report.variants] == [None if kind == "classes" else 250] * 2
    (told,) = [notice for notice in report.health.notices if "read as score of" in notice]
    dataset_name = told.partition("score of ")[2].partition(":")[0]
    assert f": LogisticRegression_score_{dataset_name} for baseline, {NAMES[kind]}_score_{dataset_name} for enhanced; AB_ACCURACY_METRIC" in told


@pytest.mark.parametrize("kind", ["regressor", "pipeline of a regressor", "search by another scorer"])
def test_what_autolog_logs_of_score_is_not_compared_where_it_is_no_accuracy(mlflow_database, tmp_path, kind):
    client_logs(mlflow_database, tmp_path, SCORES, kind)
    report = page_at(datetime.now(UTC) + timedelta(minutes=1), mlflow_database)
    baseline, enhanced = (each.accuracy for each in report.variants)
    assert (baseline.value is None, enhanced.value) == (False, None)
    assert "AB_ACCURACY_METRIC" in str(enhanced.reason)
    assert ("Lasso_score_" in str(enhanced.reason) and "R² of a regressor, no accuracy" in str(enhanced.reason)) == (kind == "regressor")


def test_page_and_connection_test_say_under_which_key_each_variant_is_read(mlflow_database):
    log(mlflow_database, TWO)
    report = page_at(NOW, mlflow_database)
    assert shown(report) == {"baseline": pytest.approx(70), "enhanced": pytest.approx(80)}
    assert f"{SAID}; AB_ACCURACY_METRIC names another key" in report.health.notices
    assert not any("in MLflow accuracy is" in notice for notice in report.health.notices)
    assert f"{SAID}, from 0.7 to 0.8" in metrics_check(mlflow_database)
    assert report.quality.head.title == "Accuracy: enhanced 80 % against baseline 70 %"


def test_the_summary_names_both_keys(mlflow_database):
    log(mlflow_database, TWO)
    found = summary(page_at(NOW, mlflow_database))
    jsonschema.validate(found, summary_schema())
    assert found["quality"] == {
        "metric": "LogisticRegression_score_test, RandomForestClassifier_score_test",
        "goal": "higher",
        "kind": "share",
        "unit": "percent",
        "baseline": pytest.approx(70),
        "challenger": pytest.approx(80),
    }
    assert (found["baseline_accuracy"], found["enhanced_accuracy"]) == (pytest.approx(70), pytest.approx(80))


def test_runs_and_means_over_runs_go_by_all_classes_of_the_data_set(mlflow_database):
    runs = [(variant, {OF(name): share + number / 100}, 9 - number) for variant, metrics, _ in TWO for name, share in [(only(metrics), 0.7)] for number in range(3)]
    log(mlflow_database, runs)
    report = page_at(NOW, mlflow_database)
    assert sorted(bar.accuracy.value for bar in report.runs.bars) == pytest.approx([70, 70, 71, 71, 72, 72])
    assert {row.metric: row.n_treatment for row in report.comparisons}["accuracy_over_runs"] == 3


def only(metrics):
    (key,) = metrics
    return key.removesuffix("_score_test")


CASES = {
    "one class alone": ([("baseline", {OF("SVC"): 0.7}, 5), ("enhanced", {OF("SVC"): 0.8}, 4)], (70, 80)),
    "the plain key before it": (
        [("baseline", {OF("SVC"): 0.1, "accuracy_score_test": 0.7}, 5), ("enhanced", {OF("GaussianNB"): 0.2, "accuracy_score_test": 0.8}, 4)],
        (70, 80),
    ),
    "the plain key of one, a class of the other": ([("baseline", {"accuracy_score_test": 0.7}, 5), ("enhanced", {OF("SVC"): 0.8}, 4)], (70, 80)),
    "before validation rows": ([("baseline", {OF("SVC"): 0.7, "val_accuracy": 0.1}, 5), ("enhanced", {OF("GaussianNB"): 0.8, "val_accuracy": 0.2}, 4)], (70, 80)),
    "after test rows": ([("baseline", {OF("SVC"): 0.1, "test_accuracy": 0.7}, 5), ("enhanced", {OF("GaussianNB"): 0.2, "test_accuracy": 0.8}, 4)], (70, 80)),
    "of the data set that both have": (
        [("baseline", {OF("SVC"): 0.7, "SVC_score_other": 0.1}, 5), ("enhanced", {OF("GaussianNB"): 0.8, "GaussianNB_score_more": 0.2}, 4)],
        (70, 80),
    ),
    "never of two data sets": ([("baseline", {"SVC_score_other": 0.7}, 5), ("enhanced", {OF("GaussianNB"): 0.8}, 4)], (None, 80)),
    "never of training rows": ([("baseline", {"SVC_score_X_train": 0.7}, 5), ("enhanced", {"SVC_score_X_train": 0.8}, 4)], None),
    "never by cross validation": (
        [("baseline", {"best_cv_score": 0.7, "mean_test_score": 0.7}, 5), ("enhanced", {"best_cv_score": 0.8, "mean_test_score": 0.8}, 4)],
        None,
    ),
    "never of words that are no class": ([("baseline", {"my_score_test": 0.7}, 5), ("enhanced", {"my_score_test": 0.8}, 4)], None),
    "two classes in one run": ([("baseline", {OF("SVC"): 0.7}, 5), ("enhanced", {OF("SVC"): 0.8, OF("GaussianNB"): 0.6}, 4)], (70, None)),
    "two regressors": ([("baseline", {OF("Ridge"): 0.7}, 5), ("enhanced", {OF("LinearRegression"): 0.8}, 4)], None),
    "clusters": ([("baseline", {OF("KMeans"): -700.0}, 5), ("enhanced", {OF("KMeans"): -800.0}, 4)], None),
    "a class of one's own beyond 1": ([("baseline", {OF("OwnModel"): 70.0}, 5), ("enhanced", {OF("OwnModel"): 80.0}, 4)], None),
}


@pytest.mark.parametrize("case", CASES)
def test_which_scores_are_compared(mlflow_database, case):
    runs, expected = CASES[case]
    log(mlflow_database, runs)
    report = page_at(NOW, mlflow_database)
    if expected is None:
        assert report.badge.kind.value == "SIMULATED DATA"
        assert "AB_ACCURACY_METRIC" in str(report.sources[0].reason)
    else:
        assert shown(report) == {name: None if value is None else pytest.approx(value) for name, value in zip(("baseline", "enhanced"), expected, strict=True)}


def test_a_classifier_and_a_regressor_are_not_compared_and_the_reason_says_why(mlflow_database):
    log(mlflow_database, [("baseline", {OF("LogisticRegression"): 0.7}, 5), ("enhanced", {OF("ElasticNet"): 0.8}, 4)])
    report = page_at(NOW, mlflow_database)
    assert shown(report) == {"baseline": pytest.approx(70), "enhanced": None}
    told = "(ElasticNet_score_test: R² of a regressor, no accuracy)"
    assert f"its runs log 'ElasticNet_score_test', 'LogisticRegression_score_test' {told}: name the key with AB_ACCURACY_METRIC" in reasons(report)["enhanced"]
    assert told in metrics_check(mlflow_database)
    assert not any(row.has_interval for row in report.comparisons if row.metric == "accuracy")


@pytest.mark.parametrize(
    ("name", "unit", "title", "values"), [("LogisticRegression", "points", "Accuracy", (70, None)), ("Ridge", "as_logged", "Ridge_score_test", (0.7, 0.8))]
)
def test_a_score_that_is_named_stays_exactly_that_key_and_is_what_its_class_says(mlflow_database, name, unit, title, values):
    enhanced = OF("RandomForestClassifier" if values[1] is None else name)
    log(mlflow_database, [("baseline", {OF(name): 0.7}, 5), ("enhanced", {enhanced: 0.8}, 4)])
    report = page_at(NOW, mlflow_database, AB_ACCURACY_METRIC=OF(name))
    assert [each.accuracy.value for each in report.variants] == [None if each is None else pytest.approx(each) for each in values]
    assert (report.logged_quality.key, report.logged_quality.metric().title, report.logged_quality.metric().difference_unit) == (OF(name), title, unit)
    assert not any("read as score" in notice for notice in report.health.notices)


@pytest.mark.parametrize("named", ["val_accuracy", "accuracy_score"])
def test_a_key_that_is_named_is_not_replaced_by_a_score(mlflow_database, named):
    log(mlflow_database, [("baseline", {OF("SVC"): 0.1, named: 0.7}, 5), ("enhanced", {OF("SVC"): 0.2, named: 0.8}, 4)])
    assert shown(page_at(NOW, mlflow_database, AB_ACCURACY_METRIC=named)) == {"baseline": pytest.approx(70), "enhanced": pytest.approx(80)}


def test_the_rows_are_those_of_the_data_set_that_the_key_ends_with(mlflow_database):
    experiment = mlflow_database.truth.experiment("logged")
    for variant, name, share in (("baseline", "SVC", 0.5), ("enhanced", "GaussianNB", 0.75)):
        run = mlflow_database.truth.run(experiment, variant, metrics={OF(name): share}, started=NOW - timedelta(hours=5))
        for context, found, rows in (("eval", "test", 300), ("eval", "other", 500), ("train", "dataset", 1500)):
            dataset(mlflow_database, run, context=context, name=found, profile=json.dumps({"num_rows": rows}))
    assert [each.accuracy.n for each in page_at(NOW, mlflow_database).variants] == [300, 300]


MANY = {f"metric_{number:02}": 1.0 for number in range(60)}


def test_scores_are_found_and_named_among_sixty_keys_that_more_runs_log(mlflow_database):
    log(mlflow_database, [("baseline", MANY, 9), *((variant, {**MANY, **metrics}, hours) for variant, metrics, hours in TWO)])
    assert shown(page_at(NOW, mlflow_database)) == {"baseline": pytest.approx(70), "enhanced": pytest.approx(80)}


def test_among_sixty_keys_the_reason_names_a_few_and_how_many_more_there_are(mlflow_database):
    training = {f"training_{key}": 1.0 for key in MANY}
    log(mlflow_database, [(variant, {**training, "val_acc_of_test_rows": 0.8}, hours) for variant, _, hours in TWO])
    reason = str(page_at(NOW, mlflow_database).sources[0].reason)
    assert "its runs log 'val_acc_of_test_rows', 'training_metric_00'" in reason
    assert " and 49 more: name the key with AB_ACCURACY_METRIC" in reason
    assert "the runs log 'val_acc_of_test_rows', 'training_metric_00'" in metrics_check(mlflow_database)
    assert " and 41 more" in metrics_check(mlflow_database)


def test_scikit_learns_own_classes_are_told_apart():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sklearn.utils import all_estimators

        kinds = {kind: {name for name, _ in all_estimators(kind)} for kind in ("classifier", "regressor")}
        scored = {name for name, each in all_estimators() if hasattr(each, "score")} - kinds["classifier"] - kinds["regressor"]
    assert {name for name in kinds["classifier"] if not is_classifier(name) or is_no_accuracy(OF(name))} == set()
    assert {name for name in kinds["regressor"] if not is_regressor(name) or is_classifier(name)} == set()
    delegates = {"GridSearchCV", "Pipeline", "RFE", "RFECV", "RandomizedSearchCV"}  # which are what they hold
    assert {name for name in scored if not is_no_accuracy(OF(name))} - {"HalvingGridSearchCV", "HalvingRandomSearchCV"} == delegates
