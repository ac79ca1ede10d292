"""Which experiments count as A/B tests and which one is looked at, on real tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from live_dashboards.errors import UsageError
from live_dashboards.model.snapshot import ChosenTest, SourceState
from tests.sources.mlflow_reading import NOW, ab_test, ago, ask, experiment

pytestmark = pytest.mark.mlflow_versions(2, 3)


def test_an_experiment_with_two_variants_is_an_ab_test_and_counts_its_runs(mlflow_database):
    made = ab_test(mlflow_database.truth)
    mlflow_database.truth.run(made, "enhanced")
    answer = ask(mlflow_database)
    assert answer.status.state is SourceState.ANSWERED
    assert answer.experiment == "ab"
    assert experiment(answer, "ab").variants == (("enhanced", 2), ("baseline", 1))
    assert experiment(answer, "ab").is_ab_test


def test_the_name_and_the_variants_are_told_at_once_and_only_once(mlflow_database):
    ab_test(mlflow_database.truth)
    told: list[ChosenTest | None] = []
    answer = ask(mlflow_database, on_experiment=told.append)
    assert told == [ChosenTest("ab", ("baseline", "enhanced"))] == [answer.chosen]


def test_a_variant_is_read_from_params_else_from_tags_and_blank_is_none(mlflow_database):
    truth = mlflow_database.truth
    made = truth.experiment("ab")
    truth.run(made, "baseline", variant_in="params", tags={"model_variant": "ignored"})
    truth.run(made, "enhanced", variant_in="tags")
    truth.run(made, "  \t", variant_in="params", tags={"model_variant": " enhanced "})
    truth.run(made, "   ", variant_in="tags")
    truth.run(made, None)
    assert experiment(ask(mlflow_database), "ab").variants == (("enhanced", 2), ("baseline", 1))


def test_deleted_runs_and_experiments_do_not_count(mlflow_database):
    truth = mlflow_database.truth
    made = ab_test(truth)
    truth.run(made, "third", lifecycle="deleted", started=ago(minutes=1))
    gone = truth.experiment("gone", lifecycle="deleted")
    truth.run(gone, "baseline", started=ago(minutes=1))  # MLflow 1.x left the runs of a deleted experiment active
    truth.run(gone, "enhanced", started=ago(minutes=1))
    answer = ask(mlflow_database)
    assert [found.name for found in answer.experiments] == ["ab"]
    assert "gone" not in answer.known_experiments
    assert dict(experiment(answer, "ab").variants) == {"baseline": 1, "enhanced": 1}


@pytest.mark.parametrize("sign", ["start", "end", "metric"])
def test_the_newest_activity_chooses_be_it_start_end_or_metric_of_any_run(mlflow_database, sign):
    truth = mlflow_database.truth
    ab_test(truth, "first", started=ago(hours=5))
    second = ab_test(truth, "second", started=ago(hours=20))
    if sign == "start":
        truth.run(second, None, status="RUNNING", started=ago(minutes=3))
    elif sign == "end":
        truth.run(second, None, status="FAILED", started=ago(hours=22), ended=ago(minutes=3))
    else:
        run = truth.run(second, None, status="RUNNING", started=ago(hours=22))
        truth.metric(run, "system/cpu", 5, ago(minutes=3))
    answer = ask(mlflow_database)
    assert answer.experiment == "second"
    assert answer.newest_at == ago(minutes=3)
    assert answer.experiments[0].name == "second"


def test_activity_after_the_moment_does_not_choose(mlflow_database):
    truth = mlflow_database.truth
    ab_test(truth, "first", started=ago(hours=30))
    ab_test(truth, "second", started=ago(hours=40))
    later = ab_test(truth, "later", started=ago(hours=2))
    answer = ask(mlflow_database, at=ago(hours=20))
    assert answer.experiment == "first"
    assert answer.newest_at == ago(hours=29)
    assert not experiment(answer, "later").is_active
    assert later


def test_a_time_in_the_far_future_is_no_activity(mlflow_database):
    truth = mlflow_database.truth
    ab_test(truth, "right", started=ago(hours=1, minutes=30))
    wrong = ab_test(truth, "wrong", started=ago(hours=30))
    run = truth.run(wrong, None, status="RUNNING", started=ago(hours=30))
    mlflow_database.execute("insert into latest_metrics values ('loss', 1, 9000000000000000, 0, false, %s)", (run,))
    answer = ask(mlflow_database)
    assert answer.experiment == "right"
    assert answer.newest_at == ago(minutes=30)


def test_only_activity_within_the_window_makes_an_experiment_active(mlflow_database):
    truth = mlflow_database.truth
    ab_test(truth, "old", started=NOW - timedelta(days=3))
    ab_test(truth, "new", started=ago(hours=5))
    answer = ask(mlflow_database)
    assert {found.name: found.is_active for found in answer.experiments} == {"new": True, "old": False}
    wider = ask(mlflow_database, window_seconds=4 * 86_400)
    assert experiment(wider, "old").is_active


def test_a_silent_start_of_a_running_run_counts_through_its_metrics(mlflow_database):
    truth = mlflow_database.truth
    made = ab_test(truth, started=NOW - timedelta(days=9))
    run = truth.run(made, "enhanced", status="RUNNING", started=NOW - timedelta(days=8))
    assert not experiment(ask(mlflow_database), "ab").is_active
    truth.metric(run, "loss", 0.1, ago(minutes=9))
    assert experiment(ask(mlflow_database), "ab").is_active


def test_a_named_experiment_is_taken_even_with_a_single_variant(mlflow_database):
    truth = mlflow_database.truth
    ab_test(truth, "newer")
    truth.run(truth.experiment("one"), "baseline", metrics={"accuracy": 0.7}, started=ago(days=9))
    answer = ask(mlflow_database, AB_EXPERIMENT="one")
    assert answer.experiment == "one"
    assert answer.status.has_answered
    assert [found.value for found in answer.values] == [0.7]


def test_a_named_experiment_is_matched_literally(mlflow_database):
    ab_test(mlflow_database.truth, "ab_test")
    ab_test(mlflow_database.truth, "abXtest", started=ago(hours=2))
    assert ask(mlflow_database, AB_EXPERIMENT="ab_test").experiment == "ab_test"
    with pytest.raises(UsageError, match="ab%test"):
        ask(mlflow_database, AB_EXPERIMENT="ab%test")


def test_an_unknown_experiment_is_refused_with_the_three_nearest_names(mlflow_database):
    for name in ("fraud-ab-test", "fraud-test", "fraud-ab", "weather"):
        ab_test(mlflow_database.truth, name)
    with pytest.raises(UsageError) as refused:
        ask(mlflow_database, AB_EXPERIMENT="fraud-ab-tset")
    message = str(refused.value)
    assert all(repr(name) in message for name in ("fraud-ab-tset", "fraud-ab-test", "fraud-test", "fraud-ab"))
    assert "weather" not in message
    assert refused.value.exit_code == 2


def test_a_deleted_experiment_is_named_as_deleted(mlflow_database):
    gone = mlflow_database.truth.experiment("gone", lifecycle="deleted")
    for variant in ("baseline", "enhanced"):
        mlflow_database.truth.run(gone, variant, lifecycle="deleted")
    with pytest.raises(UsageError, match="deleted in MLflow; restore it"):
        ask(mlflow_database, AB_EXPERIMENT="gone")
    answer = ask(mlflow_database)
    assert answer.status.state is SourceState.NO_AB_DATA
    assert "deleted" in (answer.status.reason or "")
    assert "'gone'" in (answer.status.reason or "")


def test_without_two_variants_anywhere_the_reason_names_what_is_there(mlflow_database):
    truth = mlflow_database.truth
    truth.run(truth.experiment("solo"), "baseline")
    told: list[ChosenTest | None] = []
    answer = ask(mlflow_database, on_experiment=told.append)
    assert answer.status.state is SourceState.NO_AB_DATA
    assert answer.status.reason is not None
    assert answer.status.reason.startswith("reachable, no A/B data: 2 experiments")
    assert "'solo' has only 'baseline'" in answer.status.reason
    assert "model_variant" in (answer.status.fix or "")
    assert told == [None]
    assert answer.experiments[0].name == "solo"


def test_a_named_experiment_without_any_variant_says_so(mlflow_database):
    mlflow_database.truth.run(mlflow_database.truth.experiment("plain"), None)
    answer = ask(mlflow_database, AB_EXPERIMENT="plain")
    assert answer.status.state is SourceState.NO_AB_DATA
    assert "no active run of experiment 'plain'" in (answer.status.reason or "")


def test_a_hostile_name_stays_plain_text(mlflow_database):
    name = "x'); drop table runs; -- %s %(at_ms)s {format} \x1b[31m <b> ".ljust(256, "é")
    ab_test(mlflow_database.truth, name)
    answer = ask(mlflow_database, AB_EXPERIMENT=name)
    assert answer.experiment == name
    assert answer.known_experiments == (name, "Default")
    with pytest.raises(UsageError) as refused:
        ask(mlflow_database, AB_EXPERIMENT="x'); drop table runs; -- %s")
    assert "\x1b" not in str(refused.value)


def test_three_and_more_variants_are_kept(mlflow_database):
    truth = mlflow_database.truth
    made = ab_test(truth)
    for number in range(4):
        truth.run(made, f"v{number}", metrics={"accuracy": 0.5 + number / 10})
    answer = ask(mlflow_database)
    assert len(experiment(answer, "ab").variants) == 6
    assert {found.variant for found in answer.values} == {"baseline", "enhanced", "v0", "v1", "v2", "v3"}


def test_of_far_too_many_variants_baseline_and_challenger_are_kept_and_the_cut_is_told(mlflow_database):
    made = ab_test(mlflow_database.truth)
    mlflow_database.execute(
        """insert into runs (run_uuid, name, status, start_time, lifecycle_stage, experiment_id)
           select md5(i::text), 'many', 'FINISHED', 1000 + i, 'active', %s from generate_series(1, 600) i""",
        (made,),
    )
    mlflow_database.execute("insert into params (key, value, run_uuid) select 'model_variant', 'a' || left(run_uuid, 2), run_uuid from runs where name = 'many'")
    mlflow_database.execute(
        "insert into latest_metrics select k, 0.5, 1, 0, false, run_uuid from runs, unnest(array['accuracy', 'recall', 'precision', 'f1']) k where name = 'many'"
    )
    answer = ask(mlflow_database)
    assert len(answer.experiments[0].variants) == 100
    assert {"baseline", "enhanced"} <= dict(answer.experiments[0].variants).keys()
    assert {"baseline", "enhanced"} <= {found.variant for found in answer.values}
    assert answer.status.warnings == ("experiment 'ab' has 100 or more variants; of the rest nothing is shown",)
