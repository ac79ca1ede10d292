"""Variants under names that people choose, from a real database and a real Prometheus: no baseline is told everywhere, the registry's champion is one."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from live_dashboards.app import pipeline
from live_dashboards.app.pipeline import Request, connection_checks
from live_dashboards.model.notices import CheckState
from live_dashboards.settings import load_settings
from tests.pipeline.command import page_at
from tests.sources.prometheus_reading import END, HOUR, labels
from tests.sources.test_prometheus_counts import ERRORS, REQUESTS
from tests.support.ports import closed_port
from tests.support.prometheus_truth import PrometheusTruth
from tests.support.waiting import LONGEST_SECONDS

AT = datetime.fromtimestamp(END, UTC)
CHECK, REASON = "baseline and challenger", "no variant is called 'baseline', there is 'forest', 'logreg'"
FIX = "name the baseline with AB_BASELINE_VARIANT"


@pytest.fixture
def servers(mlflow_database, prometheus):
    """Ten days of a test of logreg and forest; `servers.runs` are their run ids."""
    experiment, runs = mlflow_database.truth.experiment("trees"), {}
    for name, accuracy in (("logreg", 0.78), ("forest", 0.84)):
        started = AT - timedelta(days=12)
        runs[name] = mlflow_database.truth.run(
            experiment, name, started=started, ended=started + timedelta(hours=1), metrics={"accuracy": accuracy}, params={"test_size": 5000}
        )
    truth = PrometheusTruth(start=END - 10 * 24 * HOUR - 2 * HOUR, end=END, scrape_seconds=300.0)
    for model in runs:
        for name, rate in ((REQUESTS, 2000), (ERRORS, 20)):
            truth.counter(name, labels(model), [(END - 10 * 24 * HOUR - HOUR, 0.0), (END - 10 * 24 * HOUR, rate / HOUR)])
        truth.histogram("ab_test_response_time_seconds", labels(model), {0.1: 0.5, 0.25: 0.01}, starts_at=END - 10 * 24 * HOUR)
    return mlflow_database, prometheus(truth), runs


def alias(database, run, alias, name="scores"):
    values = (name, 3, int((AT - timedelta(days=11)).timestamp() * 1000), run, "None")
    database.execute("insert into registered_models (name) values (%s) on conflict do nothing", (name,))
    database.execute("insert into model_versions (name, version, creation_time, run_id, current_stage) values (%s, %s, %s, %s, %s)", values)
    database.execute("insert into registered_model_aliases (name, alias, version) values (%s, %s, 3)", (name, alias))


def settings_of(*sources, **own):
    environment = {name: value for source in sources for name, value in source.environment.items()}
    return load_settings(environment={**environment, "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}", "AB_STALE_AFTER": "1d", **own})


def checked(*sources, **own):
    return next(check for check in connection_checks(settings_of(*sources, **own), AT) if check.name == CHECK)


def logged(caplog, *sources, **own):
    """What the command says on stderr of the names."""
    settings, request = settings_of(*sources, **own), Request(at=AT)
    with caplog.at_level(logging.WARNING):
        pipeline.tell_naming(pipeline.ask(settings, request), settings)
    return [record.getMessage() for record in caplog.records if "baseline" in record.getMessage()]


def test_without_a_baseline_the_verdict_the_connection_test_and_stderr_name_setting_and_candidates(servers, caplog):
    *sources, _ = servers
    page = page_at(AT, *sources)
    assert (page.verdict.verdict, page.verdict.reasons) == ("NO VERDICT", (f"{REASON}: {FIX}",))
    found = checked(*sources)
    assert (found.ok, found.found, found.fix, found.code) == (CheckState.FAILED, REASON, FIX, "no_baseline")
    assert logged(caplog, *sources) == [f"{REASON}: {FIX}"]


@pytest.mark.parametrize("source", [0, 1])
def test_each_source_alone_tells_it_too(servers, source):
    assert (checked(servers[source]).ok, checked(servers[source]).found) == (CheckState.FAILED, REASON)
    assert page_at(AT, servers[source]).verdict.reasons == (f"{REASON}: {FIX}",)


def test_a_name_that_is_set_and_wrong_is_told_as_it_stands(servers):
    *sources, runs = servers
    alias(sources[0], runs["logreg"], "champion")
    page = page_at(AT, *sources, AB_BASELINE_VARIANT="logrek")
    assert page.verdict.reasons[0].startswith("no variant is called 'logrek'")
    assert checked(*sources, AB_BASELINE_VARIANT="logreg").found == "logreg and forest"


def test_the_only_variant_whose_model_is_the_champion_is_the_baseline_and_told(servers, caplog):
    *sources, runs = servers
    alias(sources[0], runs["logreg"], "champion")
    page, told = page_at(AT, *sources), "the baseline is logreg, as scores v3 has the alias champion in the registry; AB_BASELINE_VARIANT names another one"
    assert (page.baseline, page.challenger, page.verdict.verdict) == ("logreg", "forest", "SHIP")
    assert told in page.health.notices
    assert (checked(*sources).ok, checked(*sources).found) == (CheckState.OK, f"logreg and forest; {told}")
    assert logged(caplog, *sources) == [told]


def test_two_champions_are_none(servers):
    *sources, runs = servers
    for name in runs:
        alias(sources[0], runs[name], "champion", name=f"model-{name}")
    assert page_at(AT, *sources).verdict.reasons == (f"{REASON}: {FIX}",)


def test_another_alias_chooses_nothing(servers):
    *sources, runs = servers
    alias(sources[0], runs["logreg"], "staging")
    assert page_at(AT, *sources).verdict.reasons == (f"{REASON}: {FIX}",)


def test_where_postgresql_is_down_that_is_the_reason_and_not_a_counter_that_is_missing(servers):
    *sources, _ = servers
    page = page_at(AT, *sources, AB_BASELINE_VARIANT="logreg", MLFLOW_DB_HOST="127.0.0.1", MLFLOW_DB_PORT=str(closed_port()))
    assert len(page.verdict.reasons) == 1
    assert "MLflow" in page.verdict.reasons[0]
    assert "AB_ONLINE" not in page.verdict.reasons[0]
