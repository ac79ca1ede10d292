"""PostgreSQL, MLflow's REST API and its SQLite file say the same of the same truth."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from live_dashboards.errors import UsageError
from live_dashboards.model.metrics import ACTUAL_POSITIVES, METRICS, Metric
from live_dashboards.model.snapshot import SourceState
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.experiments import hit_keys
from live_dashboards.sources.mlflow.reading import question_parameters
from live_dashboards.sources.mlflow.rest.exchange import RestClient
from live_dashboards.sources.mlflow.rest.source import RestRows
from live_dashboards.sources.mlflow.sqlite.database import SqliteDatabase
from live_dashboards.sources.mlflow.sqlite.source import SqliteRows
from tests.sources.mlflow_reading import DAY_SECONDS, NOW, ago
from tests.sources.mlflow_ways import HOSTILE, SEARCHES, facts, history, read, read_all
from tests.support.waiting import LONGEST_SECONDS

AB_TESTS = [
    "ab main",
    HOSTILE,
    "ab of long ago",
    "as clients log",
    "autologged",
    "evaluated",
    "compared",
    "scored",
    "searched",
    "half measured",
    "begun",
    "measured",
    "of many keys",
]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"AB_EXPERIMENT": HOSTILE},
        {"AB_EXPERIMENT": "one variant"},
        {"AB_EXPERIMENT": "Default"},
        {"AB_EXPERIMENT": HOSTILE, "AB_PRECISION_METRIC": "val_precision", "AB_F1_METRIC": "val_true_positives"},
        {"AB_BASELINE_VARIANT": "swept", "AB_TEST_COUNT_PARAM": "accuracy", "window_seconds": 3600.0},
        {"at": ago(hours=4, minutes=30), "window_seconds": 90_000.0},
        {"at": ago(days=400)},
        {"at": ago(days=115)},
        {"at": ago(days=115), "AB_BASELINE_VARIANT": "baseline", "AB_CHALLENGER_VARIANT": "third"},
        {"AB_EXPERIMENT": "as clients log"},
        {"AB_EXPERIMENT": "autologged"},
        {"AB_EXPERIMENT": "autologged", "AB_TEST_COUNT_PARAM": "test_size"},
        {"AB_EXPERIMENT": "as clients log", "AB_METRIC_POINT": "time", "AB_ACCURACY_METRIC": "accuracy"},
        {"AB_EXPERIMENT": "own ways", "AB_VARIANT_FROM": "param:lane.x,tag:my role"},
        {"AB_EXPERIMENT": "own ways", "AB_VARIANT_FROM": "tag:my role, param:lane.x"},
        {"AB_VARIANT_FROM": "param:lane.x,param:model_variant"},
        {"AB_EXPERIMENT": "by alias"},
        {"AB_EXPERIMENT": "ab main", "AB_VARIANT_FROM": "alias,param:model_variant,tag:model_variant"},
        {"AB_EXPERIMENT": "by alias", "AB_VARIANT_FROM": "model_name"},
        {"AB_VARIANT_FROM": "alias"},
        {"AB_EXPERIMENT": "compared"},
        {"AB_EXPERIMENT": "compared", "AB_METRIC_POINT": "time"},
        {"AB_EXPERIMENT": "evaluated"},
        {"AB_EXPERIMENT": "external"},
        {"AB_EXPERIMENT": "external", "AB_METRIC_POINT": "time"},
        {"AB_EXPERIMENT": "scored"},
        {"AB_EXPERIMENT": "scored", "at": ago(days=98), "window_seconds": 10 * 86_400.0},
        {"AB_EXPERIMENT": "scored", "AB_ACCURACY_METRIC": "RandomForestClassifier_score_X_test"},
        {"AB_EXPERIMENT": "scored", "AB_ACCURACY_METRIC": "Lasso_score_X_test"},
        {"AB_EXPERIMENT": "of many keys"},
        {"AB_EXPERIMENT": "searched"},
        {"AB_EXPERIMENT": "searched", "AB_METRIC_POINT": "time"},
        {"AB_EXPERIMENT": "searched", "AB_ACCURACY_METRIC": "rmse"},
        {"AB_EXPERIMENT": "searched", "at": ago(days=100), "window_seconds": 20 * 86_400.0},
        {"AB_EXPERIMENT": "searched", "AB_ACCURACY_METRIC": "best_accuracy"},
    ],
)
def test_the_three_ways_give_the_same_answer(ways, asked):
    answers = {name: read(environment, **asked) for name, environment in ways.environments.items()}
    truth = answers["PostgreSQL"]
    assert truth.status.has_answered == (asked.get("AB_EXPERIMENT") != "Default")
    for name in ("REST", "SQLite"):
        assert facts(answers[name]) == facts(truth), name
        assert {variant: len(points) for variant, points in history(answers[name]).items()} == {variant: len(points) for variant, points in history(truth).items()}
        for variant, points in history(truth).items():
            assert history(answers[name])[variant] == tuple((pytest.approx(moment, abs=1e-3), pytest.approx(value, rel=1e-12)) for moment, value in points)


@pytest.mark.parametrize(("point", "shown", "other"), [("step", 0.905, 0.8), ("time", 0.8, 0.905)])
def test_what_clients_log_is_read_in_each_way(ways, point, shown, other):
    for environment in ways.environments.values():
        found = {(value.variant, value.metric): value for value in read(environment, AB_EXPERIMENT="as clients log", AB_METRIC_POINT=point).values}
        for variant, share in (("baseline", 0.7), ("enhanced", 0.8)):
            accuracy = found[variant, "accuracy"]
            assert (accuracy.key, accuracy.value, accuracy.test_count, accuracy.test_count_key) == ("accuracy_score", share, "500", "example_count")
        f1 = found["enhanced", "f1"]
        assert (f1.key, f1.value, f1.other_point) == ("f1_score", shown, other)


def test_what_autolog_logs_is_read_in_each_way_with_the_rows_of_its_data_set(ways):
    for environment in ways.environments.values():
        found = [value for value in read(environment, AB_EXPERIMENT="autologged").values if value.metric == "accuracy"]
        assert [(value.key, value.value, value.test_count) for value in found] == [("accuracy_score_X_test", 0.7, "250"), ("accuracy_score_X_test", 0.8, "250")]


@pytest.mark.parametrize(
    ("experiment", "ways_of_variants", "expected"),
    [
        ("own ways", "param:lane.x,tag:my role", {"a-b/c d": 0.6, "new": 0.8}),
        ("own ways", "tag:my role,param:lane.x", {"old": 0.6, "new": 0.8, "a-b/c d": 0.7}),
        ("by alias", "param:model_variant,alias", {"champion": 0.774, "challenger": 0.796}),
        ("by alias", "model_name", {"fraud": 0.774}),
        ("ab main", "alias,param:model_variant", {"champion": 0.33, "baseline": 0.33, "enhanced": 0.99, "later": 0.9, "swept": 0.4}),
    ],
)
def test_a_variant_is_read_where_the_setting_says_in_its_order(ways, experiment, ways_of_variants, expected):
    for environment in ways.environments.values():
        found = read(environment, AB_EXPERIMENT=experiment, AB_VARIANT_FROM=ways_of_variants)
        values = {value.variant: value.value for value in found.values if value.metric == "accuracy"}
        assert {variant: values[variant] for variant in expected} == expected
        assert {*values} - {*expected} == set()
        assert all(way in ways_of_variants.split(",") for _, way in found.variant_ways)


SCORES = {
    "baseline": ("LogisticRegression", 0.7),
    "enhanced": ("RandomForestClassifier", 0.8),
    "both alike": ("Pipeline", 0.55),
    "of a pipeline": ("Pipeline", 0.65),
    "of a search": ("GridSearchCV", 0.75),
    "by trials": ("RandomForestClassifier", 0.75),
}


def test_scores_of_classes_are_one_key_in_each_way(ways):
    for environment in ways.environments.values():
        answer = read(environment, AB_EXPERIMENT="scored")
        found = {value.variant: (value.key, value.value) for value in answer.values if value.metric == "accuracy"}
        expected = {variant: (f"{name}_score_X_test", share) for variant, (name, share) in SCORES.items()}
        assert found == {**expected, "plain first": ("accuracy_score_X_test", 0.51)}
        assert answer.value_ranges == (("accuracy", 0.1, 0.8),)
        accuracies = {(run.variant, run.accuracy) for run in answer.runs if run.variant in {"enhanced", "of a search", "of a pipeline", "of a regressor"}}
        assert accuracies == {
            ("enhanced", 0.8),
            ("enhanced", None),
            ("of a search", 0.75),
            ("of a search", None),
            ("of a pipeline", 0.65),
            ("of a pipeline", None),
            ("of a regressor", None),
        }


def test_scores_are_found_however_many_keys_more_runs_log(ways):
    for environment in ways.environments.values():
        answer = read(environment, AB_EXPERIMENT="of many keys")
        assert {(value.variant, value.metric): value.key for value in answer.values} == {
            ("baseline", "accuracy"): "SVC_score_X_test",
            ("enhanced", "accuracy"): "GaussianNB_score_X_test",
            ("baseline", "f1"): "f1_score_X_test",
            ("enhanced", "f1"): "f1_score_X_test",
        }


def test_a_timeline_of_scores_holds_the_runs_that_count(ways):
    for environment in ways.environments.values():
        points = history(read(environment, AB_EXPERIMENT="scored", at=ago(days=98), window_seconds=10 * DAY_SECONDS))
        assert {variant: [value for _, value in of_one] for variant, of_one in points.items()} == {
            "baseline": [0.6, 0.7],
            "enhanced": [0.8],
            "both alike": [0.55],
            "plain first": [0.51],
            "of a pipeline": [0.65],
            "of a search": [0.75],
            "by trials": [0.7, 0.75, 0.7],
        }


def test_of_each_search_the_best_that_its_parent_logs_counts_with_the_rows_of_its_trial(ways):
    expected = {
        **{variant: tuple(read) for variant, (*_, value, count, search) in SEARCHES.items() for read in [(value, count, search)]},
        "parent elsewhere": (0.76, None, None),
        "first of several": (0.78, None, "several"),
        "second of several": (0.74, None, None),
        "of silent trials": (0.64, None, "silent"),
        "of epochs": (0.88, None, "epochs"),
        "nested": (0.78, "1001", "nested search"),
    }
    for environment in ways.environments.values():
        found = {value.variant: value for value in read(environment, AB_EXPERIMENT="searched", AB_METRIC_POINT="time").values}
        assert {variant: (each.value, each.test_count, each.search) for variant, each in found.items()} == {
            variant: read for variant, read in expected.items() if read[0] is not None
        }
        assert (found["the parent alone"].is_child, found["the parent alone"].siblings, found["of silent trials"].siblings) == (True, 3, 0)
        assert (found["of silent trials"].run_name, found["the parent alone, and no trial has it"].run_name) == ("silent", "parent")


def test_of_an_error_the_least_is_the_best_of_a_search(ways):
    for environment in ways.environments.values():
        found = {value.variant: value for value in read(environment, AB_EXPERIMENT="searched", AB_ACCURACY_METRIC="rmse").values}
        assert found["no trial has it"].value == pytest.approx(1.7)
        assert (found["second of several"].value, found["second of several"].search) == (pytest.approx(1.6), None)
        assert (found["first of several"].value, found["first of several"].search) == (pytest.approx(1.2), None)


MEASURED = {"baseline": 0.80, "enhanced": 0.86}


@pytest.mark.parametrize(
    ("experiment", "key", "counts"),
    [("compared", "accuracy", ("900", "test_size")), ("evaluated", "accuracy_score", ("500", "example_count")), ("external", "accuracy", (None, None))],
)
def test_what_runs_measured_of_models_is_read_in_each_way(ways, experiment, key, counts):
    for environment in ways.environments.values():
        found = [value for value in read(environment, AB_EXPERIMENT=experiment).values if value.metric == "accuracy"]
        assert {value.variant: (value.key, value.value) for value in found} == {variant: (key, value) for variant, value in MEASURED.items()}
        assert {(value.test_count, value.test_count_key) for value in found} == {counts}
        assert (found[0].model_id is None) == (experiment == "evaluated")


def test_a_nan_that_was_measured_of_a_model_is_no_zero(ways):
    for environment in ways.environments.values():
        found = {(value.variant, value.metric): value.value for value in read(environment, AB_EXPERIMENT="compared").values}
        assert ("baseline", "f1") not in found
        assert found["enhanced", "f1"] == 0.86


def test_hits_beside_a_recall_of_a_model_are_those_of_the_model(ways):
    for environment in ways.environments.values():
        found = {value.variant: value for value in read(environment, AB_EXPERIMENT="compared").values if value.metric == "recall"}
        assert {variant: value.true_positives for variant, value in found.items()} == {"baseline": 800, "enhanced": 860}


def test_the_registry_is_not_asked_where_params_and_tags_give_two_variants(ways):
    asked = {name: dict(read(environment).variant_ways) for name, environment in ways.environments.items()}
    for found in asked.values():
        assert {*found.values()} == {"param:model_variant", "tag:model_variant"}
        assert "champion" not in found


def test_a_metric_that_is_added_to_the_catalogue_is_asked_for_in_each_way(ways, monkeypatch):
    for metric in (Metric("rows", "Rows", unit="rows", keys=("test_size",)), Metric("sensitivity", "Sensitivity", n=ACTUAL_POSITIVES, keys=("f1_score",))):
        monkeypatch.setitem(METRICS, metric.name, metric)
    for environment in ways.environments.values():
        found = {(value.variant, value.metric): value for value in read(environment).values}
        assert found["enhanced", "rows"].value == 2500
        hits = found["baseline", "sensitivity"]
        assert (hits.value, hits.true_positives, hits.false_positives, hits.false_negatives) == (0.65, 70, 30, 40)


def test_all_three_ways_choose_alike(ways):
    for name, environment in ways.environments.items():
        answer = read(environment, at=ago(days=115))
        told = [each for each in answer.status.warnings if each.startswith("shown is measured, the newest with values of both variants: begun was")]
        assert (answer.experiment, len(told)) == ("measured", 1), name


def test_the_truth_is_as_ugly_as_the_comparison_needs(ways):
    answer = read(ways.environments["REST"])
    assert answer.experiment == "ab main"
    assert [each.name for each in answer.experiments] == [*AB_TESTS, "one variant"]
    assert {(value.variant, value.metric): value.value for value in answer.values if value.metric == "accuracy"} == {
        ("baseline", "accuracy"): 0.33,
        ("enhanced", "accuracy"): 0.33,
        ("later", "accuracy"): 0.9,
        ("only by its tag", "accuracy"): 0.5,
        ("swept", "accuracy"): 0.4,
    }
    assert [(each.version, each.aliases) for each in answer.versions] == [(1, ()), (2, ("a", "champion"))]
    assert set(history(answer)) == {"baseline", "enhanced", "only by its tag", "swept"}
    assert len(history(answer)["baseline"]) > 50


def test_all_a_b_experiments_come_in_the_same_order_with_the_same_answers(ways):
    answers = {name: read_all(environment) for name, environment in ways.environments.items()}
    assert [answer.experiment for answer in answers["PostgreSQL"]] == AB_TESTS
    for name in ("REST", "SQLite"):
        assert [facts(answer) for answer in answers[name]] == [facts(answer) for answer in answers["PostgreSQL"]], name


def test_of_each_run_only_what_the_rules_need_is_kept_and_when_it_logged_anything(ways):
    parameters = question_parameters(load_settings(environment={"AB_PRECISION_METRIC": "val_precision"}), NOW, 3600.0)
    with SqliteDatabase(ways.path, deadline=Deadline(LONGEST_SECONDS)) as database:
        of_file = SqliteRows(database, parameters)
        (made,) = (each.experiment_id for each in of_file.experiments(deleted_too=False) if each.name == "ab main")
        kept = {run.run_id: run for run in of_file.runs([made])}
        counts = dict(of_file.metric_keys([made]))
    with RestClient(load_settings(environment=ways.environments["REST"]), deadline=Deadline(LONGEST_SECONDS)) as client:
        of_server = RestRows(client, parameters)
        assert [run for run in of_server.runs([made]) if run.name != "diverged"] == [
            run for run in kept.values() if run.name != "diverged"
        ]  # whose NaN has no fixed value
        assert {key: count for key, count in of_server.metric_keys([made]).items() if not key.startswith("system/")} == counts
    assert {key for run in kept.values() for key in run.metrics} == {"accuracy", "recall", "f1", "f1_score", "test_size", *hit_keys("recall")}
    assert (counts["loss"], counts["precision"]) == (1, 2)
    only_other = next(run for run in kept.values() if run.name == "without a variant")
    assert only_other.newest_sign_ms is not None


def test_an_experiment_that_is_not_there_is_refused_in_the_same_words(ways):
    said = set()
    for environment in ways.environments.values():
        with pytest.raises(UsageError, match="no active experiment 'ab mian'; the nearest names are 'ab main'") as refused:
            read(environment, AB_EXPERIMENT="ab mian")
        said.add(str(refused.value))
    assert len(said) == 1


def test_where_all_is_deleted_each_way_names_what_can_be_restored(ways):
    change = "update experiments set lifecycle_stage = '{}' where lifecycle_stage = '{}'"
    with closing(sqlite3.connect(ways.path, timeout=LONGEST_SECONDS)) as file:
        for execute in (ways.database.execute, file.execute):
            execute(change.format("deleted", "active"))
        file.commit()
        try:
            answers = {name: read(environment) for name, environment in ways.environments.items()}
        finally:
            for execute in (ways.database.execute, file.execute):
                execute(change.format("active", "deleted") + " and name <> 'deleted'")
            file.commit()
    assert answers["PostgreSQL"].status.state is SourceState.NO_AB_DATA
    assert "every experiment with two variants is deleted, or its runs are ('deleted', 'ab of long ago'" in str(answers["PostgreSQL"].status.reason)
    assert {facts(answer) for answer in answers.values()} == {facts(answers["PostgreSQL"])}
