"""The hits and misses beside a precision or recall are those of the very run that the value comes from."""

from __future__ import annotations

import math

import pytest

from live_dashboards.model.snapshot import VariantValue
from tests.sources.mlflow_reading import ab_test, ago, ask, value
from tests.sources.test_mlflow_all import ask_all

pytestmark = pytest.mark.mlflow_versions(2, 3)
LOGGED = {"true_positives": 80.0, "false_positives": 20.0, "false_negatives": 30.0, "true_negatives": 870.0}
SCORES = {"precision": 0.8, "recall": 80 / 110}


def hits(found: VariantValue | None) -> tuple[float | None, float | None, float | None]:
    assert found is not None
    return found.true_positives, found.false_positives, found.false_negatives


@pytest.mark.parametrize("metric", ["precision", "recall"])
def test_they_follow_the_database(mlflow_database, metric):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", metrics={**SCORES, **LOGGED})
    assert hits(value(ask(mlflow_database), "enhanced", metric)) == (80, 20, 30)
    mlflow_database.execute("update latest_metrics set value = 81 where key = 'true_positives'")
    assert hits(value(ask(mlflow_database), "enhanced", metric)) == (81, 20, 30)


def test_those_of_another_run_do_not_count(mlflow_database):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", metrics=SCORES, started=ago(hours=2))
    mlflow_database.truth.run(made, "enhanced", metrics={**SCORES, **LOGGED}, started=ago(hours=4))
    mlflow_database.truth.run(made, "enhanced", status="FAILED", metrics=LOGGED, started=ago(hours=1))
    assert hits(value(ask(mlflow_database), "enhanced", "precision")) == (None, None, None)


def test_they_are_read_under_the_prefix_of_the_metrics_own_key(mlflow_database):
    made = ab_test(mlflow_database.truth)
    of_validation = {f"val_{key}": count for key, count in LOGGED.items()}
    metrics = {"val_precision_score": 0.8, "val_recall": 0.7, "true_positives": 1.0, "false_positives": 1.0, **of_validation}
    mlflow_database.truth.run(made, "enhanced", metrics=metrics)
    names = {"AB_PRECISION_METRIC": "val_precision_score", "AB_RECALL_METRIC": "val_recall"}
    answer = ask(mlflow_database, **names)
    assert [hits(value(answer, "enhanced", metric)) for metric in ("precision", "recall")] == [(80, 20, 30)] * 2


def test_a_key_of_another_name_has_those_without_a_prefix(mlflow_database):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", metrics={"ppv": 0.8, **LOGGED})
    assert hits(value(ask(mlflow_database, AB_PRECISION_METRIC="ppv"), "enhanced", "precision")) == (80, 20, 30)


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_one_that_is_not_finite_is_none(mlflow_database, odd):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", metrics={**SCORES, **LOGGED, "false_positives": odd})
    assert hits(value(ask(mlflow_database), "enhanced", "precision")) == (80, None, 30)


def test_beside_other_metrics_there_are_none(mlflow_database):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced", metrics={"accuracy": 0.95, "f1": 0.76, **LOGGED})
    answer = ask(mlflow_database)
    assert [hits(value(answer, "enhanced", metric)) for metric in ("accuracy", "f1")] == [(None, None, None)] * 2


def test_all_experiments_at_once_have_their_own(mlflow_database):
    for number, name in enumerate(("one", "other")):
        made = ab_test(mlflow_database.truth, name)
        mlflow_database.truth.run(made, "enhanced", metrics={**SCORES, **LOGGED, "true_positives": 80.0 + number})
    found = {answer.experiment: hits(value(answer, "enhanced", "precision")) for answer in ask_all(mlflow_database)}
    assert found == {"one": (80, 20, 30), "other": (81, 20, 30)}


def test_they_cost_no_further_question(mlflow_database):
    ab_test(mlflow_database.truth)
    assert "true_positives" in ask(mlflow_database).query("values")
    assert not [name for name, text in ask(mlflow_database).queries if name != "values" and "true_positives" in text]
