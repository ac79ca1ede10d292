"""The run timeline, the history of accuracy and the model versions."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.sources.mlflow_reading import NOW, ab_test, ago, ask

pytestmark = pytest.mark.mlflow_versions(2, 3)


def runs_by_name(answer):
    return {run.name: run for run in answer.runs}


def points(answer, variant: str):
    return next((series.points for series in answer.history.series if series.label("variant") == variant), ())


def test_a_run_shows_its_times_status_variant_and_accuracy(mlflow_database):
    truth = mlflow_database.truth
    made = ab_test(truth)
    run = truth.run(made, "enhanced", name="mine", metrics={"accuracy": 0.61}, started=ago(hours=3), ended=ago(hours=2))
    found = runs_by_name(ask(mlflow_database))["mine"]
    assert (found.run_id, found.variant, found.status, found.accuracy, found.is_child) == (run, "enhanced", "FINISHED", 0.61, False)
    assert (found.started_at, found.ended_at, found.last_sign_at) == (ago(hours=3), ago(hours=2), ago(hours=2))
    mlflow_database.execute("update latest_metrics set value = 0.62 where run_uuid = %s", (run,))
    assert runs_by_name(ask(mlflow_database))["mine"].accuracy == 0.62


def test_a_dead_running_run_shows_its_last_sign_of_life(mlflow_database):
    truth = mlflow_database.truth
    run = truth.run(ab_test(truth), "enhanced", status="RUNNING", started=ago(days=30), name="dead")
    truth.metric(run, "system/cpu", 1.0, ago(days=29))
    truth.metric(run, "loss", 1.0, ago(days=29, hours=5))
    found = runs_by_name(ask(mlflow_database))["dead"]
    assert (found.ended_at, found.last_sign_at, found.accuracy) == (None, ago(days=29), None)


def test_a_run_without_a_name_is_called_by_its_tag_or_its_id(mlflow_database):
    truth = mlflow_database.truth
    made = ab_test(truth)
    tagged = truth.run(made, "enhanced", name="", tags={"mlflow.runName": "from the tag"})
    plain = truth.run(made, "enhanced", name="", tags={"mlflow.runName": ""})
    names = {run.run_id: run.name for run in ask(mlflow_database).runs}
    assert (names[tagged], names[plain]) == ("from the tag", plain[:8])


def test_a_child_run_is_marked(mlflow_database):
    truth = mlflow_database.truth
    made = ab_test(truth)
    truth.run(made, "enhanced", parent="f" * 32, name="child")
    assert runs_by_name(ask(mlflow_database))["child"].is_child


def test_no_more_than_the_newest_200_runs_are_listed_but_all_are_counted(mlflow_database):
    made = ab_test(mlflow_database.truth, started=ago(hours=1))
    mlflow_database.execute(
        """insert into runs (run_uuid, name, status, start_time, lifecycle_stage, experiment_id)
           select md5(i::text), 'r' || i, 'FINISHED', 1000 + i, 'active', %s from generate_series(1, 300) i""",
        (made,),
    )
    answer = ask(mlflow_database)
    assert len(answer.runs) == 200
    assert answer.runs[2].name == "r300"
    assert sum(count.runs for count in answer.status_counts) == 302


def test_impossible_times_become_unknown(mlflow_database):
    made = ab_test(mlflow_database.truth)
    run = mlflow_database.truth.run(made, "enhanced", name="odd")
    mlflow_database.execute("update runs set start_time = 9000000000000000000, end_time = -5 where run_uuid = %s", (run,))
    found = runs_by_name(ask(mlflow_database))["odd"]
    assert (found.started_at, found.ended_at) == (None, None)


def test_long_and_hostile_texts_are_cut_and_stay_text(mlflow_database):
    truth = mlflow_database.truth
    made = ab_test(truth)
    variant, name = "é" * 6000, "<script>%(at_ms)s\n{x}"
    truth.run(made, variant, name=name, metrics={"accuracy": 0.5}, params={"test_size": "9" * 6000})
    answer = ask(mlflow_database)
    found = next(value for value in answer.values if value.variant.startswith("é"))
    assert (len(found.variant), len(found.test_count or ""), found.run_name) == (250, 250, name)


def test_history_follows_the_logged_values(mlflow_database):
    truth = mlflow_database.truth
    run = truth.run(ab_test(truth), "third", started=ago(hours=9))
    truth.history(run, "accuracy", [(ago(hours=9), 0, 0.5), (ago(hours=6), 1, 0.6), (ago(hours=3), 2, 0.7)])
    expected = [(ago(hours=9), 0.5), (ago(hours=6), 0.6), (ago(hours=3), 0.7)]
    assert points(ask(mlflow_database), "third") == tuple((at.timestamp(), share) for at, share in expected)
    mlflow_database.execute("update metrics set value = 0.65 where value = 0.6")
    assert points(ask(mlflow_database), "third")[1] == (ago(hours=6).timestamp(), 0.65)


def test_history_is_the_mean_of_each_step(mlflow_database):
    truth = mlflow_database.truth
    run = truth.run(ab_test(truth), "third", started=ago(hours=9))
    truth.history(run, "accuracy", [(ago(hours=6, seconds=2), 0, 0.4), (ago(hours=6, seconds=1), 0, 0.5), (ago(hours=6, seconds=1), 0, 0.6)])
    assert points(ask(mlflow_database), "third") == (((ago(hours=6).timestamp() - 4 / 3), pytest.approx(0.5)),)


def test_history_holds_the_window_alone(mlflow_database):
    truth = mlflow_database.truth
    run = truth.run(ab_test(truth, started=ago(days=30)), "third", started=ago(days=9))
    for at in (ago(hours=3), ago(hours=2), ago(hours=1)):
        truth.metric(run, "accuracy", at.timestamp() % 1000 / 1000, at)
    answer = ask(mlflow_database, at=ago(hours=2), window_seconds=3600)
    assert [at for at, _ in points(answer, "third")] == [ago(hours=2).timestamp()]
    assert ask(mlflow_database, at=ago(days=3)).history.reason == "no accuracy was logged within the window"


def test_history_leaves_out_what_is_not_finite_failed_deleted_or_without_variant(mlflow_database):
    truth = mlflow_database.truth
    made = ab_test(truth, started=ago(days=30))
    third = truth.run(made, "third", started=ago(hours=4))
    truth.history(third, "accuracy", [(ago(hours=3), step, share) for step, share in enumerate((float("nan"), float("inf"), 0.25, float("-inf")))])
    for variant, more in (("third", {"status": "FAILED"}), ("third", {"lifecycle": "deleted"}), ("third", {"status": "KILLED"}), (None, {})):
        truth.run(made, variant, metrics={"accuracy": 0.9}, started=ago(hours=4), **more)
    answer = ask(mlflow_database, AB_EXPERIMENT="ab")
    assert [series.label("variant") for series in answer.history.series] == ["third"]
    assert points(answer, "third") == ((ago(hours=3).timestamp(), 0.25),)


def test_history_is_top_level_where_that_exists(mlflow_database):
    truth = mlflow_database.truth
    made = ab_test(truth)
    parent = truth.run(made, "third", metrics={"accuracy": 0.5}, started=ago(hours=4), ended=ago(hours=3))
    for variant in ("third", "sweep"):
        truth.run(made, variant, parent=parent, metrics={"accuracy": 0.9}, started=ago(hours=4), ended=ago(hours=2))
    answer = ask(mlflow_database)
    assert points(answer, "third") == ((ago(hours=3).timestamp(), 0.5),)
    assert points(answer, "sweep") == ((ago(hours=2).timestamp(), 0.9),)


@pytest.mark.parametrize("days", [1, 7])
def test_history_has_at_most_300_points_a_variant(mlflow_database, days):
    truth = mlflow_database.truth
    run = truth.run(ab_test(truth), "third", started=ago(days=8))
    mlflow_database.execute(
        """insert into metrics (key, value, timestamp, run_uuid, step, is_nan)
           select 'accuracy', 0.5 + i / 1e5, %s - i * 20000, %s, i, false from generate_series(0, 40000) i""",
        (int(NOW.timestamp() * 1000), run),
    )
    answer = ask(mlflow_database, window_seconds=days * 86_400.0)
    found = points(answer, "third")
    assert len(found) == 300
    assert list(found) == sorted(found)
    assert answer.history.step_seconds == days * 288


def version(database, name: str, number: int, run: str, *, created: datetime, stage: str = "None") -> None:
    workspace = ("workspace, ", "'default', ") if database.version == 3 else ("", "")
    database.execute(f"insert into registered_models ({workspace[0]}name, creation_time) values ({workspace[1]}%s, 1) on conflict do nothing", (name,))
    database.execute(
        f"insert into model_versions ({workspace[0]}name, version, creation_time, run_id, current_stage) values ({workspace[1]}%s, %s, %s, %s, %s)",
        (name, number, int(created.timestamp() * 1000), run, stage),
    )


def test_versions_made_from_the_experiments_runs_are_listed_with_their_aliases(mlflow_database):
    truth = mlflow_database.truth
    run, other = truth.run(ab_test(truth), "enhanced"), truth.run(truth.experiment("other"), "enhanced")
    version(mlflow_database, "model", 1, run, created=ago(hours=5))
    version(mlflow_database, "model", 2, run, created=ago(hours=4))
    version(mlflow_database, "model", 3, run, created=ago(hours=3), stage="Deleted_Internal")
    version(mlflow_database, "model", 4, other, created=ago(hours=2))
    for alias in ("champion", "a"):
        mlflow_database.execute("insert into registered_model_aliases (name, version, alias) values ('model', 2, %s)", (alias,))
    found = ask(mlflow_database, AB_EXPERIMENT="ab").versions
    assert [(each.name, each.version, each.created_at, each.aliases) for each in found] == [("model", 2, ago(hours=4), ("a", "champion")), ("model", 1, ago(hours=5), ())]


def test_a_role_that_cannot_see_versions_gets_all_the_rest_without_a_warning(mlflow_database):
    truth = mlflow_database.truth
    version(mlflow_database, "model", 1, truth.run(ab_test(truth), "enhanced"), created=ago(hours=5))
    answer = ask(mlflow_database.reader())
    assert answer.versions == ()
    assert [warning for warning in answer.status.warnings if "data sets" not in warning] == []
    assert len(answer.values) == 2
    assert answer.status.version is not None
    assert "schema" not in answer.status.version


def test_versions_that_cannot_be_asked_lose_nothing_else(mlflow_database):
    ab_test(mlflow_database.truth)
    mlflow_database.execute("alter table model_versions rename column run_id to run_of_old")
    answer = ask(mlflow_database)
    assert answer.versions == ()
    assert len(answer.values) == 2
    assert len(answer.runs) == 2


def test_the_first_second_of_1970_is_a_time(mlflow_database):
    truth = mlflow_database.truth
    run = truth.run(ab_test(truth), "enhanced", name="old")
    mlflow_database.execute("update runs set start_time = 1000 where run_uuid = %s", (run,))
    assert runs_by_name(ask(mlflow_database))["old"].started_at == NOW - timedelta(seconds=NOW.timestamp() - 1)
