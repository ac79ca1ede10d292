"""A highly available pair of Prometheus behind one store, through the commands: the numbers and the verdict of one copy."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from live_dashboards.app.cli import main
from tests.conftest import MLFLOW_PASSWORD, MLFLOW_ROLE, filled_prometheus
from tests.support.mlflow_database import MlflowDatabase, drop_database
from tests.support.prometheus_truth import PrometheusTruth
from tests.support.stored_copies import store_copies
from tests.support.waiting import LONGEST_SECONDS

SCRAPE_SECONDS = 120
SERVED = 130 / SCRAPE_SECONDS
HOURS = 26
BUCKETS = {0.05: 0.4, 0.1: 0.4, 0.25: 0.15, 0.5: 0.05}


def pair_truth(end):
    truth = PrometheusTruth(start=end - HOURS * 3600, end=end, scrape_seconds=SCRAPE_SECONDS)
    for model, share in (("baseline-predictor", 0.0200), ("enhanced-predictor", 0.0218)):
        own = {"model_name": model, "job": "models", "instance": f"{model}:8000"}
        truth.counter("ab_test_requests_total", own, SERVED)
        truth.counter("ab_test_errors_total", own, SERVED * share)
        truth.histogram("ab_test_response_time_seconds", own, {edge: SERVED * part for edge, part in BUCKETS.items()})
    store_copies(truth)
    return truth


@pytest.fixture(scope="module")
def environment(postgres, mlflow_3_template, tmp_path_factory, end_moment):
    """Settings of a database with two finished runs, and of a Prometheus that holds everything twice."""
    postgres.create_database("copies", mlflow_3_template, owner=MLFLOW_ROLE)
    database = MlflowDatabase(postgres, "copies", MLFLOW_ROLE, MLFLOW_PASSWORD, 3)
    experiment = database.truth.experiment("pair")
    trained = datetime.fromtimestamp(end_moment, UTC) - timedelta(days=2)
    for variant, accuracy in (("baseline", 0.78), ("enhanced", 0.80)):
        database.truth.run(experiment, variant, started=trained, ended=trained + timedelta(hours=1), metrics={"accuracy": accuracy}, params={"test_size": 5000})
    with filled_prometheus(pair_truth(end_moment), tmp_path_factory.mktemp("copies")) as server:
        yield {**database.environment, **server.environment, "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}
    drop_database(postgres, "copies")


@pytest.fixture
def command(environment, end_moment, tmp_path, capsys, monkeypatch):
    """`command("ab", ..., PROMETHEUS_X="...")`: what it printed."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments, **changes):
        path = tmp_path / ".env.live-dashboards"
        path.touch(0o600)
        path.write_text("\n".join(f"{name}={json.dumps(value)}" for name, value in {**environment, **changes}.items()))
        with contextlib.suppress(SystemExit):
            main([*arguments, *(("--at", f"{end_moment:.0f}") if arguments[0] in {"ab", "check"} else ())])
        return capsys.readouterr().out

    return call


@pytest.fixture
def summary(command):
    return lambda **changes: json.loads(command("ab", "--summary", "-", "--output", "page.png", "--dpi", "50", **changes))


def errors_of(found):
    row = next(each for each in found["comparisons"] if each["metric"] == "error_rate")
    return [pytest.approx(row[name], abs=0.005) for name in ("estimate", "low", "high")]


@pytest.mark.parametrize("setting", ["auto", "prometheus_replica"])
def test_a_pair_gives_the_numbers_and_the_verdict_of_one_copy(summary, setting):
    found = summary(PROMETHEUS_REPLICA_LABELS=setting)
    assert found["total_requests"] == pytest.approx(187_200, abs=300)
    assert errors_of(found) == [0.18, -0.03, 0.39]
    assert found["verdict"]["verdict"] == "KEEP RUNNING"
    assert any("copies of one scrape are counted once" in text for text in found["sources"]["prometheus"]["warnings"])


def test_without_merging_the_pair_counts_twice(summary):
    found = summary(PROMETHEUS_REPLICA_LABELS="none")
    assert found["total_requests"] == pytest.approx(374_400, abs=600)
    assert errors_of(found) == [0.18, 0.03, 0.33]
    assert found["verdict"]["verdict"] == "ROLL BACK"


def test_explain_and_the_connection_test_tell_what_was_merged(command):
    command("ab", "--output", "page.png", "--dpi", "50")
    told = command("explain", "requests.baseline", "--summary", "page.json")
    assert "max without (prometheus_replica) (last_over_time(ab_test_requests_total" in told
    assert "merged    copies that differ in prometheus_replica alone count once" in told
    line = next(line for line in command("check").splitlines() if "Prometheus copies" in line)
    assert "copies of one scrape are counted once: there are series that differ in the label prometheus_replica alone" in line
