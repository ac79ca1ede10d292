"""Where MLflow's PostgreSQL fails, what MLFLOW_TRACKING_URI names is asked within the same deadline, and the answer says so."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from contextlib import closing

import pytest

from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.app.cli import main
from live_dashboards.errors import SourceError, UsageError
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.connector import LiveDataConnector
from live_dashboards.sources.mlflow import ways as product
from tests.sources.mlflow_reading import NOW
from tests.sources.mlflow_ways import facts, read, read_all
from tests.support.mlflow_database import MlflowDatabase
from tests.support.pace import ends_within
from tests.support.waiting import LONGEST_SECONDS


def backed_up(ways, way: str = "SQLite", **changes: str) -> dict[str, str]:
    return {**ways.database.environment, **ways.environments[way], "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}", **changes}


@pytest.fixture
def behind_proxy(ways, fault_proxy):
    return fault_proxy(ways.database.host, ways.database.port)


@pytest.mark.parametrize("way", ["REST", "SQLite"])
def test_a_wrong_password_is_told_beside_the_backup_s_answer(ways, way, caplog):
    with caplog.at_level(logging.WARNING):
        answer = read(backed_up(ways, way, MLFLOW_DB_PASSWORD="wrong-pass-9"))
    plain = read(ways.environments[way])
    (warning,) = answer.status.warnings
    assert f"PostgreSQL gave no answer, MLflow's {'REST API' if way == 'REST' else 'SQLite file'} ({plain.status.address}) is shown instead: PostgreSQL" in warning
    assert "refuses user 'mlflow' or its password" in warning
    assert warning in caplog.text
    assert "wrong-pass-9" not in caplog.text + warning
    assert (answer.status.instead_of, answer.status.address, answer.queries) == ("PostgreSQL", plain.status.address, plain.queries)
    assert answer.values == plain.values


@pytest.mark.parametrize(("fault", "seconds"), [("refuse", LONGEST_SECONDS), ("hang", 0.5)])
def test_a_database_that_is_away_costs_half_of_the_deadline_at_most(ways, behind_proxy, monkeypatch, fault, seconds):
    shares, told = [], []

    def shortened(share):
        shares.append(share)
        return Deadline(seconds if len(shares) == 1 else share)

    monkeypatch.setattr(product, "Deadline", shortened)
    getattr(behind_proxy, fault)()
    with ends_within(0.5):
        answer = read(backed_up(ways, "REST", MLFLOW_DB_PORT=str(behind_proxy.port)), on_experiment=told.append)
    assert 0 < shares[0] <= LONGEST_SECONDS / 2 < shares[1]
    assert (answer.experiment, told) == ("ab main", [answer.chosen])
    assert ("no answer" if fault == "hang" else "refuses the connection") in answer.status.warnings[0]


def test_missing_tables_and_rights_are_a_reason_to_ask_the_backup(ways, postgres):
    postgres.create_database("mlflow_nothing", owner="mlflow")
    postgres.create_role("nobody_here", "nobody-8d1")
    empty = read(backed_up(ways, MLFLOW_DB_NAME="mlflow_nothing"))
    blind = read(backed_up(ways, MLFLOW_DB_USER="nobody_here", MLFLOW_DB_PASSWORD="nobody-8d1"))
    assert "there are no MLflow tables" in empty.status.warnings[0]
    assert blind.status.instead_of == "PostgreSQL"
    assert blind.values == empty.values != ()


def test_where_postgresql_answers_the_backup_is_not_asked(ways):
    answer = read({**ways.database.environment, "MLFLOW_TRACKING_URI": "sqlite:////no/such/file.db"})
    assert facts(answer) == facts(read(ways.database.environment))
    assert answer.status.instead_of is None


def test_an_experiment_that_is_not_there_is_no_reason_to_ask_the_backup(ways, mlflow_database):
    made = mlflow_database.truth.experiment("only here")
    mlflow_database.truth.run(made, "baseline", metrics={"accuracy": 0.7})
    with pytest.raises(UsageError, match="no active experiment 'ab main'"):
        read({**mlflow_database.environment, **ways.environments["SQLite"]}, AB_EXPERIMENT="ab main")


def test_where_neither_answers_both_reasons_are_said(ways):
    with pytest.raises(SourceError, match=r"refuses user 'mlflow' or its password; nor does the backup answer: there is no file /no/such\.db"):
        read(backed_up(ways, MLFLOW_DB_PASSWORD="wrong-pass-9", MLFLOW_TRACKING_URI="sqlite:////no/such.db"))


@pytest.mark.parametrize("way", ["REST", "SQLite"])
def test_what_a_backup_does_not_know_is_no_fault_of_the_user(ways, way):
    environment, told = backed_up(ways, way, MLFLOW_DB_PASSWORD="wrong-pass-9"), []
    for asked, words in (("only in PostgreSQL", "no active experiment 'only in PostgreSQL'"), ("Default", "no active run of experiment 'Default'")):
        with pytest.raises(SourceError, match=f"refuses user 'mlflow' or its password; the backup, MLflow's .*{words}") as failed:
            read(environment, AB_EXPERIMENT=asked, on_experiment=told.append)
        assert failed.value.code == "auth"
        assert f"({read(ways.environments[way]).status.address})" in failed.value.reason
        assert "MLFLOW_DB" in failed.value.fix
    assert told == [None, None]


def test_a_backup_without_a_b_data_leaves_the_page_to_the_last_good_answer(ways, behind_proxy, tmp_path, monkeypatch, capsys):
    empty = shutil.copy(ways.path, tmp_path / "empty.db")
    with closing(sqlite3.connect(empty)) as file, file:
        for table in ("params", "tags", "registered_model_aliases", "logged_models"):  # whatever tells a variant
            file.execute(f"delete from {table}")  # a constant of this test
    monkeypatch.chdir(tmp_path)
    environment = backed_up(ways, MLFLOW_DB_PORT=str(behind_proxy.port), MLFLOW_TRACKING_URI=f"sqlite:///{empty}", DASHBOARD_CACHE_DIR="kept")
    (tmp_path / ".env.live-dashboards").write_text("\n".join(f"{name}={json.dumps(value)}" for name, value in environment.items()), encoding="utf-8")
    badges = []
    for misbehave in (behind_proxy.pass_through, behind_proxy.refuse):
        misbehave()
        assert main(["ab", "--output", "page.png", "--dpi", "50", "--on-missing", "mark"]) == 0
        page = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
        badges.append((page["badge"], page["sources"]["mlflow"]["state"], page["baseline_accuracy"]))
    assert badges == [("MODEL DATA", "answered", 33.0), ("CACHED DATA", "cached", 33.0)]
    assert "refuses the connection; the backup, MLflow's SQLite file" in capsys.readouterr().err
    with pytest.raises(SourceError, match=r"refuses the connection; .* has nothing to show instead: reachable, no A/B data"):
        read_all(environment)


def test_all_experiments_come_from_the_backup_too(ways):
    answers = read_all(backed_up(ways, MLFLOW_DB_PASSWORD="wrong-pass-9"))
    assert [answer.values for answer in answers] == [answer.values for answer in read_all(ways.environments["SQLite"])]
    assert {answer.status.instead_of for answer in answers} == {"PostgreSQL"}


@pytest.mark.parametrize("way", ["REST", "SQLite"])
def test_a_page_from_the_backup_is_model_data_and_each_number_names_its_real_source(ways, way):
    settings = load_settings(environment=backed_up(ways, way, MLFLOW_DB_PASSWORD="wrong-pass-9"))
    report = build_ab_report(LiveDataConnector(settings).fetch(at=NOW), None, settings)
    accuracy = next(each for each in report.measurements if (each.name, each.variant) == ("accuracy", "baseline"))
    assert (report.badge.kind.value, accuracy.value, accuracy.origin.value) == ("MODEL DATA", pytest.approx(33), "live")
    assert accuracy.query.startswith({"REST": "MLflow REST API: POST", "SQLite": "SQLite: with chosen"}[way])
    assert any("PostgreSQL gave no answer" in notice for notice in report.health.notices)
    assert not any("%(" in measurement.query or "unnest" in measurement.query for measurement in report.measurements)


def test_several_hosts_of_postgresql_are_tried_in_order_before_the_backup(ways, behind_proxy):
    behind_proxy.refuse()
    hosts: MlflowDatabase = ways.database
    both = {"MLFLOW_DB_HOST": f"127.0.0.1,{hosts.host}", "MLFLOW_DB_PORT": f"{behind_proxy.port},{hosts.port}"}
    assert read(backed_up(ways, **both)).status.instead_of is None


def test_the_command_draws_checks_and_explains_from_the_backup(ways, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = backed_up(ways, "REST", MLFLOW_DB_PASSWORD="wrong-pass-9")
    (tmp_path / ".env.live-dashboards").write_text("\n".join(f"{name}={json.dumps(value)}" for name, value in rows.items()), encoding="utf-8")
    assert main(["ab", "--output", "page.png", "--dpi", "50", "--on-missing", "mark", "--at", f"{NOW.timestamp():.0f}"]) == 0
    said = capsys.readouterr()
    assert main(["explain", "accuracy.baseline", "--summary", "page.json"]) == 0
    explained = capsys.readouterr().out
    summary = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
    assert said.out == "page.png\n"
    assert "PostgreSQL gave no answer, MLflow's REST API (http://127.0.0.1:" in said.err
    assert (summary["badge"], summary["sources"]["mlflow"]["address"]) == ("MODEL DATA", ways.server_url)
    assert summary["sources"]["mlflow"]["warnings"][0] in said.err
    assert "POST /api/2.0/mlflow/runs/search" in explained
    assert "wrong-pass-9" not in said.err + explained + json.dumps(summary)
    assert main(["check", "--at", f"{NOW.timestamp():.0f}"]) == 1
    checked = capsys.readouterr().out
    assert "FAILED  MLflow login: PostgreSQL" in checked
    assert "OK      MLflow backup API: MLflow's REST API answers" in checked
