"""A source that misbehaves costs at most its deadline, drops the badge, and the page says why."""

import json
import time

import pytest

from live_dashboards.errors import UsageError
from live_dashboards.pipeline import Request, ab_report, ask
from live_dashboards.settings import load_settings

TIMEOUT_SECONDS = 2.0
SLACK_SECONDS = 2.5  # two cores shared by everything; a source that ignored its deadline would hang for minutes


def report(worlds, at=None, **changes):
    environment = {**worlds.environment, "SOURCE_TIMEOUT_SECONDS": f"{TIMEOUT_SECONDS:g}", "AB_EXPERIMENT": "base", **changes}
    settings = load_settings(environment={name: value for name, value in environment.items() if value})
    request = Request(at=at or worlds.at)
    began = time.monotonic()
    made = ab_report(ask(settings, request), settings, request)
    return made, time.monotonic() - began


def misbehave(proxy, fault):
    {"refuse": proxy.refuse, "hang": proxy.hang, "cut": lambda: proxy.cut(300), "slow": lambda: proxy.slow(5), "garbage": proxy.garbage}[fault]()


FAULTS = ["refuse", "hang", "cut", "slow", "garbage"]


@pytest.mark.parametrize("fault", FAULTS)
def test_without_postgres_the_page_is_operational_within_the_deadline(worlds, fault_proxy, fault):
    proxy = fault_proxy(worlds.environment["MLFLOW_DB_HOST"], int(worlds.environment["MLFLOW_DB_PORT"]))
    misbehave(proxy, fault)
    made, seconds = report(worlds, MLFLOW_DB_HOST=proxy.host, MLFLOW_DB_PORT=str(proxy.port))
    assert made.badge.kind.value == "OPERATIONAL DATA"
    assert seconds < TIMEOUT_SECONDS + SLACK_SECONDS
    assert made.sources[0].reason in made.runs.head.reason
    assert made.sources[0].fix


@pytest.mark.parametrize("fault", FAULTS)
def test_without_prometheus_the_page_is_of_the_model_within_the_deadline(worlds, fault_proxy, fault):
    host, _, port = worlds.environment["PROMETHEUS_URL"].removeprefix("http://").partition(":")
    proxy = fault_proxy(host, int(port))
    misbehave(proxy, fault)
    made, seconds = report(worlds, PROMETHEUS_URL=proxy.url)
    assert made.badge.kind.value == "MODEL DATA"
    assert seconds < TIMEOUT_SECONDS + SLACK_SECONDS
    assert made.sources[1].reason in made.rate.head.reason
    assert made.sources[1].fix


def test_both_hanging_cost_one_deadline(worlds, fault_proxy):
    host, _, port = worlds.environment["PROMETHEUS_URL"].removeprefix("http://").partition(":")
    proxies = fault_proxy(host, int(port)), fault_proxy(worlds.environment["MLFLOW_DB_HOST"], int(worlds.environment["MLFLOW_DB_PORT"]))
    for proxy in proxies:
        proxy.hang()
    made, seconds = report(worlds, PROMETHEUS_URL=proxies[0].url, MLFLOW_DB_HOST=proxies[1].host, MLFLOW_DB_PORT=str(proxies[1].port))
    assert made.badge.kind.value == "SIMULATED DATA"
    assert seconds < TIMEOUT_SECONDS + SLACK_SECONDS


def test_an_unknown_experiment_is_refused_with_the_nearest_names(worlds):
    with pytest.raises(UsageError, match=r"other gauge"):
        report(worlds, AB_EXPERIMENT="other gaug")


def test_without_mlflow_the_label_of_prometheus_knows_the_experiments(worlds):
    with pytest.raises(UsageError, match=r"slower"):
        report(worlds, AB_EXPERIMENT="slowly", MLFLOW_DB_HOST="", MLFLOW_DB_PORT="", MLFLOW_DB_NAME="", MLFLOW_DB_USER="", MLFLOW_DB_PASSWORD="")


def test_where_neither_source_knows_the_experiment_the_page_says_not_verified(worlds, caplog):
    made, _ = report(worlds, AB_EXPERIMENT="anything", PROMETHEUS_URL="http://127.0.0.1:1", MLFLOW_DB_HOST="127.0.0.1", MLFLOW_DB_PORT="1")
    assert made.experiment_note == "not verified"
    assert made.health.notices[0] == "experiment 'anything' is not verified: no source could tell whether it exists"
    assert "not verified" in caplog.text


def test_old_data_are_stale_and_not_live_enough(worlds):
    from datetime import timedelta

    from live_dashboards.writing import is_enough

    fresh, _ = report(worlds)
    old, _ = report(worlds, at=worlds.at + timedelta(minutes=12))
    assert (fresh.badge.kind, old.badge.kind) == ("LIVE DATA", "LIVE DATA")
    assert (is_enough(fresh, "live"), is_enough(old, "live"), is_enough(old, "partial")) == (True, False, True)
    assert "stale" in {row.state for row in old.health.rows}


def test_a_source_that_answered_the_last_run_is_shown_marked_in_this_one(worlds, run, fault_proxy):
    proxy = fault_proxy(worlds.environment["MLFLOW_DB_HOST"], int(worlds.environment["MLFLOW_DB_PORT"]))
    kept = {"MLFLOW_DB_HOST": proxy.host, "MLFLOW_DB_PORT": str(proxy.port), "DASHBOARD_CACHE_DIR": "kept"}
    _, before, _ = run("ab", "--summary", "-", "--output", "a.png", "--dpi", "50", **kept)
    proxy.refuse()
    code, after, _ = run("ab", "--summary", "-", "--output", "a.png", "--dpi", "50", "--require", "live", **kept)
    before, after = json.loads(before), json.loads(after)
    assert (code, before["badge"], after["badge"]) == (3, "LIVE DATA", "OPERATIONAL DATA")
    assert after["enhanced_accuracy"] == before["enhanced_accuracy"] == pytest.approx(81.8)
    assert next(row["origin"] for row in after["measurements"] if row["name"] == "enhanced_accuracy") == "cached"
    assert after["verdict"]["verdict"] == "NO VERDICT"


def test_answers_too_old_to_be_shown_leave_a_simulated_picture_that_replaces_nothing(worlds, run, fault_proxy, tmp_path):
    host, _, port = worlds.environment["PROMETHEUS_URL"].removeprefix("http://").partition(":")
    proxy = fault_proxy(host, int(port))
    only_prometheus = {"MLFLOW_DB_HOST": "", "MLFLOW_DB_PORT": "", "MLFLOW_DB_NAME": "", "MLFLOW_DB_USER": "", "MLFLOW_DB_PASSWORD": "", "PROMETHEUS_URL": proxy.url}
    kept = {**only_prometheus, "DASHBOARD_CACHE_DIR": "kept", "DASHBOARD_CACHE_MAX_AGE": "1s", "DASHBOARD_OUTPUT_DIR": str(tmp_path / "pictures")}
    options = ("ab", "--dpi", "50", "--require", "partial", "--latest", "--keep", "1")
    assert run(*options, **kept)[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "pictures").iterdir()}
    proxy.refuse()
    time.sleep(1.1)  # longer than the answers are kept
    code, written, _ = run(*options, **kept)
    assert (code, "SIMULATED" in written) == (3, True)
    assert before.items() <= {path.name: path.read_bytes() for path in (tmp_path / "pictures").iterdir()}.items()
