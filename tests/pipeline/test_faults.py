"""A source that misbehaves costs at most its deadline, drops the badge, and the page says why."""

import json
import time

import pytest

from live_dashboards.app.pipeline import Request, ab_report, ask
from live_dashboards.errors import UsageError
from live_dashboards.settings import load_settings
from live_dashboards.sources import connector
from live_dashboards.sources.asking import Deadline
from tests.support.pace import ends_within
from tests.support.waiting import LONGEST_SECONDS

MLFLOW, PROMETHEUS = 0, 1  # the order in which they are asked
SHORT_SECONDS = 1.0


def report(worlds, at=None, **changes):
    environment = {**worlds.environment, "AB_EXPERIMENT": "base", **changes}
    settings = load_settings(environment={name: value for name, value in environment.items() if value})
    request = Request(at=at or worlds.at)
    return ab_report(ask(settings, request), settings, request)


@pytest.fixture
def shorten(monkeypatch):
    """`shorten(MLFLOW)`: of the two deadlines that one is a second; gives a list of the seconds that both are to have by the settings."""

    def begin(place):
        handed = []

        def made(seconds):
            handed.append(seconds)
            return Deadline(SHORT_SECONDS if len(handed) - 1 == place else seconds)

        monkeypatch.setattr(connector, "Deadline", made)
        return handed

    return begin


def misbehave(proxy, fault):
    {"refuse": proxy.refuse, "hang": proxy.hang, "cut": lambda: proxy.cut(300), "slow": lambda: proxy.slow(5), "garbage": proxy.garbage}[fault]()


FAULTS = ["refuse", "hang", "cut", "slow", "garbage"]


@pytest.mark.parametrize("fault", FAULTS)
def test_without_postgres_the_page_is_operational_within_the_deadline(worlds, fault_proxy, shorten, fault):
    proxy = fault_proxy(worlds.environment["MLFLOW_DB_HOST"], int(worlds.environment["MLFLOW_DB_PORT"]))
    misbehave(proxy, fault)
    handed = shorten(MLFLOW)
    with ends_within(SHORT_SECONDS):
        made = report(worlds, MLFLOW_DB_HOST=proxy.host, MLFLOW_DB_PORT=str(proxy.port))
    assert (made.badge.kind.value, handed) == ("OPERATIONAL DATA", [LONGEST_SECONDS] * 2)
    assert made.sources[0].reason in made.runs.head.reason
    assert made.sources[0].fix


@pytest.mark.parametrize("fault", FAULTS)
def test_without_prometheus_the_page_is_of_the_model_within_the_deadline(worlds, fault_proxy, shorten, fault):
    host, _, port = worlds.environment["PROMETHEUS_URL"].removeprefix("http://").partition(":")
    proxy = fault_proxy(host, int(port))
    misbehave(proxy, fault)
    handed = shorten(PROMETHEUS)
    with ends_within(SHORT_SECONDS):
        made = report(worlds, PROMETHEUS_URL=proxy.url)
    assert (made.badge.kind.value, handed) == ("MODEL DATA", [LONGEST_SECONDS] * 2)
    assert made.sources[1].reason in made.rate.head.reason
    assert made.sources[1].fix


@pytest.fixture
def events(monkeypatch):
    """In their order: the deadlines that begin, and the sources that are given up."""
    told, given_up = [], connector._failed
    monkeypatch.setattr(connector, "Deadline", lambda seconds: (told.append("deadline"), Deadline(seconds))[1])
    monkeypatch.setattr(connector, "_failed", lambda *source: (told.append("given up"), given_up(*source))[1])
    return told


def test_both_hanging_cost_one_deadline(worlds, fault_proxy, events):
    host, _, port = worlds.environment["PROMETHEUS_URL"].removeprefix("http://").partition(":")
    proxies = fault_proxy(host, int(port)), fault_proxy(worlds.environment["MLFLOW_DB_HOST"], int(worlds.environment["MLFLOW_DB_PORT"]))
    for proxy in proxies:
        proxy.hang()
    own = {"PROMETHEUS_URL": proxies[0].url, "MLFLOW_DB_HOST": proxies[1].host, "MLFLOW_DB_PORT": str(proxies[1].port)}
    with ends_within(SHORT_SECONDS):
        made = report(worlds, **own, SOURCE_TIMEOUT_SECONDS=f"{SHORT_SECONDS:g}")
    assert made.badge.kind.value == "SIMULATED DATA"
    assert events == ["deadline", "deadline", "given up", "given up"]


def test_an_unknown_experiment_is_refused_with_the_nearest_names(worlds):
    with pytest.raises(UsageError, match=r"other gauge"):
        report(worlds, AB_EXPERIMENT="other gaug")


def test_without_mlflow_the_label_of_prometheus_knows_the_experiments(worlds):
    with pytest.raises(UsageError, match=r"slower"):
        report(worlds, AB_EXPERIMENT="slowly", MLFLOW_DB_HOST="", MLFLOW_DB_PORT="", MLFLOW_DB_NAME="", MLFLOW_DB_USER="", MLFLOW_DB_PASSWORD="")


def test_where_neither_source_knows_the_experiment_the_page_says_not_verified(worlds, caplog):
    made = report(worlds, AB_EXPERIMENT="anything", PROMETHEUS_URL="http://127.0.0.1:1", MLFLOW_DB_HOST="127.0.0.1", MLFLOW_DB_PORT="1")
    assert made.experiment_note == "not verified"
    assert made.health.notices[0] == "experiment 'anything' is not verified: no source could tell whether it exists"
    assert "not verified" in caplog.text


def test_old_data_are_stale_and_not_live_enough(worlds):
    from datetime import timedelta

    from live_dashboards.app.writing import is_enough

    fresh = report(worlds)
    old = report(worlds, at=worlds.at + timedelta(minutes=12))
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
