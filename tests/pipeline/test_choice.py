"""Which of several A/B experiments is shown where nobody names one, that a switch is told, and that a page which somebody looks at does not jump."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from live_dashboards.app.pipeline import Request, ab_report, ask, connection_checks
from live_dashboards.model.notices import CheckState
from live_dashboards.model.snapshot import ChosenTest
from live_dashboards.settings import load_settings
from live_dashboards.sources.connector import LiveDataConnector
from live_dashboards.sources.mlflow import preferred
from live_dashboards.sources.mlflow.questions import Preference
from live_dashboards.sources.prometheus.promql import STEPS
from live_dashboards.sources.queries import REQUESTS
from tests.pipeline.command import page_at
from tests.sources.mlflow_reading import NOW, ab_test, ago
from tests.sources.mlflow_ways import logged_model, measured, read
from tests.sources.prometheus_reading import END, short_truth, traffic
from tests.support.waiting import LONGEST_SECONDS

AT = datetime.fromtimestamp(END, UTC)
PAIR = ("baseline", "enhanced")


def begun(truth, name, *variants, hours=1.0, moment=NOW, **run):
    """An experiment whose runs have no accuracy."""
    made = truth.experiment(name)
    for variant in variants or PAIR:
        truth.run(made, variant, started=moment - timedelta(hours=hours), **{"metrics": {"loss": 0.4}, **run})
    return made


def chosen(database, **own):
    """The experiment, and what is told of the choice."""
    base = {"SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}
    answer = ask(load_settings(environment={**database.environment, **base, **own}), Request(at=NOW)).mlflow
    return answer.experiment, [each for each in answer.status.warnings if each.startswith("shown is")]


def test_a_test_with_values_of_both_comes_before_one_that_merely_had_activity(mlflow_database):
    ab_test(mlflow_database.truth, "fraud", started=ago(days=3))
    begun(mlflow_database.truth, "churn")
    told = "shown is fraud, the newest with values of both variants: churn was active later and has nothing to compare yet (AB_EXPERIMENT chooses)"
    assert chosen(mlflow_database) == ("fraud", [told])
    assert any(told in each for each in page_at(NOW, mlflow_database).health.notices)
    assert chosen(mlflow_database, AB_EXPERIMENT="churn") == ("churn", [])


def test_of_two_with_values_the_newer_one_is_shown_and_nothing_told(mlflow_database):
    ab_test(mlflow_database.truth, "fraud", started=ago(days=3))
    ab_test(mlflow_database.truth, "churn", started=ago(hours=3))
    assert chosen(mlflow_database) == ("churn", [])


def test_of_two_without_values_the_newer_one_is_shown(mlflow_database):
    begun(mlflow_database.truth, "fraud", hours=20)
    begun(mlflow_database.truth, "churn", hours=2)
    assert chosen(mlflow_database) == ("churn", [])


@pytest.mark.parametrize(
    "runs",
    [
        {"status": "FAILED", "metrics": {"accuracy": 0.8}},
        {"metrics": {"accuracy": float("nan")}},
        {"metrics": {"training_accuracy_score": 0.99}},
        {"lifecycle": "deleted", "metrics": {"accuracy": 0.8}},
    ],
)
def test_what_counts_for_no_page_is_no_value(mlflow_database, runs):
    ab_test(mlflow_database.truth, "fraud", started=ago(days=3))
    made = begun(mlflow_database.truth, "churn")
    for variant in PAIR:
        mlflow_database.truth.run(made, variant, started=ago(minutes=50), **runs)
    assert chosen(mlflow_database)[0] == "fraud"


def test_a_value_of_a_third_variant_is_none_of_baseline_and_challenger(mlflow_database):
    ab_test(mlflow_database.truth, "fraud", started=ago(days=3))
    made = begun(mlflow_database.truth, "churn", "baseline", "enhanced", "smaller")
    for variant in ("baseline", "smaller"):
        mlflow_database.truth.run(made, variant, started=ago(minutes=50), metrics={"accuracy": 0.8})
    assert chosen(mlflow_database)[0] == "churn"
    assert chosen(mlflow_database, AB_CHALLENGER_VARIANT="enhanced")[0] == "fraud"


def test_own_keys_keys_with_a_data_set_and_running_runs_are_values(mlflow_database):
    ab_test(mlflow_database.truth, "fraud", started=ago(days=3))
    begun(mlflow_database.truth, "churn", status="RUNNING", metrics={"accuracy_score_X_test": 0.8})
    assert chosen(mlflow_database)[0] == "churn"
    scores = {"baseline": "SVC_score_X_test", "enhanced": "GaussianNB_score_X_test"}
    for name, keys in (("of classifiers", scores), ("of regressors", dict.fromkeys(PAIR, "Ridge_score_X_test"))):
        made = begun(mlflow_database.truth, name, hours=0.7)
        for variant, key in keys.items():
            mlflow_database.truth.run(made, variant, started=ago(minutes=40), metrics={key: 0.8})
    assert chosen(mlflow_database)[0] == "of classifiers"
    mlflow_database.execute("update experiments set lifecycle_stage = 'deleted' where name = 'of classifiers'")
    begun(mlflow_database.truth, "credit", hours=0.5, metrics={"rmse": 0.8})
    assert chosen(mlflow_database)[0] == "churn"
    assert chosen(mlflow_database, AB_ACCURACY_METRIC="rmse")[0] == "credit"


@pytest.mark.parametrize(
    "logged",
    [
        {"baseline": {"best_accuracy": 0.8}, "enhanced": {"best_accuracy": 0.8}},
        {"baseline": {"val_accuracy": 0.8}, "enhanced": {"test_accuracy": 0.8}},
        {name: {"Pipeline_score_X_test": 0.8, "training_r2_score": 0.9} for name in PAIR},
        {name: {"Search_score_X_test": -12.5} for name in PAIR},
        {name: {"SVC_score_X_test": 0.8, "GaussianNB_score_X_test": 0.7} for name in PAIR},
        {name: {"Brier_score_loss": 0.2} for name in PAIR},
    ],
)
def test_what_a_page_would_not_read_of_both_is_no_value_of_both(mlflow_database, logged):
    ab_test(mlflow_database.truth, "fraud", started=ago(days=3))
    made = begun(mlflow_database.truth, "churn")
    for variant, metrics in logged.items():
        mlflow_database.truth.run(made, variant, started=ago(minutes=50), metrics=metrics)
    assert chosen(mlflow_database)[0] == "fraud"
    answer = read(mlflow_database.environment, AB_EXPERIMENT="churn")
    assert len({value.variant for value in answer.values if value.metric == "accuracy"}) < 2


def test_values_that_a_run_measured_of_models_are_values(mlflow_database):
    ab_test(mlflow_database.truth, "fraud", started=ago(days=3))
    made = begun(mlflow_database.truth, "churn")
    compare = mlflow_database.truth.run(made, None, started=ago(minutes=40), name="compare")
    for variant, value in zip(PAIR, (0.8, 0.86), strict=True):
        trained = mlflow_database.truth.run(made, variant, started=ago(minutes=50))
        measured(mlflow_database, compare, logged_model(mlflow_database, made, source=trained), "accuracy", value, at=ago(minutes=30))
    assert chosen(mlflow_database)[0] == "churn"


def test_a_value_after_the_moment_does_not_choose(mlflow_database):
    ab_test(mlflow_database.truth, "fraud", started=ago(days=9))
    made = begun(mlflow_database.truth, "churn", hours=30)
    for variant in PAIR:
        mlflow_database.truth.run(made, variant, started=ago(hours=2), metrics={"accuracy": 0.8})
    assert read(mlflow_database.environment).experiment == "churn"
    assert read(mlflow_database.environment, at=ago(hours=20)).experiment == "fraud"


@pytest.fixture
def both_sources(mlflow_database, prometheus):
    """`both_sources(truth, AB_X="...")`: the settings of an MLflow with values of no test, and a Prometheus with that truth."""
    begun(mlflow_database.truth, "fraud", hours=30, moment=AT)
    begun(mlflow_database.truth, "credit", hours=20, moment=AT)
    begun(mlflow_database.truth, "churn", hours=10, moment=AT)

    def make(truth, **own):
        base = {"SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}", "AB_WINDOW": "1h"}
        return load_settings(environment={**mlflow_database.environment, **prometheus(truth).environment, **base, **own})

    return make


def page_of(settings):
    request = Request(at=AT)
    return ab_report(ask(settings, request), settings, request)


def test_a_test_with_requests_of_both_comes_before_one_that_merely_had_activity(both_sources):
    truth = short_truth()
    for model in ("baseline-predictor", "enhanced-predictor"):
        traffic(truth, model, experiment="credit")
    traffic(truth, "baseline", experiment="churn")
    settings = both_sources(truth)
    report = page_of(settings)
    assert report.experiment == "credit"
    told = "shown is credit, the newest with requests of both variants: churn was active later and has nothing to compare yet (AB_EXPERIMENT chooses)"
    assert any(told in each for each in report.health.notices)
    assert {one.variant for one in report.measurements if one.name == "requests" and one.value} == {*PAIR}
    found = {check.name: check for check in connection_checks(settings, AT)}["MLflow experiment"]
    assert found.found.startswith("'credit' (chosen by requests of both variants): ")
    assert found.ok is CheckState.OK


def test_of_tests_with_very_many_runs_requests_alone_are_looked_at(both_sources, mlflow_database, monkeypatch):
    ab_test(mlflow_database.truth, "older with values", started=AT - timedelta(hours=40))
    monkeypatch.setattr(preferred, "_MOST_RUNS", 1)
    truth = short_truth()
    for model in PAIR:
        traffic(truth, model, experiment="credit")
    assert page_of(both_sources(truth)).experiment == "credit"
    assert ask(both_sources(truth, PROMETHEUS_URL="http://127.0.0.1:9"), Request(at=AT)).mlflow.experiment == "churn"


def test_requests_that_name_no_test_count_for_those_with_these_variants(both_sources, mlflow_database):
    begun(mlflow_database.truth, "search", "logreg", "forest", hours=9, moment=AT)
    truth = short_truth()
    for model in ("a", "enhanced"):
        traffic(truth, model)
    assert page_of(both_sources(truth, AB_VARIANT_ALIASES="a=baseline")).experiment == "churn"
    assert ask(both_sources(truth), Request(at=AT)).mlflow.experiment == "search"


def test_a_value_and_requests_count_alike_and_the_newer_one_is_shown(both_sources, mlflow_database):
    truth = short_truth()
    for model in PAIR:
        traffic(truth, model, experiment="credit")
    ab_test(mlflow_database.truth, "older with values", started=AT - timedelta(hours=26))
    assert page_of(both_sources(truth)).experiment == "credit"
    ab_test(mlflow_database.truth, "newer with values", started=AT - timedelta(hours=15))
    assert page_of(both_sources(truth)).experiment == "newer with values"


def test_requests_under_names_of_a_framework_count_too(both_sources):
    truth = short_truth()
    for model in PAIR:
        truth.counter("model_infer_request_success_total", {"model": model, "version": "v1", "instance": "i1"}, 2.0)
    settings = both_sources(truth, AB_METRICS="mlserver")
    assert LiveDataConnector(settings).preference(AT, 3600.0).served(LiveDataConnector(settings).fetch(at=AT).mlflow.experiments)
    assert page_of(settings).experiment == "churn"


def test_requests_that_rules_have_recorded_count_too(both_sources):
    truth = short_truth()
    for model in PAIR:
        truth.gauge(STEPS[REQUESTS], {"experiment": "credit", "model_name": model}, 5.0)
    for recorded, experiment in (("on", "credit"), ("off", "churn")):
        assert ask(both_sources(truth, PROMETHEUS_RECORDED=recorded), Request(at=AT)).mlflow.experiment == experiment


def test_a_prometheus_that_cannot_be_asked_leaves_the_choice_to_activity(mlflow_database):
    begun(mlflow_database.truth, "fraud", hours=30)
    begun(mlflow_database.truth, "churn", hours=10)
    assert chosen(mlflow_database, PROMETHEUS_URL="http://127.0.0.1:9") == ("churn", [])


def test_what_was_shown_before_stays_and_what_would_be_chosen_is_told(mlflow_database):
    truth = mlflow_database.truth
    ab_test(truth, "fraud", started=ago(days=3))
    ab_test(truth, "churn", started=ago(hours=3))
    connector = LiveDataConnector(load_settings(environment={**mlflow_database.environment, "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}))
    assert connector.fetch(known_test=ChosenTest("fraud")).mlflow.experiment == "churn"
    stayed = connector.fetch(known_test=ChosenTest("fraud"), stays=True).mlflow
    assert stayed.experiment == "fraud"
    assert "churn would be chosen now (values of both variants); fraud stays until another one is chosen" in stayed.status.warnings
    assert stayed.chosen == ChosenTest("fraud", PAIR)
    mlflow_database.execute("update experiments set lifecycle_stage = 'deleted' where name = 'fraud'")
    switched = connector.fetch(known_test=ChosenTest("fraud"), stays=True).mlflow
    assert switched.experiment == "churn"
    assert "fraud, which was shown before, is no A/B experiment any more: churn is shown instead" in switched.status.warnings
    assert connector.fetch(known_test=switched.chosen, stays=True).mlflow.status.warnings == ()


def test_a_named_experiment_does_not_give_way_to_the_one_before(mlflow_database):
    ab_test(mlflow_database.truth, "fraud", started=ago(days=3))
    ab_test(mlflow_database.truth, "churn", started=ago(hours=3))
    settings = load_settings(environment={**mlflow_database.environment, "AB_EXPERIMENT": "churn"})
    assert LiveDataConnector(settings).fetch(known_test=ChosenTest("fraud"), stays=True).mlflow.experiment == "churn"


def test_no_question_is_put_to_prometheus_where_values_tell(mlflow_database):
    ab_test(mlflow_database.truth, "fraud", started=ago(days=3))
    ab_test(mlflow_database.truth, "churn", started=ago(hours=3))
    asked = []

    def served(experiments):
        asked.append(experiments)
        return frozenset()

    from live_dashboards.sources.asking import Deadline
    from live_dashboards.sources.mlflow.postgres import PostgresSource

    source = PostgresSource(load_settings(environment=mlflow_database.environment))
    answer = source.read(at=NOW, window_seconds=86_400, deadline=Deadline(LONGEST_SECONDS), on_experiment=lambda _: None, preference=Preference(None, served))
    assert (answer.experiment, asked) == ("churn", [])


@pytest.mark.parametrize("where", [("--output", "page.png"), (), ("--output", "folder/")])
def test_a_run_tells_that_the_one_before_showed_another_test(mlflow_database, tmp_path, monkeypatch, capsys, where):
    from live_dashboards.app.cli import main

    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name, text in {**mlflow_database.environment, "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}.items():
        monkeypatch.setenv(name, text)
    kind = ("all",) if where and where[1] == "folder/" else ("ab",)

    def run(*more):
        assert main([*kind, *where, "--dpi", "50", *more]) == 0
        return [line for line in capsys.readouterr().err.splitlines() if "the run before showed" in line]

    ab_test(mlflow_database.truth, "fraud", started=ago(days=3))
    assert run() == []
    assert run() == []
    ab_test(mlflow_database.truth, "churn", started=ago(hours=3))
    (told,) = run()
    assert told.endswith("shown is experiment 'churn'; the run before showed 'fraud': AB_EXPERIMENT keeps to one")
    assert run() == []
    assert run("--experiment", "fraud") == []
    assert len(run()) == 1
    monkeypatch.setenv("MLFLOW_DB_PORT", "9")
    assert run() == []  # a simulated page tells nothing of tests, and is no run before
    monkeypatch.setenv("MLFLOW_DB_PORT", mlflow_database.environment["MLFLOW_DB_PORT"])
    assert run() == []
