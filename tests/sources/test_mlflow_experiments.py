"""Which experiments count as A/B tests and which one is looked at, on real tables."""

from __future__ import annotations

import pytest

from live_dashboards.model.snapshot import SourceState
from tests.sources.mlflow_reading import ab_test, ask, experiment

pytestmark = pytest.mark.mlflow_versions(2, 3)


def test_an_experiment_with_two_variants_is_an_ab_test_and_counts_its_runs(mlflow_database):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced")
    answer = ask(mlflow_database)
    assert answer.status.state is SourceState.ANSWERED
    assert answer.experiment == "ab"
    assert experiment(answer, "ab").variants == (("enhanced", 2), ("baseline", 1))
    assert experiment(answer, "ab").is_ab_test


def test_the_name_is_told_at_once_and_only_once(mlflow_database):
    ab_test(mlflow_database.truth)
    told: list[str | None] = []
    ask(mlflow_database, on_experiment=told.append)
    assert told == ["ab"]
