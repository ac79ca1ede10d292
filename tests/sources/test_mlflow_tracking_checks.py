"""The connection test of MLflow's REST API and SQLite file, alone and as the backup of PostgreSQL."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from live_dashboards.settings import load_settings
from live_dashboards.sources.mlflow.check import mlflow_checks
from tests.sources.mlflow_reading import NOW
from tests.support.waiting import LONGEST_SECONDS

HELD = ["A/B experiments", "experiment", "metrics", "test count", "odd values", "newest activity"]
SERVER = ["settings", "server", "login", "API", *HELD, "clock"]
FILE = ["settings", "file", "tables", *HELD]


def checks(environment: dict[str, str], prefix: str = "MLflow ", **changes: str):
    """The checks whose name begins so, by the rest of it."""
    found = list(mlflow_checks(load_settings(environment={"SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}", **environment, **changes}), NOW))
    return {check.name.removeprefix(prefix): check for check in found if check.name.startswith(prefix)}


@pytest.mark.parametrize(("way", "names"), [("REST", SERVER), ("SQLite", FILE)])
def test_each_line_says_what_it_found(ways, way, names):
    found = checks(ways.environments[way])
    assert list(found) == names
    assert not any(check.has_failed for check in found.values())
    assert "13 of 19 experiments have two or more variants: 'ab main'" in found["A/B experiments"].found
    assert "'ab main' (chosen by values of both variants): baseline 5 runs" in found["experiment"].found
    assert found["odd values"].found.startswith("3 latest values NaN, infinite or too large and left out")
    truth = checks(ways.database.environment)
    assert [found[name] for name in HELD] == [truth[name] for name in HELD]
    assert "PostgreSQL" not in " ".join(check.found for check in found.values())


def test_a_server_that_is_away_or_refuses_fails_at_its_own_line(ways, fault_proxy):
    proxy = fault_proxy("127.0.0.1", urlsplit(ways.server_url).port)
    for status, failed in ((0, "server"), (401, "login"), (404, "API")):
        proxy.http_reply(status, "text/plain", "no") if status else proxy.refuse()
        states = {name: check.ok.value for name, check in checks({"MLFLOW_TRACKING_URI": proxy.url}).items()}
        assert list(states) == SERVER
        assert [name for name, state in states.items() if state == "failed"] == [failed]
        assert {states[name] for name in SERVER[SERVER.index(failed) + 1 :]} == {"skipped"}
        proxy.pass_through()


def test_a_file_that_is_not_there_and_a_database_that_is_none_fail_at_their_lines(tmp_path):
    (tmp_path / "empty.db").touch()
    for name, failed in (("missing.db", "file"), ("empty.db", "tables")):
        found = checks({"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/{name}"})
        assert list(found) == FILE
        assert [each for each, check in found.items() if check.has_failed] == [failed]


def test_the_backup_has_lines_of_its_own_after_those_of_postgresql(ways):
    both = {**ways.database.environment, **ways.environments["SQLite"]}
    found = checks(both)
    assert [name for name in found if name.startswith("backup ")] == [f"backup {name}" for name in FILE]
    assert found["database"].ok == found["backup file"].ok == "ok"
    assert list(checks(both, "MLflow backup ")) == FILE


def test_a_login_over_plain_http_and_a_placeholder_are_warned_about():
    login = {"MLFLOW_TRACKING_USERNAME": "ops", "MLFLOW_TRACKING_PASSWORD": "real-one-77"}
    far = checks({"MLFLOW_TRACKING_URI": "http://mlflow.invalid", **login})
    assert (far["settings"].code, far["server"].code) == ("not_encrypted", "unknown_host")
    assert "real-one-77" not in str(far)
    assert checks({"MLFLOW_TRACKING_URI": "http://127.0.0.1:1", **login, "MLFLOW_TRACKING_PASSWORD": "changeme"})["settings"].code == "placeholder"
