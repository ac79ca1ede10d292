"""Every A/B experiment at once is what each is alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from live_dashboards.errors import SourceError
from live_dashboards.model.snapshot import MlflowAnswer, SourceState
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.postgres import PostgresSource
from tests.sources.mlflow_reading import DAY_SECONDS, NOW, ab_test, ago, ask
from tests.support.waiting import LONGEST_SECONDS

HOSTILE = "a'; drop table runs; -- %s {x} \n\u202e"


def ask_all(database, **settings: str) -> tuple[MlflowAnswer, ...]:
    source = PostgresSource(load_settings(environment={**database.environment, **settings}))
    return source.read_all(at=NOW, window_seconds=DAY_SECONDS, deadline=Deadline(LONGEST_SECONDS))


def timeless(answer: MlflowAnswer) -> MlflowAnswer:
    """Without what differs from one asking to the next."""
    return replace(answer, status=replace(answer.status, duration_seconds=0.0, clock_difference_seconds=None))


def fill(truth) -> None:
    ab_test(truth, "first", baseline=0.7, enhanced=0.9)
    ab_test(truth, HOSTILE, baseline=0.5, enhanced=0.6, started=ago(hours=3))
    third = truth.experiment("three variants")
    for index, variant in enumerate(("baseline", "enhanced", "other")):
        truth.run(third, variant, metrics={"accuracy": 0.5 + index / 10, "precision": 0.4}, params={"test_size": 1000 + index}, started=ago(hours=2))
    empty = truth.experiment("without a metric")
    for variant in ("baseline", "enhanced"):
        truth.run(empty, variant, started=ago(hours=8))
    truth.run(truth.experiment("no test"), "baseline", metrics={"accuracy": 0.1})


@pytest.mark.mlflow_versions(2, 3)
def test_all_at_once_is_what_each_experiment_gives_alone(mlflow_database):
    fill(mlflow_database.truth)
    answers = ask_all(mlflow_database)
    assert {answer.experiment for answer in answers} == {"first", HOSTILE, "three variants", "without a metric"}
    for answer in answers:
        alone = ask(mlflow_database, AB_EXPERIMENT=str(answer.experiment))
        assert set(answer.known_experiments) == set(alone.known_experiments)
        own = {"known_experiments": (), "queries": (), "history": replace(answer.history, query="")}
        assert replace(timeless(answer), **own) == replace(timeless(alone), **{**own, "history": replace(alone.history, query="")})
        assert dict(answer.queries)["values"] == dict(alone.queries)["values"]


def test_the_one_with_the_newest_activity_comes_first(mlflow_database):
    fill(mlflow_database.truth)
    assert ask_all(mlflow_database)[0].experiment == ask(mlflow_database).experiment


def test_without_an_ab_test_there_is_one_answer_that_says_so(mlflow_database):
    mlflow_database.truth.experiment("empty")
    (answer,) = ask_all(mlflow_database)
    assert (answer.status.state, answer.experiment) == (SourceState.NO_AB_DATA, None)


def test_a_deadline_holds_for_all_together(mlflow_database):
    fill(mlflow_database.truth)
    source = PostgresSource(load_settings(environment=mlflow_database.environment))
    with pytest.raises(SourceError):
        source.read_all(at=NOW, window_seconds=DAY_SECONDS, deadline=Deadline(0.001))
