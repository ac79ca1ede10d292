"""What mlflow.models.evaluate itself logs, and what people log under other names than the plain one: a page with right numbers without a setting."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from live_dashboards.analysis.statistics.proportions import Counts, wilson
from live_dashboards.settings import load_settings
from live_dashboards.sources.mlflow.check import mlflow_checks
from tests.pipeline.command import page_at
from tests.sources.mlflow_reading import NOW
from tests.sources.mlflow_ways import dataset
from tests.support.mlflow_tables import tracking_uri
from tests.support.waiting import LONGEST_SECONDS

EVALUATES = """
import sys
import mlflow
import numpy as np
import pandas as pd

uri, folder, kind = sys.argv[1:]
mlflow.set_tracking_uri(uri)
mlflow.set_experiment(experiment_id=mlflow.create_experiment("evaluated", artifact_location=folder))
rows = {"two": 500, "three": 375, "values": 250}[kind]
truth = np.arange(rows) % (2 if kind == "two" else 3)
for variant, wrong in (("baseline", 113), ("enhanced", 76)):
    predicted = truth.copy()
    predicted[:wrong] = (predicted[:wrong] + 1) % (2 if kind == "two" else 3)
    answers = predicted + (0.5 if kind == "values" else 0)
    with mlflow.start_run():
        mlflow.log_param("model_variant", variant)
        frame = pd.DataFrame({"truth": truth, "predicted": answers})
        mlflow.models.evaluate(data=frame, targets="truth", predictions="predicted", model_type="regressor" if kind == "values" else "classifier")
"""
AUTOLOGS = """
import sys
import mlflow
import numpy as np
import sklearn.metrics
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

uri, folder, _ = sys.argv[1:]
mlflow.set_tracking_uri(uri)
mlflow.set_experiment(experiment_id=mlflow.create_experiment("autologged", artifact_location=folder))
mlflow.sklearn.autolog(log_models=False, silent=True)
random = np.random.default_rng(7)
rows = random.normal(size=(1000, 4))
truth = (rows[:, 0] * rows[:, 1] + 0.5 * rows[:, 2] > 0).astype(int)
for variant, model in (("baseline", LogisticRegression()), ("enhanced", RandomForestClassifier(20, random_state=1))):
    with mlflow.start_run():
        mlflow.log_param("model_variant", variant)
        model.fit(rows[:750], truth[:750])
        X_test = rows[750:]
        predicted = model.predict(X_test)
        found = sklearn.metrics.accuracy_score(truth[750:], predicted)
    print(variant, found)
"""
MODELS = """
import sys
import mlflow
import numpy as np
import pandas as pd

class Guess(mlflow.pyfunc.PythonModel):
    def __init__(self, wrong):
        self.wrong = wrong

    def predict(self, context, model_input, params=None):
        found = np.asarray(model_input["row"]).copy()
        found[: self.wrong] = 1 - found[: self.wrong]
        return found

uri, folder, kind = sys.argv[1:]
mlflow.set_tracking_uri(uri)
mlflow.set_experiment(experiment_id=mlflow.create_experiment("models", artifact_location=folder))
variants, models = {"baseline": 113, "enhanced": 76}, {}
for variant, wrong in variants.items():
    own = {"params": {"model_variant": variant}} if kind == "external params" else {"tags": {"model_variant": variant}}
    if kind.startswith("external"):
        models[variant] = mlflow.create_external_model(name=variant, **own).model_id
        continue
    with mlflow.start_run():
        mlflow.log_param("model_variant", variant)
        models[variant] = mlflow.pyfunc.log_model(name="m", python_model=Guess(wrong)).model_id
rows = pd.DataFrame({"truth": np.arange(500) % 2, "row": np.arange(500) % 2})
if kind == "evaluate":
    for model in models.values():
        mlflow.models.evaluate(f"models:/{model}", rows, targets="truth", model_type="classifier")
elif kind == "compare":
    with mlflow.start_run():
        for variant, model in models.items():
            mlflow.log_metric("accuracy", 1 - variants[variant] / 500, model_id=model)
            mlflow.log_metric("recall", float("nan"), model_id=model)
else:
    for variant, model in models.items():
        with mlflow.start_run():
            mlflow.log_metric("accuracy", 1 - variants[variant] / 500, model_id=model)
"""
QUIET = {
    "PYTHONWARNINGS": "ignore",
    "PATH": "/usr/bin:/bin",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MPLBACKEND": "agg",
    "GIT_PYTHON_REFRESH": "quiet",
}


@pytest.fixture
def evaluated(mlflow_database, tmp_path):
    """`evaluated("two")`: the page of two models that the client has evaluated."""

    def run(kind, **own):
        client_logs(mlflow_database, tmp_path, EVALUATES, kind)
        return page_at(datetime.now(UTC) + timedelta(minutes=1), mlflow_database, **own)

    return run


def client_logs(database, folder, program, kind=""):
    """What the program prints that logs with MLflow's own client."""
    uri = tracking_uri(database.server, database.name, database.user, database.password)
    command = [sys.executable, "-c", program, uri, str(folder / "artifacts"), kind]
    done = subprocess.run(command, cwd=folder, env={**QUIET, "HOME": str(folder)}, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(report):
    return {row.metric: row for row in report.comparisons}


def test_evaluates_own_metrics_are_read_with_the_number_of_its_rows(evaluated):
    report = evaluated("two")
    baseline, enhanced = report.variants
    for found, right in ((baseline, 387), (enhanced, 424)):
        assert (found.accuracy.value, found.accuracy.n) == (pytest.approx(100 * right / 500), 500)
        low, high = wilson(Counts(right, 500), 0.95)
        assert (found.accuracy.interval.low, found.accuracy.interval.high) == pytest.approx((100 * low, 100 * high))
        assert found.quality["precision"].n is not None
        assert found.quality["recall"].n is not None
    assert report.badge.kind.value == "MODEL DATA"
    assert rows(report)["accuracy"].has_interval
    (told,) = [notice for notice in report.health.notices if notice.startswith("in MLflow")]
    assert "accuracy is accuracy_score, precision is precision_score, recall is recall_score, F1 is f1_score; AB_ACCURACY_METRIC names another key" in told


def test_precision_over_three_classes_is_a_mean_and_gets_no_advice_that_cannot_work(evaluated):
    report = evaluated("three")
    baseline = report.variants[0]
    assert (baseline.accuracy.value, baseline.accuracy.n) == (pytest.approx(100 * (375 - 113) / 375), 375)
    assert baseline.quality["precision"].n is None
    assert baseline.quality["precision"].reason == "no interval: over several classes it is a mean, and no share of rows"


def test_a_regressors_page_says_what_its_runs_log_and_what_to_set(evaluated):
    report = evaluated("values")
    assert report.badge.kind.value == "SIMULATED DATA"
    reason = str(report.sources[0].reason)
    assert "neither accuracy nor requests of a variant; its runs log " in reason
    assert "'root_mean_squared_error'" in reason
    assert reason.endswith("name the key with AB_ACCURACY_METRIC")


def test_a_regressors_error_is_one_where_it_is_named(evaluated):
    report = evaluated("values", AB_ACCURACY_METRIC="root_mean_squared_error")
    row = rows(report)["accuracy"]
    assert (row.unit, row.is_higher_better, row.has_interval) == ("as_logged", False, False)
    assert report.badge.kind.value == "MODEL DATA"


def test_what_autolog_logs_of_test_rows_is_read_with_their_number_and_not_what_it_logs_of_training_rows(mlflow_database, tmp_path):
    printed = client_logs(mlflow_database, tmp_path, AUTOLOGS)
    expected = dict(line.split() for line in printed.splitlines())
    report = page_at(datetime.now(UTC) + timedelta(minutes=1), mlflow_database)
    assert {each.variant: each.accuracy.value for each in report.variants} == {name: pytest.approx(100 * float(value)) for name, value in expected.items()}
    assert [each.accuracy.n for each in report.variants] == [250, 250]
    assert report.logged_quality.key.startswith("accuracy_score_")


@pytest.mark.parametrize("kind", ["compare", "evaluate", "external params", "external tags"])
def test_what_runs_measured_of_models_counts_for_the_models_variants(mlflow_database, tmp_path, kind):
    client_logs(mlflow_database, tmp_path, MODELS, kind)
    report = page_at(datetime.now(UTC) + timedelta(minutes=1), mlflow_database)
    assert {each.variant: each.accuracy.value for each in report.variants} == {"baseline": pytest.approx(77.4), "enhanced": pytest.approx(84.8)}
    assert {each.quality["recall"].value is None for each in report.variants} == {kind != "evaluate"}
    assert [each.accuracy.n for each in report.variants] == [500 if kind == "evaluate" else None] * 2
    assert report.badge.kind.value == "MODEL DATA"


@pytest.mark.parametrize("key", ["accuracy_score", "test_accuracy", "eval_accuracy", "val_accuracy"])
def test_other_names_of_an_accuracy_are_read(mlflow_database, key):
    log(mlflow_database, [("baseline", {key: 0.78}, 5), ("enhanced", {key: 0.82}, 4)])
    report = page_at(NOW, mlflow_database)
    assert [each.accuracy.value for each in report.variants] == pytest.approx([78, 82])
    assert any(f"in MLflow accuracy is {key}; AB_ACCURACY_METRIC" in notice for notice in report.health.notices)


def test_what_is_logged_of_training_rows_is_never_read_by_itself_and_is_called_so_where_it_is_named(mlflow_database):
    key = "training_accuracy_score"
    log(mlflow_database, [("baseline", {key: 0.9, "example_count": 500}, 5), ("enhanced", {key: 0.998, "example_count": 500}, 4)])
    report = page_at(NOW, mlflow_database)
    assert report.badge.kind.value == "SIMULATED DATA"
    assert f"'{key}'" in str(report.sources[0].reason)
    named = page_at(NOW, mlflow_database, AB_ACCURACY_METRIC=key)
    assert [(each.accuracy.value, each.accuracy.n) for each in named.variants] == [(pytest.approx(90), None), (pytest.approx(99.8), None)]
    assert named.variants[0].accuracy.reason == f"no interval: {key} is measured on the rows that the model was trained with"
    assert f"{key} is measured on training data, on which a model looks better than on new rows" in named.health.notices


CASES = {
    "the first that both have": ([("baseline", {"accuracy": 0.7, "accuracy_score": 0.71}, 5), ("enhanced", {"accuracy_score": 0.8}, 4)], "accuracy_score", (71, 80)),
    "the plain one, where both have it": (
        [("baseline", {"accuracy": 0.7, "val_accuracy": 0.9}, 5), ("enhanced", {"accuracy": 0.8, "val_accuracy": 0.99}, 4)],
        "accuracy",
        (70, 80),
    ),
    "of the newest runs, not of those before": (
        [("baseline", {"accuracy": 0.5}, 9), ("enhanced", {"accuracy": 0.6}, 8), ("baseline", {"accuracy_score": 0.7}, 5), ("enhanced", {"accuracy_score": 0.8}, 4)],
        "accuracy_score",
        (70, 80),
    ),
    "an older run, where the newest have none in common": (
        [("baseline", {"accuracy": 0.7}, 9), ("enhanced", {"accuracy": 0.8}, 8), ("enhanced", {"accuracy_score": 0.9}, 4)],
        "accuracy",
        (70, 80),
    ),
    "what one has, where nothing is in common": ([("baseline", {"accuracy": 0.7}, 5), ("enhanced", {"test_accuracy": 0.8}, 4)], "accuracy", (70, None)),
}


@pytest.mark.parametrize("case", CASES)
def test_both_variants_are_read_under_one_key(mlflow_database, case):
    runs, key, expected = CASES[case]
    log(mlflow_database, runs)
    report = page_at(NOW, mlflow_database)
    assert report.logged_quality.key == key
    assert [each.accuracy.value for each in report.variants] == [None if value is None else pytest.approx(value) for value in expected]


def test_a_variant_without_the_key_says_what_its_runs_log(mlflow_database):
    log(mlflow_database, CASES["what one has, where nothing is in common"][0])
    reason = page_at(NOW, mlflow_database).variants[1].accuracy.reason
    assert "its runs log 'accuracy', 'test_accuracy': name the key with AB_ACCURACY_METRIC" in reason


def test_a_key_that_is_set_is_the_only_one(mlflow_database):
    log(mlflow_database, [("baseline", {"accuracy": 0.7, "val_accuracy": 0.9}, 5), ("enhanced", {"accuracy": 0.8, "val_accuracy": 0.99}, 4)])
    report = page_at(NOW, mlflow_database, AB_ACCURACY_METRIC="val_accuracy")
    assert [each.accuracy.value for each in report.variants] == pytest.approx([90, 99])
    assert not any("in MLflow accuracy is" in notice for notice in report.health.notices)


@pytest.mark.parametrize(("own", "n"), [({}, 500), ({"AB_TEST_COUNT_PARAM": "rows"}, None)])
def test_the_number_of_rows_is_evaluates_own_unless_a_param_is_named(mlflow_database, own, n):
    log(mlflow_database, [("baseline", {"accuracy": 0.7, "example_count": 500}, 5), ("enhanced", {"accuracy": 0.8, "example_count": 500}, 4)])
    assert [each.accuracy.n for each in page_at(NOW, mlflow_database, **own).variants] == [n, n]


def test_runs_and_means_over_runs_go_by_the_same_key(mlflow_database):
    runs = [
        (variant, {"accuracy_score": value + offset}, hours)
        for variant, value in (("baseline", 0.7), ("enhanced", 0.8))
        for offset, hours in ((0.0, 5), (0.01, 6), (0.02, 7))
    ]
    log(mlflow_database, runs)
    report = page_at(NOW, mlflow_database)
    assert rows(report)["accuracy_over_runs"].estimate == pytest.approx(10)
    assert sorted(bar.accuracy.value for bar in report.runs.bars) == pytest.approx([70, 71, 72, 80, 81, 82])


def log(database, runs):
    """Finished runs of an hour, that began so many hours ago; the experiment's id."""
    experiment = database.truth.experiment("logged")
    for variant, metrics, hours in runs:
        started = NOW - timedelta(hours=hours)
        database.truth.run(experiment, variant, started=started, ended=started + timedelta(hours=1), metrics=metrics)
    return experiment


RETRAINED = [("baseline", {"accuracy": 0.8, "example_count": 1000}, 50), ("enhanced", {"accuracy": 0.85, "example_count": 1000}, 40)]


def test_a_retraining_that_fell_by_more_than_its_interval_is_warned_about_with_the_run_before(mlflow_database):
    """A script that died after logging .52 is FINISHED like a good one."""
    log(mlflow_database, [*RETRAINED, ("enhanced", {"accuracy": 0.52, "example_count": 1000}, 3)])
    report = page_at(NOW, mlflow_database)
    (told,) = [notice for notice in report.health.notices if "crashes after start_run()" in notice]
    assert told.startswith("accuracy of enhanced was 85 % in run-")
    assert "(39 h) and is 52 % in run-" in told
    assert re.search(r"test-set metrics of run-\w+ \(2 h\) and run-\w+ \(2 d\), percent", report.quality.head.subtitle)
    assert "accuracy of the runs before: enhanced 85 %" in report.quality.head.note


@pytest.mark.parametrize("accuracy", [0.84, 0.9])
def test_one_that_did_not_fall_beyond_its_interval_only_names_the_value_before(mlflow_database, accuracy):
    log(mlflow_database, [*RETRAINED, ("enhanced", {"accuracy": accuracy, "example_count": 1000}, 3)])
    report = page_at(NOW, mlflow_database)
    assert not any("start_run()" in notice for notice in report.health.notices)
    assert "accuracy of the runs before: enhanced 85 %" in report.quality.head.note


def test_an_error_rate_that_rose_is_a_fall(mlflow_database):
    runs = [
        ("baseline", {"merror": 0.2, "example_count": 1000}, 50),
        ("enhanced", {"merror": 0.15, "example_count": 1000}, 40),
        ("enhanced", {"merror": 0.48, "example_count": 1000}, 3),
    ]
    log(mlflow_database, runs)
    report = page_at(NOW, mlflow_database, AB_ACCURACY_METRIC="merror")
    assert any(notice.startswith("merror of enhanced was 15 % in run-") for notice in report.health.notices)


def test_failed_runs_with_newer_values_are_counted_in_the_connection_test(mlflow_database):
    experiment = log(mlflow_database, RETRAINED)
    assert "do not count" not in metrics_check(mlflow_database)
    for hours, status in ((3, "FAILED"), (2, "KILLED"), (45, "FAILED")):
        mlflow_database.truth.run(experiment, "enhanced", started=NOW - timedelta(hours=hours), status=status, metrics={"accuracy": 0.9})
    assert "; newer accuracies of 2 failed or killed runs of enhanced do not count" in metrics_check(mlflow_database)


def metrics_check(database, experiment="logged", **own):
    settings = load_settings(environment={**database.environment, "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}", "AB_EXPERIMENT": experiment, **own})
    return next(check for check in mlflow_checks(settings, NOW) if check.name == "MLflow metrics").found


EPOCHS = [(hours, step, 0.9 + step / 100) for hours, step in zip((9, 8, 7, 6, 5), (1, 2, 3, 4, 5), strict=True)]


def log_epochs(database, finals):
    """Epochs with steps up to .95, then the value on the test rows, which the client logs at step 0."""
    experiment = database.truth.experiment("epochs")
    for variant, final in finals.items():
        run = database.truth.run(experiment, variant, started=NOW - timedelta(hours=10), ended=NOW - timedelta(hours=1), params={"test_size": 1000})
        database.truth.history(run, "accuracy", [*((NOW - timedelta(hours=hours), step, value) for hours, step, value in EPOCHS), (NOW - timedelta(hours=2), 0, final)])


def test_the_newest_point_is_told_where_the_greatest_step_is_another_and_a_setting_takes_it(mlflow_database):
    log_epochs(mlflow_database, {"baseline": 0.80, "enhanced": 0.84})
    by_step, by_time = page_at(NOW, mlflow_database), page_at(NOW, mlflow_database, AB_METRIC_POINT="time")
    assert [each.accuracy.value for each in by_step.variants] == pytest.approx([95, 95])
    assert "accuracy of enhanced is 95 %, that of the greatest step; the newest in time is 84 %: AB_METRIC_POINT=time takes that" in by_step.health.notices
    assert [(each.accuracy.value, each.accuracy.n) for each in by_time.variants] == [(pytest.approx(80), 1000), (pytest.approx(84), 1000)]
    assert by_time.variants[0].accuracy.observed_at == NOW - timedelta(hours=2)
    assert "accuracy of baseline is 80 %, the newest in time; that of the greatest step is 95 %: AB_METRIC_POINT=step takes that" in by_time.health.notices


def test_where_the_greatest_step_is_the_newest_point_nothing_is_told(mlflow_database):
    log(mlflow_database, RETRAINED)
    assert not any("AB_METRIC_POINT" in notice for notice in page_at(NOW, mlflow_database, AB_METRIC_POINT="time").health.notices)


def log_search(database, trials, *, key="accuracy", hours_before=10, experiment=None):
    """A parent of each variant with its finished trials, of which each began a minute after the one before (variant to the values in that order); the experiment's id."""
    made = database.truth.experiment("search") if experiment is None else experiment
    for variant, values in trials.items():
        parent = database.truth.run(made, None, started=NOW - timedelta(hours=hours_before))
        for number, value in enumerate(values):
            started = NOW - timedelta(hours=hours_before - 1, minutes=-number)
            database.truth.run(
                made, variant, parent=parent, started=started, ended=started + timedelta(seconds=50), metrics={key: value}, params={"test_size": 1000 + number}
            )
    return made


def test_of_a_search_the_best_trial_counts_and_not_the_last_one(mlflow_database):
    log_search(mlflow_database, {"baseline": [0.75, 0.78, 0.74], "enhanced": [0.83, 0.80, 0.71]})
    baseline, enhanced = (each.accuracy for each in page_at(NOW, mlflow_database).variants)
    assert [(each.value, each.n) for each in (baseline, enhanced)] == [(pytest.approx(78), 1001), (pytest.approx(83), 1000)]
    assert enhanced.reason == "the best of 3 child runs of a search"


def test_of_an_error_the_best_trial_is_the_least(mlflow_database):
    log_search(mlflow_database, {"baseline": [21.0, 20.0, 22.0], "enhanced": [18.0, 19.0, 25.0]}, key="rmse")
    assert [each.accuracy.value for each in page_at(NOW, mlflow_database, AB_ACCURACY_METRIC="rmse").variants] == [20.0, 18.0]


def test_of_what_nobody_says_which_way_is_better_the_highest_trial_is_called_so(mlflow_database):
    log_search(mlflow_database, {"baseline": [21.0, 20.0, 22.0], "enhanced": [18.0, 19.0, 25.0]}, key="my_cost")
    found = [each.accuracy for each in page_at(NOW, mlflow_database, AB_ACCURACY_METRIC="my_cost").variants]
    assert [each.value for each in found] == [22.0, 25.0]
    assert all(each.reason.endswith("the highest of 3 child runs of a search") for each in found)


def test_the_newest_search_counts_though_an_older_one_was_better(mlflow_database):
    made = log_search(mlflow_database, {"baseline": [0.75, 0.78], "enhanced": [0.9, 0.95]}, hours_before=30)
    log_search(mlflow_database, {"enhanced": [0.83, 0.71]}, experiment=made)
    assert [each.accuracy.value for each in page_at(NOW, mlflow_database).variants] == pytest.approx([78, 83])


def test_trials_of_a_search_are_no_runs_before_each_other(mlflow_database):
    log_search(mlflow_database, {"baseline": [0.75, 0.78, 0.74], "enhanced": [0.83, 0.80, 0.71]})
    assert "of the runs before" not in page_at(NOW, mlflow_database).quality.head.note


def test_the_rows_of_training_that_autolog_logs_after_a_run_are_not_read(mlflow_database):
    log(mlflow_database, [(variant, {"accuracy_score_X_train": 0.99, "accuracy_score_X_val": value}, 5) for variant, value in (("baseline", 0.7), ("enhanced", 0.8))])
    report = page_at(NOW, mlflow_database)
    assert (report.logged_quality.key, [each.accuracy.value for each in report.variants]) == ("accuracy_score_X_val", pytest.approx([70, 80]))


def test_a_final_value_that_is_that_of_the_greatest_step_is_not_told(mlflow_database):
    log_epochs(mlflow_database, {"baseline": 0.95, "enhanced": 0.95})
    assert not any("AB_METRIC_POINT" in notice for notice in page_at(NOW, mlflow_database).health.notices)


DATASETS = {
    "of evaluation before none": ([("eval", 300, "a"), ("", 500, "b")], 300),
    "none, as evaluate and genai have it": ([("", 12, "dataset")], 12),
    "never of training": ([("train", 1500, "dataset")], None),
    "nor of any other context": ([("full", 100_000, "dataset"), ("training", 1500, "dataset")], None),
    "two of evaluation that differ": ([("eval", 300, "a"), ("eval", 500, "b")], None),
    "two that are alike": ([("eval", 300, "a"), ("eval", 300, "b")], 300),
}


@pytest.mark.parametrize("case", DATASETS)
def test_rows_of_a_data_set_are_those_that_the_run_was_evaluated_on(mlflow_database, case):
    made, expected = DATASETS[case]
    experiment = mlflow_database.truth.experiment("logged")
    for variant, share in (("baseline", 0.5), ("enhanced", 0.75)):
        run = mlflow_database.truth.run(experiment, variant, metrics={"accuracy": share}, started=NOW - timedelta(hours=5))
        for context, rows, name in made:
            dataset(mlflow_database, run, context=context, name=name, profile=f'{{"num_rows": {rows}}}')
    assert [each.accuracy.n for each in page_at(NOW, mlflow_database).variants] == [expected, expected]


@pytest.mark.parametrize(
    "profile", [None, "", "no JSON", "[]", '{"num_rows": "many"}', '{"num_rows": true}', '{"num_rows": -5}', '{"features_shape": {"a": [3]}}', "[" * 900]
)
def test_a_profile_that_tells_no_number_gives_none(mlflow_database, profile):
    experiment = mlflow_database.truth.experiment("logged")
    for variant, share in (("baseline", 0.5), ("enhanced", 0.75)):
        dataset(mlflow_database, mlflow_database.truth.run(experiment, variant, metrics={"accuracy": share}, started=NOW - timedelta(hours=5)), profile=profile)
    assert [each.accuracy.n for each in page_at(NOW, mlflow_database).variants] == [None, None]
