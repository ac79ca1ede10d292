"""The connector's public face on real servers, and a query that somebody adds."""

import json
from itertools import islice

import pytest

from live_dashboards import LiveDataConnector
from live_dashboards.app.pipeline import Request, ab_report, ask
from live_dashboards.outputs.summary import summary
from live_dashboards.settings import load_settings
from live_dashboards.sources.queries import AB_QUERIES, AbQuery
from tests.support.fault_proxy import FaultProxy
from tests.support.worlds import BASE

FIVE = {"request_rate", "response_time", "accuracy", "error_rate", "business_impact"}


@pytest.fixture
def settings(worlds):
    return load_settings(environment={**worlds.environment, "AB_EXPERIMENT": "base"})


def test_the_five_queries_come_by_name_with_the_exact_totals(settings, worlds):
    metrics = LiveDataConnector(settings).get_ab_test_metrics(at=worlds.at)
    assert set(metrics) == FIVE
    assert {series.label("model_name") for series in metrics["request_rate"].series} == {"baseline-predictor", "enhanced-predictor"}
    counted = {series.label("model_name"): series.last for series in metrics.totals["requests"].series}
    assert counted["baseline-predictor"] == pytest.approx(BASE.requests(0), abs=1.5)


def test_settings_come_from_the_environment_where_none_are_given(worlds, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in worlds.environment.items():
        monkeypatch.setenv(name, value)
    assert LiveDataConnector().get_ab_test_metrics(at=worlds.at).status.has_answered


def test_an_added_query_reaches_snapshot_json_and_provenance(settings, worlds, monkeypatch):
    added = AbQuery("instances", "count by (model_name) (ab_test_model_accuracy{$experiment})", "count", metric="ab_test_model_accuracy")
    monkeypatch.setitem(AB_QUERIES, "instances", added)
    request = Request(at=worlds.at)
    snapshot = ask(settings, request)
    assert snapshot.prometheus.timeline("instances").series[0].last == 2
    rows = json.loads(json.dumps(summary(ab_report(snapshot, settings, request))))["measurements"]
    row = next(row for row in rows if (row["name"], row["variant"]) == ("instances_latest", "enhanced"))
    assert (row["value"], row["origin"]) == (2, "live")
    assert 'ab_test_model_accuracy{experiment="base"}' in row["query"]


@pytest.fixture
def unready(worlds):
    """A proxy before Prometheus that says it is not ready."""
    with FaultProxy("127.0.0.1", int(worlds.environment["PROMETHEUS_URL"].rpartition(":")[2])) as proxy:
        proxy.http_reply(503, "text/plain", "Service Unavailable")
        yield proxy


def of_every_experiment(worlds, proxy):
    return LiveDataConnector(load_settings(environment={**worlds.environment, "PROMETHEUS_URL": proxy.url})).fetch_all(at=worlds.at)


def test_a_failure_that_passes_costs_one_experiment_its_traffic_and_not_the_others(worlds, unready):
    snapshots = of_every_experiment(worlds, unready)
    assert next(snapshots).prometheus.status.state == "failed"
    unready.pass_through()
    assert {snapshot.mlflow.experiment == snapshot.prometheus.experiment_filter for snapshot in islice(snapshots, 2)} == {True}


def test_a_prometheus_that_stays_down_is_asked_for_two_experiments_and_no_more(worlds, unready):
    states = [snapshot.prometheus.status.state for snapshot in of_every_experiment(worlds, unready)]
    assert (states, unready.connections) == (["failed"] * len(worlds.truths), 2)
