"""MLflow 3 may hold one experiment name in several workspaces."""

from __future__ import annotations

from tests.sources.mlflow_reading import ab_test, ago, ask


def test_of_two_workspaces_the_one_with_the_newest_activity_is_shown_and_the_other_named(mlflow_database):
    truth = mlflow_database.truth
    ab_test(truth, "ab", baseline=0.6, started=ago(hours=9))
    mlflow_database.execute("update experiments set workspace = 'team-a' where name = 'ab'")
    ab_test(truth, "ab", baseline=0.7, started=ago(hours=4))
    ab_test(truth, "newest", started=ago(hours=2))
    answer = ask(mlflow_database, AB_EXPERIMENT="ab")
    assert [(found.name, found.workspace) for found in answer.experiments if found.name == "ab"] == [("ab", "default"), ("ab", "team-a")]
    assert answer.experiments[0].name == "ab"
    assert next(found.value for found in answer.values if found.variant == "baseline") == 0.7
    assert answer.status.warnings == ("experiment 'ab' is there in several workspaces; shown is the one of default, not team-a",)
