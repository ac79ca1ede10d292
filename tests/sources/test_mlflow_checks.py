"""The connection test of MLflow: what is right says so, what is wrong names itself with its fix."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from live_dashboards.errors import SettingsError
from live_dashboards.model.notices import Check, CheckState
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import check as product
from live_dashboards.sources.mlflow.check import mlflow_checks
from live_dashboards.sources.mlflow.postgres import MlflowConnection
from tests.sources.mlflow_reading import NOW, ab_test, ago
from tests.support.waiting import LONGEST_SECONDS

ORDER = [
    "MLflow settings",
    "MLflow host",
    "MLflow port",
    "MLflow TLS",
    "MLflow login",
    "MLflow database",
    "MLflow tables",
    "MLflow read rights",
    "MLflow write rights",
    "MLflow A/B experiments",
    "MLflow experiment",
    "MLflow metrics",
    "MLflow test count",
    "MLflow odd values",
    "MLflow newest activity",
    "MLflow clock",
]


def checks(database, at=NOW, **settings: str) -> dict[str, Check]:
    found = list(mlflow_checks(load_settings(environment={**database.environment, "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}", **settings}), at))
    assert [check.name for check in found] == ORDER
    assert all(check.fix for check in found if check.ok in {CheckState.FAILED, CheckState.WARNING} and check.code != "several_workspaces")
    assert not any("p@ss" in f"{check.found}{check.fix}" for check in found)
    return {check.name.removeprefix("MLflow "): check for check in found}


def whole(truth) -> int:
    """An A/B test with nothing to complain about."""
    made = truth.experiment("ab")
    for variant, share in (("baseline", 0.75), ("enhanced", 0.8)):
        metrics = {"accuracy": share, "precision": share, "recall": share, "f1": share}
        truth.run(made, variant, metrics=metrics, params={"test_size": 2000}, started=ago(hours=5))
    return made


@pytest.mark.mlflow_versions(2, 3)
def test_a_whole_ab_test_read_by_a_role_that_only_reads_is_right_in_every_line(mlflow_database):
    whole(mlflow_database.truth)
    found = checks(mlflow_database.reader())
    assert {check.ok for check in found.values()} == {CheckState.OK}
    assert found["experiment"].found == "'ab' (chosen by newest activity): baseline 1 run, enhanced 1 run"
    assert found["A/B experiments"].found == "1 of 2 experiments have two or more variants: 'ab'"
    assert "accuracy from 0.75 to 0.8" in found["metrics"].found
    assert found["test count"].found == "test_size: baseline 2000, enhanced 2000"
    assert found["newest activity"].found.startswith("4h before the moment asked for")


def test_a_role_that_can_write_is_warned_about(mlflow_database):
    whole(mlflow_database.truth)
    found = checks(mlflow_database)["write rights"]
    assert (found.ok, found.code) == (CheckState.WARNING, "can_write")
    assert "create role" in found.fix


def test_a_placeholder_password_is_named_and_the_login_fails(mlflow_database):
    found = checks(mlflow_database, MLFLOW_DB_PASSWORD="your_secure_password")
    assert (found["settings"].ok, found["settings"].code) == (CheckState.WARNING, "placeholder")
    assert (found["login"].ok, found["login"].code) == (CheckState.FAILED, "auth")
    assert found["database"].ok is CheckState.SKIPPED
    assert found["clock"].ok is CheckState.SKIPPED


def test_another_sources_placeholder_is_not_blamed_on_mlflow(mlflow_database):
    assert checks(mlflow_database, PROMETHEUS_PASSWORD="changeme")["settings"].ok is CheckState.OK


def test_an_unknown_host_a_closed_port_and_a_missing_database_fail_in_their_own_line(mlflow_database, fault_proxy):
    proxy = fault_proxy(mlflow_database.host, mlflow_database.port)
    proxy.refuse()
    cases = (("host", {"MLFLOW_DB_HOST": "no-such-host.invalid"}), ("port", {"MLFLOW_DB_PORT": str(proxy.port)}), ("database", {"MLFLOW_DB_NAME": "gone"}))
    for line, changed in cases:
        found = checks(mlflow_database, **changed)
        assert [name for name, check in found.items() if check.has_failed] == [line]


def test_one_closed_host_of_two_is_a_warning(mlflow_database, fault_proxy):
    whole(mlflow_database.truth)
    proxy = fault_proxy(mlflow_database.host, mlflow_database.port)
    proxy.refuse()
    found = checks(mlflow_database, MLFLOW_DB_HOST="127.0.0.1,127.0.0.1", MLFLOW_DB_PORT=f"{proxy.port},{mlflow_database.port}")
    assert found["port"].ok is CheckState.WARNING
    assert found["clock"].ok is CheckState.OK


def test_a_silent_server_fails_at_the_login(mlflow_database, fault_proxy, monkeypatch):
    given: list[float] = []

    def hasty(settings, *, deadline):
        given.append(deadline.seconds)
        return MlflowConnection(settings, deadline=Deadline(0.5))

    monkeypatch.setattr(product, "MlflowConnection", hasty)
    proxy = fault_proxy(mlflow_database.host, mlflow_database.port)
    proxy.hang()
    found = checks(mlflow_database, MLFLOW_DB_PORT=str(proxy.port))
    assert (found["port"].ok, found["login"].code, given) == (CheckState.OK, "timeout", [LONGEST_SECONDS])


def test_tls_that_is_not_offered_fails_in_its_own_line(mlflow_database):
    found = checks(mlflow_database, MLFLOW_DB_SSLMODE="require")
    assert (found["TLS"].ok, found["TLS"].code, found["login"].ok) == (CheckState.FAILED, "tls_missing", CheckState.SKIPPED)


def test_missing_tables_and_missing_rights_stop_what_needs_them(mlflow_database):
    reader = mlflow_database.reader()
    mlflow_database.execute(f"revoke select on params from {reader.user}")
    found = checks(reader)
    assert (found["tables"].ok, found["read rights"].code, found["A/B experiments"].ok) == (CheckState.OK, "rights", CheckState.SKIPPED)
    assert f'grant select on params to "{reader.user}"' in found["read rights"].fix
    mlflow_database.execute("drop table params cascade")
    assert checks(reader)["tables"].code == "no_tables"


def test_no_ab_experiment_fails_with_the_names_that_are_there(mlflow_database):
    mlflow_database.truth.run(mlflow_database.truth.experiment("solo"), "baseline")
    found = checks(mlflow_database)
    assert (found["A/B experiments"].ok, found["A/B experiments"].code) == (CheckState.FAILED, "no_ab_data")
    assert "'solo'" in found["A/B experiments"].found
    assert found["metrics"].ok is CheckState.SKIPPED
    assert found["clock"].ok is CheckState.OK


def test_an_unknown_experiment_fails_with_the_nearest_names(mlflow_database):
    whole(mlflow_database.truth)
    found = checks(mlflow_database, AB_EXPERIMENT="abb")["A/B experiments"]
    assert (found.ok, found.code, "'ab'" in found.found) == (CheckState.FAILED, "unknown_experiment", True)


def test_a_single_variant_is_warned_about(mlflow_database):
    mlflow_database.truth.run(mlflow_database.truth.experiment("solo"), "baseline")
    found = checks(mlflow_database, AB_EXPERIMENT="solo")["experiment"]
    assert (found.ok, found.code) == (CheckState.WARNING, "one_variant")


def test_metrics_under_other_names_are_listed_without_system_metrics(mlflow_database):
    made = mlflow_database.truth.experiment("ab")
    for variant in ("baseline", "enhanced"):
        mlflow_database.truth.run(made, variant, metrics={"val_acc": 0.7, "system/cpu": 3})
    found = checks(mlflow_database)["metrics"]
    assert (found.ok, found.code) == (CheckState.FAILED, "no_metric")
    assert "the runs log 'val_acc';" in f"{found.found};"
    assert "no accuracy, no precision, no recall, no f1; the runs log" in found.found
    assert checks(mlflow_database, AB_ACCURACY_METRIC="val_acc")["metrics"].ok is CheckState.WARNING


def test_what_stands_in_the_place_of_the_accuracy_is_told_and_needs_runs_in_place_of_test_rows(mlflow_database):
    made = whole(mlflow_database.truth)
    for variant in ("baseline", "enhanced"):
        mlflow_database.truth.run(made, variant, metrics={"rmse": 20.5}, started=ago(hours=4))
    found = checks(mlflow_database, AB_ACCURACY_METRIC="rmse")
    assert found["metrics"].found.endswith("rmse is a value, of which less is better (AB_ACCURACY_GOAL and AB_ACCURACY_KIND say otherwise)")
    assert (found["test count"].ok, found["test count"].code) == (CheckState.WARNING, "few_runs")
    assert "finished runs: baseline 1, enhanced 1" in found["test count"].found
    for variant in ("baseline", "enhanced"):
        for hours in (2, 3):
            mlflow_database.truth.run(made, variant, metrics={"rmse": 20.5 + hours}, started=ago(hours=hours))
    assert checks(mlflow_database, AB_ACCURACY_METRIC="rmse")["test count"].ok is CheckState.OK


def test_what_evaluate_logs_is_told_with_its_keys_and_its_number_of_rows(mlflow_database):
    made = mlflow_database.truth.experiment("ab")
    for variant, share in (("baseline", 0.75), ("enhanced", 0.8)):
        metrics = {"accuracy_score": share, "precision_score": share, "recall_score": share, "f1_score": share, "example_count": 500}
        mlflow_database.truth.run(made, variant, metrics=metrics, started=ago(hours=5))
    found = checks(mlflow_database)
    assert (found["metrics"].ok, found["test count"].ok) == (CheckState.OK, CheckState.OK)
    assert "accuracy (accuracy_score) from 0.75 to 0.8, f1 (f1_score) from 0.75 to 0.8" in found["metrics"].found
    assert found["test count"].found == "example_count: baseline 500, enhanced 500"


SET_GOAL = "set AB_ACCURACY_GOAL to higher or lower; until then no verdict and no revenue rests on it"


def test_a_direction_that_is_not_known_is_warned_about_with_the_setting(mlflow_database):
    made = whole(mlflow_database.truth)
    for variant in ("baseline", "enhanced"):
        mlflow_database.truth.run(made, variant, metrics={"quality_index": 0.5}, started=ago(hours=4))
    found = checks(mlflow_database, AB_ACCURACY_METRIC="quality_index")["metrics"]
    assert (found.ok, found.code, found.fix) == (CheckState.WARNING, "no_goal", SET_GOAL)
    assert "quality_index is a share of test rows; which way is better is not known (AB_ACCURACY_GOAL" in found.found
    assert found.found.endswith("accuracy looks like a fraction")
    told = checks(mlflow_database, AB_ACCURACY_METRIC="quality_index", AB_ACCURACY_GOAL="lower")["metrics"]
    assert (told.ok, told.fix) == (CheckState.OK, "")


def test_a_direction_that_is_not_known_is_warned_about_beside_metrics_that_are_not_logged(mlflow_database):
    made = mlflow_database.truth.experiment("ab")
    for variant in ("baseline", "enhanced"):
        mlflow_database.truth.run(made, variant, metrics={"my_cost": 20.5})
    found = checks(mlflow_database, AB_ACCURACY_METRIC="my_cost")["metrics"]
    assert (found.ok, found.code) == (CheckState.WARNING, "no_goal")
    assert found.fix.startswith(f"{SET_GOAL}; name the keys with AB_ACCURACY_METRIC")
    assert checks(mlflow_database, AB_ACCURACY_METRIC="nowhere")["metrics"].code == "no_metric"


def test_a_variant_without_an_accuracy_is_named(mlflow_database):
    mlflow_database.truth.run(whole(mlflow_database.truth), "third", status="FAILED", metrics={"accuracy": 0.5})
    found = checks(mlflow_database)["metrics"]
    assert (found.ok, "no accuracy of a finished or running run of third" in found.found) == (CheckState.WARNING, True)


def test_percent_and_fraction_are_told(mlflow_database):
    made = whole(mlflow_database.truth)
    assert checks(mlflow_database)["metrics"].found.endswith("accuracy looks like a fraction")
    mlflow_database.truth.run(made, "enhanced", metrics={"accuracy": 81.0})
    assert checks(mlflow_database)["metrics"].found.endswith("accuracy looks like percent")
    assert checks(mlflow_database, AB_ACCURACY_UNIT="percent")["metrics"].found.endswith("accuracy is taken as percent (AB_ACCURACY_UNIT)")


@pytest.mark.parametrize(("count", "shown"), [("0.2", "'0.2'"), ("many", "'many'"), ("12.5", "'12.5'"), ("inf", "'inf'"), (None, "not logged")])
def test_a_test_count_that_gives_no_n_is_warned_about(mlflow_database, count, shown):
    params = {} if count is None else {"test_size": count}
    mlflow_database.truth.run(whole(mlflow_database.truth), "enhanced", metrics={"accuracy": 0.8}, params=params, started=ago(hours=1))
    found = checks(mlflow_database)["test count"]
    assert (found.ok, found.code, f"enhanced: {shown}" in found.found) == (CheckState.WARNING, "no_test_count", True)


@pytest.mark.parametrize(("odd", "word"), [(math.nan, "NaN"), (math.inf, "infinite or too large"), (1e200, "infinite or too large")])
def test_odd_values_are_noticed_with_run_and_key(mlflow_database, odd, word):
    run = mlflow_database.truth.run(whole(mlflow_database.truth), "enhanced", metrics={"accuracy": odd})
    found = checks(mlflow_database)["odd values"]
    assert (found.ok, found.code) == (CheckState.WARNING, "odd_values")
    assert f"such as 'accuracy' ({word}) of run {run}" in found.found


def test_an_old_test_is_warned_about(mlflow_database):
    ab_test(mlflow_database.truth, started=ago(days=9))
    found = checks(mlflow_database)["newest activity"]
    assert (found.ok, found.code) == (CheckState.WARNING, "old")


def test_a_clock_that_differs_is_told(mlflow_database, monkeypatch):
    ab_test(mlflow_database.truth)
    from live_dashboards.sources.mlflow import postgres

    real = postgres.time.time
    monkeypatch.setattr(postgres.time, "time", lambda: real() + 600)
    found = checks(mlflow_database)["clock"]
    told = re.fullmatch(r"PostgreSQL's clock is (\d+) s behind this machine's", found.found)
    assert told, found.found
    assert (found.ok, int(told[1])) == (CheckState.WARNING, pytest.approx(600, abs=60))


def test_without_settings_there_is_one_line_and_an_unusable_url_is_a_settings_error(mlflow_database):
    (only,) = mlflow_checks(load_settings(environment={}), NOW)
    assert (only.ok, only.code) == (CheckState.SKIPPED, "not_configured")
    with pytest.raises(SettingsError):
        list(mlflow_checks(load_settings(environment={"MLFLOW_DB_URL": "mysql://h/d"}), NOW))
    assert checks(replace(mlflow_database, password="wrong"))["login"].code == "auth"


@pytest.mark.parametrize(
    ("name", "value"), [("AB_EXPERIMENT", "\udcff"), ("AB_ACCURACY_METRIC", "\udcff"), ("AB_BASELINE_VARIANT", "\udcff"), ("AB_TRAFFIC_SPLIT", "\udcff=1,b=1")]
)
def test_a_name_that_is_no_text_is_refused_before_anything_is_asked(name, value):
    with pytest.raises(SettingsError, match=f"{name} holds bytes that are no UTF-8 text"):
        next(mlflow_checks(load_settings(environment={"MLFLOW_DB_HOST": "127.0.0.1", name: value}), NOW))
