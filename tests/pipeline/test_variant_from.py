"""A page whose variants stand elsewhere than in a param `model_variant`: it says where, and who is the baseline."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from live_dashboards.settings import load_settings
from live_dashboards.sources.mlflow.check import mlflow_checks
from live_dashboards.sources.mlflow.postgres import MlflowConnection
from tests.pipeline.command import page_at
from tests.sources.mlflow_reading import NOW, ab_test, ask, logged
from tests.sources.mlflow_ways import logged_model, measured
from tests.support.waiting import LONGEST_SECONDS

EITHER = pytest.mark.mlflow_versions(2, 3)


def trained(database, experiment, accuracies=(0.774, 0.796), **tags):
    """Finished runs without a variant, the older one first."""
    found = []
    for place, accuracy in enumerate(accuracies):
        started = NOW - timedelta(hours=9 - place)
        own = {name: values[place] for name, values in tags.items()}
        run = database.truth.run(
            experiment, None, started=started, ended=started + timedelta(hours=1), metrics={"accuracy": accuracy}, params={"test_size": 500}, tags=own
        )
        found.append(run)
    return found


def registered(database, runs, aliases, name="fraud"):
    """A version of the model for each run, with its alias."""
    database.execute("insert into registered_models (name) values (%s)", (name,))
    for version, (run, alias) in enumerate(zip(runs, aliases, strict=True), 1):
        made_ms = round((NOW - timedelta(hours=8)).timestamp() * 1000)
        database.execute(
            "insert into model_versions (name, version, creation_time, run_id, current_stage) values (%s, %s, %s, %s, 'None')", (name, version, made_ms, run)
        )
        database.execute("insert into registered_model_aliases (name, version, alias) values (%s, %s, %s)", (name, version, alias))


def checked(database, **own):
    settings = load_settings(environment={**database.environment, "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}", **own})
    return {check.name: check for check in mlflow_checks(settings, NOW)}


def shown(report):
    return {each.variant: each.accuracy.value for each in report.variants}


@EITHER
def test_champion_and_challenger_by_alias_alone_need_no_setting(mlflow_database):
    registered(mlflow_database, trained(mlflow_database, mlflow_database.truth.experiment("launch")), ("champion", "challenger"))
    report = page_at(NOW, mlflow_database)
    assert report.badge.kind.value == "MODEL DATA"
    assert shown(report) == {"champion": pytest.approx(77.4), "challenger": pytest.approx(79.6)}
    assert [each.variant for each in report.variants] == ["champion", "challenger"]
    assert "the baseline is champion, as variants are the registry's aliases; AB_BASELINE_VARIANT names another one" in report.health.notices
    told = "variants are read elsewhere than as param:model_variant: challenger, champion by the registry's alias (AB_VARIANT_FROM says where)"
    assert told in report.health.notices
    assert told in checked(mlflow_database)["MLflow experiment"].found


THREE = (({"accuracy_score": 0.7, "test_accuracy": 0.1}, "champion"), ({"accuracy_score": 0.8, "test_accuracy": 0.2}, "challenger"), ({"test_accuracy": 0.3}, "shadow"))


def of_three(database, *, has_variant=False):
    """Finished runs of three models, of which the last has no key that the others have first; by variants of their own or none."""
    made = database.truth.experiment("launch")
    return [
        database.truth.run(made, f"model {3 - place}" if has_variant else None, metrics=metrics, started=NOW - timedelta(hours=9 - place))
        for place, (metrics, _) in enumerate(THREE)
    ]


@EITHER
def test_the_alias_champion_is_the_baseline_that_the_keys_are_chosen_for(mlflow_database):
    registered(mlflow_database, of_three(mlflow_database), [alias for _, alias in THREE])
    report = page_at(NOW, mlflow_database)
    assert (report.baseline, report.challenger, report.logged_quality.key) == ("champion", "challenger", "accuracy_score")
    assert shown(report) == {"champion": pytest.approx(70), "challenger": pytest.approx(80), "shadow": None}
    assert "accuracy (accuracy_score) from 0.7 to 0.8" in checked(mlflow_database)["MLflow metrics"].found
    named = page_at(NOW, mlflow_database, AB_BASELINE_VARIANT="shadow")
    assert (named.challenger, named.logged_quality.key) == ("challenger", "test_accuracy")


@EITHER
def test_the_variant_whose_model_is_the_champion_is_the_baseline_that_the_keys_are_chosen_for(mlflow_database):
    runs = of_three(mlflow_database, has_variant=True)
    assert page_at(NOW, mlflow_database).logged_quality.key == "test_accuracy"
    registered(mlflow_database, runs[:1], ["champion"])
    mlflow_database.truth.run(ask(mlflow_database).experiments[0].experiment_id, "model 3", metrics={"accuracy_score": 0.75}, started=NOW - timedelta(hours=2))
    report = page_at(NOW, mlflow_database, AB_CHALLENGER_VARIANT="model 2")
    assert (report.baseline, report.challenger, report.logged_quality.key) == ("model 3", "model 2", "accuracy_score")
    assert shown(report) == {"model 3": pytest.approx(75), "model 2": pytest.approx(80), "model 1": None}
    assert "accuracy (accuracy_score) from 0.7 to 0.8" in checked(mlflow_database, AB_CHALLENGER_VARIANT="model 2")["MLflow metrics"].found


def test_a_set_baseline_stands_above_the_champion(mlflow_database):
    registered(mlflow_database, trained(mlflow_database, mlflow_database.truth.experiment("launch")), ("champion", "challenger"))
    report = page_at(NOW, mlflow_database, AB_BASELINE_VARIANT="challenger")
    assert [each.variant for each in report.variants] == ["challenger", "champion"]


@EITHER
def test_an_alias_beside_two_variants_by_param_is_no_third_one(mlflow_database):
    made = mlflow_database.truth.experiment("launch")
    registered(mlflow_database, trained(mlflow_database, made, (0.5,)), ("champion",))
    for variant in ("baseline", "enhanced"):
        mlflow_database.truth.run(made, variant, metrics={"accuracy": 0.8}, started=NOW - timedelta(hours=3))
    report = page_at(NOW, mlflow_database)
    assert {*shown(report)} == {"baseline", "enhanced"}
    assert not any("AB_VARIANT_FROM" in notice for notice in report.health.notices)


@EITHER
def test_models_by_their_registered_names(mlflow_database):
    for name, run in zip(("forest", "logreg"), trained(mlflow_database, mlflow_database.truth.experiment("launch")), strict=True):
        registered(mlflow_database, [run], ["live"], name)
    report = page_at(NOW, mlflow_database, AB_VARIANT_FROM="model_name", AB_BASELINE_VARIANT="logreg")
    assert shown(report) == {"logreg": pytest.approx(79.6), "forest": pytest.approx(77.4)}
    assert not any("AB_VARIANT_FROM" in notice for notice in report.health.notices)


@EITHER
def test_a_tag_of_another_name_is_read_and_told_where_it_is_not_the_first_way(mlflow_database):
    trained(mlflow_database, mlflow_database.truth.experiment("launch"), role=("baseline", "enhanced"))
    report = page_at(NOW, mlflow_database, AB_VARIANT_FROM="param:role,tag:my_role,tag:role")
    assert shown(report) == {"baseline": pytest.approx(77.4), "enhanced": pytest.approx(79.6)}
    second = page_at(NOW, mlflow_database, AB_VARIANT_FROM="tag:lane,tag:role")
    assert any("variants are read elsewhere than as tag:lane: baseline, enhanced by the tag role" in notice for notice in second.health.notices)


@EITHER
def test_where_nothing_has_a_variant_the_reason_names_what_was_looked_for(mlflow_database):
    trained(mlflow_database, mlflow_database.truth.experiment("launch"))
    check = checked(mlflow_database, AB_VARIANT_FROM="tag:lane,param:role")["MLflow A/B experiments"]
    assert "none with two values of lane or role" in check.found
    assert check.fix.startswith("log the tag lane or param role with two values")


def compared(database, values=(0.80, 0.86), **own):
    """One run without a variant that measured the models of two trained runs, which have their variant alone."""
    made = database.truth.experiment("launch")
    run = database.truth.run(made, None, started=NOW - timedelta(hours=3), params={"test_size": 1000}, **own)
    for variant, value in zip(("baseline", "enhanced"), values, strict=True):
        model = logged_model(database, made, source=database.truth.run(made, variant, started=NOW - timedelta(hours=5)))
        measured(database, run, model, "accuracy", value, at=NOW - timedelta(hours=2, minutes=round(value * 10)))
    return run


def test_a_run_that_compares_two_models_has_a_value_of_each(mlflow_database):
    compared(mlflow_database)
    report = page_at(NOW, mlflow_database)
    assert shown(report) == {"baseline": pytest.approx(80), "enhanced": pytest.approx(86)}
    assert [each.accuracy.n for each in report.variants] == [1000, 1000]
    assert all("logged_model_metrics" in each.accuracy.query for each in report.variants)
    told = "variants are read elsewhere than as param:model_variant: baseline, enhanced by the LoggedModel that a run measured (AB_VARIANT_FROM says where)"
    assert told in report.health.notices
    assert told in checked(mlflow_database)["MLflow experiment"].found
    assert checked(mlflow_database)["MLflow metrics"].found.startswith("no precision")


@pytest.mark.parametrize(("own_hours", "expected"), [(4, 80), (1, 70)])
def test_the_newer_of_a_run_of_ones_own_and_one_that_compares_counts(mlflow_database, own_hours, expected):
    compared(mlflow_database)
    (made,) = [each.experiment_id for each in ask(mlflow_database).experiments]
    mlflow_database.truth.run(made, "baseline", metrics={"accuracy": 0.7}, started=NOW - timedelta(hours=own_hours))
    assert shown(page_at(NOW, mlflow_database)) == {"baseline": pytest.approx(expected), "enhanced": pytest.approx(86)}


def test_a_failed_run_that_compares_does_not_count(mlflow_database):
    compared(mlflow_database, status="FAILED")
    assert page_at(NOW, mlflow_database).badge.kind.value == "SIMULATED DATA"


def test_without_the_right_to_look_at_models_one_line_has_the_grant_and_the_page_stays(mlflow_database):
    compared(mlflow_database)
    reader = mlflow_database.reader()
    (told,) = ask(reader).status.warnings
    assert told.startswith("runs without a variant may have measured the models of some, which cannot be looked at: ")
    grant = re.search(r"grant select on logged_models, logged_model_params, logged_model_tags, logged_model_metrics to \"\w+\"", told)
    mlflow_database.execute(grant[0])
    assert (logged(ask(reader), "baseline"), ask(reader).status.warnings) == (0.8, ())


@pytest.fixture
def asked(monkeypatch):
    """The names of the questions that are asked of PostgreSQL from now on."""
    names: list[str] = []
    rows = MlflowConnection.rows
    monkeypatch.setattr(MlflowConnection, "rows", lambda self, question, *rest: (names.append(question), rows(self, question, *rest))[1])
    return names


def test_models_are_not_asked_for_where_every_run_has_its_variant(mlflow_database, asked):
    ab_test(mlflow_database.truth)
    ask(mlflow_database, AB_TEST_COUNT_PARAM="rows")
    assert not {"rights", "aliases", "model names", "model points"} & {*asked}


@EITHER
def test_without_the_right_to_look_at_the_registry_the_fix_has_the_grant_and_nothing_is_refused_there(mlflow_database, asked):
    registered(mlflow_database, trained(mlflow_database, mlflow_database.truth.experiment("launch")), ("champion", "challenger"))
    reader = mlflow_database.reader()
    fix = checked(reader)["MLflow A/B experiments"].fix
    grant = re.search(r"grant select on model_versions, registered_model_aliases to \"\w+\"", fix)
    assert "rights" in asked
    assert not {"aliases", "versions"} & {*asked}
    mlflow_database.execute(grant[0])
    assert {value.variant for value in ask(reader).values} == {"champion", "challenger"}
