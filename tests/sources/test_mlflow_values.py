"""Which logged value stands for a variant; every number follows the truth in the database."""

from __future__ import annotations

import math
import time

import pytest

from live_dashboards.model.snapshot import StatusCount
from tests.sources.mlflow_reading import NOW, ab_test, ago, ask, logged, value

pytestmark = pytest.mark.mlflow_versions(2, 3)


def test_accuracy_follows_the_database(mlflow_database):
    ab_test(mlflow_database.truth, baseline=0.782, enhanced=0.818)
    answer = ask(mlflow_database)
    assert (logged(answer, "baseline"), logged(answer, "enhanced")) == (0.782, 0.818)
    mlflow_database.execute("update latest_metrics set value = 0.5 where value = 0.818")
    assert logged(ask(mlflow_database), "enhanced") == 0.5


@pytest.mark.parametrize(("metric", "key"), [("precision", "precision"), ("recall", "recall"), ("f1", "f1"), ("f1", "f1_score")])
def test_each_other_metric_follows_the_database(mlflow_database, metric, key):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", metrics={key: 0.61})
    assert logged(ask(mlflow_database), "enhanced", metric) == 0.61
    mlflow_database.execute("update latest_metrics set value = 0.62 where key = %s", (key,))
    found = value(ask(mlflow_database), "enhanced", metric)
    assert found is not None
    assert (found.value, found.key) == (0.62, key)


def test_of_both_f1_keys_in_one_run_f1_is_taken(mlflow_database):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", metrics={"f1_score": 0.1, "f1": 0.2})
    assert logged(ask(mlflow_database), "enhanced", "f1") == 0.2


def test_metric_keys_are_configurable_and_may_hold_any_character(mlflow_database):
    made = ab_test(mlflow_database.truth)
    names = {"AB_ACCURACY_METRIC": "val/acc %(x)s", "AB_PRECISION_METRIC": "p 1", "AB_RECALL_METRIC": "r.é-'", "AB_F1_METRIC": "F_1"}
    metrics = {key: 0.1 * place for place, key in enumerate(names.values(), 1)}
    mlflow_database.truth.run(made, "enhanced", metrics={**metrics, "f1": 0.9})
    answer = ask(mlflow_database, **names)
    assert [logged(answer, "enhanced", metric) for metric in ("accuracy", "precision", "recall", "f1")] == list(metrics.values())


def test_the_newest_finished_run_counts(mlflow_database):
    made = ab_test(mlflow_database.truth, enhanced=0.8, started=ago(hours=5))
    mlflow_database.truth.run(made, "enhanced", metrics={"accuracy": 0.7}, started=ago(hours=9), ended=ago(minutes=1))
    assert logged(ask(mlflow_database), "enhanced") == 0.8
    mlflow_database.truth.run(made, "enhanced", metrics={"accuracy": 0.9}, started=ago(hours=4))
    assert logged(ask(mlflow_database), "enhanced") == 0.9


@pytest.mark.parametrize("status", ["FAILED", "KILLED", "SCHEDULED"])
def test_a_run_that_failed_or_never_ran_gives_no_value(mlflow_database, status):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", status=status, metrics={"accuracy": 0.99}, started=ago(minutes=9))
    mlflow_database.truth.run(made, "other", status=status, metrics={"accuracy": 0.99})
    answer = ask(mlflow_database)
    assert logged(answer, "enhanced") == 0.8
    assert logged(answer, "other") is None


def test_a_deleted_run_gives_no_value(mlflow_database):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", lifecycle="deleted", metrics={"accuracy": 0.99}, started=ago(minutes=9))
    assert logged(ask(mlflow_database), "enhanced") == 0.8


def test_a_running_run_counts_only_where_no_finished_one_has_the_value(mlflow_database):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", status="RUNNING", metrics={"accuracy": 0.99, "recall": 0.4}, started=ago(minutes=9))
    answer = ask(mlflow_database)
    assert logged(answer, "enhanced") == 0.8
    recall = value(answer, "enhanced", "recall")
    assert recall is not None
    assert (recall.value, recall.run_status) == (0.4, "RUNNING")


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_gives_way_to_the_next_run(mlflow_database, odd):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", metrics={"accuracy": odd}, started=ago(minutes=9))
    mlflow_database.truth.run(made, "odd", metrics={"accuracy": odd})
    answer = ask(mlflow_database)
    assert logged(answer, "enhanced") == 0.8
    assert logged(answer, "odd") is None
    assert answer.value_ranges == (("accuracy", 0.75, 0.8),)


def test_child_runs_count_only_where_no_top_level_run_has_the_value(mlflow_database):
    truth = mlflow_database.truth
    made = ab_test(truth)
    parent = truth.run(made, "enhanced", status="RUNNING", metrics={"precision": 0.5}, started=ago(hours=3))
    truth.run(made, "enhanced", parent=parent, metrics={"accuracy": 0.99, "precision": 0.9, "recall": 0.3}, started=ago(hours=2))
    truth.run(made, "enhanced", parent=parent, status="RUNNING", metrics={"recall": 0.4}, started=ago(hours=1))
    answer = ask(mlflow_database)
    assert logged(answer, "enhanced") == 0.8
    assert logged(answer, "enhanced", "precision") == 0.5
    recall = value(answer, "enhanced", "recall")
    assert recall is not None
    assert (recall.value, recall.is_child, recall.run_status) == (0.3, True, "FINISHED")


def test_latest_is_mlflows_latest_not_the_last_row(mlflow_database):
    truth = mlflow_database.truth
    made = ab_test(truth)
    run = truth.run(made, "enhanced", started=ago(hours=2))
    truth.history(run, "accuracy", [(ago(hours=2), 5, 0.7), (ago(hours=1), 2, 0.1), (ago(hours=2), 5, 0.72), (ago(minutes=5), -3, 0.2)])
    found = value(ask(mlflow_database), "enhanced")
    assert found is not None
    assert (found.value, found.observed_at) == (0.72, ago(hours=2))


def test_a_run_that_started_after_the_moment_comes_last(mlflow_database):
    made = ab_test(mlflow_database.truth, started=ago(hours=9))
    mlflow_database.truth.run(made, "enhanced", metrics={"accuracy": 0.99}, started=ago(hours=1))
    mlflow_database.truth.run(made, "late", metrics={"accuracy": 0.4}, started=ago(hours=1))
    answer = ask(mlflow_database, at=ago(hours=4))
    assert logged(answer, "enhanced") == 0.8
    assert logged(answer, "late") == 0.4


def test_equal_starts_are_decided_the_same_way_each_time(mlflow_database):
    made = ab_test(mlflow_database.truth)
    runs = {mlflow_database.truth.run(made, "tie", metrics={"accuracy": share}, started=ago(hours=3)): share for share in (0.1, 0.2, 0.3)}
    assert logged(ask(mlflow_database), "tie") == runs[min(runs)]


def test_the_value_names_its_run_and_time(mlflow_database):
    made = mlflow_database.truth.experiment("ab")
    run = mlflow_database.truth.run(made, "enhanced", metrics={"accuracy": 0.8}, started=ago(hours=5), ended=ago(hours=3), name="nice name")
    mlflow_database.truth.run(made, "baseline")
    found = value(ask(mlflow_database), "enhanced")
    assert found is not None
    assert (found.run_id, found.run_name, found.key, found.started_at, found.observed_at) == (run, "nice name", "accuracy", ago(hours=5), ago(hours=3))


def test_percent_and_fraction_stay_as_logged_and_the_range_shows_both(mlflow_database):
    made = ab_test(mlflow_database.truth, baseline=0.75, enhanced=81.8)
    mlflow_database.truth.run(made, "enhanced", status="FAILED", metrics={"accuracy": 92.0, "recall": 0.1})
    answer = ask(mlflow_database)
    assert logged(answer, "enhanced") == 81.8
    assert answer.value_ranges == (("accuracy", 0.75, 92.0), ("recall", 0.1, 0.1))


@pytest.mark.parametrize("text", ["2000", "0.2", "many"])
def test_the_test_count_is_the_params_text(mlflow_database, text):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", metrics={"accuracy": 0.8}, params={"test_size": text, "rows": "77"}, started=ago(hours=2))
    found, other = value(ask(mlflow_database), "enhanced"), value(ask(mlflow_database, AB_TEST_COUNT_PARAM="rows"), "enhanced")
    assert found is not None
    assert other is not None
    assert (found.test_count, other.test_count) == (text, "77")


def test_a_metric_of_that_name_serves_as_test_count(mlflow_database):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", metrics={"accuracy": 0.8, "test_size": 2000.0}, started=ago(hours=2))
    answer = ask(mlflow_database)
    found, without = value(answer, "enhanced"), value(answer, "baseline")
    assert found is not None
    assert without is not None
    assert found.test_count is not None
    assert float(found.test_count) == 2000
    assert without.test_count is None


def test_statuses_are_counted_over_all_active_runs(mlflow_database):
    truth = mlflow_database.truth
    made = ab_test(truth)
    parent = truth.run(made, "enhanced", status="RUNNING")
    truth.run(made, "enhanced", status="FAILED", parent=parent)
    truth.run(made, None, status="KILLED")
    truth.run(made, "enhanced", lifecycle="deleted")
    truth.run(truth.experiment("other"), "enhanced")
    counts = set(ask(mlflow_database, AB_EXPERIMENT="ab").status_counts)
    assert counts == {
        StatusCount("baseline", "FINISHED", False, 1),
        StatusCount("enhanced", "FINISHED", False, 1),
        StatusCount("enhanced", "RUNNING", False, 1),
        StatusCount("enhanced", "FAILED", True, 1),
        StatusCount(None, "KILLED", False, 1),
    }


def test_other_experiments_do_not_mix_in(mlflow_database):
    ab_test(mlflow_database.truth, "ab", baseline=0.1, enhanced=0.2)
    ab_test(mlflow_database.truth, "other", baseline=0.8, enhanced=0.9, started=ago(hours=9))
    answer = ask(mlflow_database)
    assert (logged(answer, "baseline"), logged(answer, "enhanced")) == (0.1, 0.2)
    assert answer.value_ranges == (("accuracy", 0.1, 0.2),)


def test_each_question_is_on_record_as_it_was_sent(mlflow_database):
    ab_test(mlflow_database.truth)
    answer = ask(mlflow_database)
    assert {"experiments", "values", "value_ranges", "status_counts", "runs", "accuracy_history"} <= dict(answer.queries).keys()
    assert "unnest(ARRAY['accuracy','accuracy','accuracy','accuracy','accuracy','precision'" in answer.query("values")
    assert "%(" not in answer.query("values")
    with mlflow_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(answer.query("values"))
        assert len(cursor.fetchall()) == 2
    connection.close()


def test_the_status_names_versions_address_and_clock(mlflow_database):
    ab_test(mlflow_database.truth)
    began = time.monotonic()
    status = ask(mlflow_database, at=NOW).status
    took_seconds = time.monotonic() - began
    revision = {2: "0584bdc529eb", 3: "dc11669786a5"}[mlflow_database.version]
    assert status.version is not None
    assert status.version.startswith("PostgreSQL ")
    assert status.version.endswith(f"MLflow schema {revision}")
    assert status.address == f"{mlflow_database.host}:{mlflow_database.port}/{mlflow_database.name}"
    assert 0 < status.duration_seconds < took_seconds
    assert status.clock_difference_seconds is not None
    assert abs(status.clock_difference_seconds) < status.duration_seconds  # it is known to half of what the question took
