"""What stands on the page while a source is away, over real sources: the same numbers, of the same test, and nothing invented."""

import time

import pytest

from tests.support.pace import scaled
from tests.support.waiting import LONGEST_SECONDS, wait_until
from tests.web.live_page import LivePage
from tests.web.two_tests import log

PATIENT = {"DASHBOARD_STALE_AFTER_SECONDS": f"{LONGEST_SECONDS:g}", "DASHBOARD_REFRESH_INTERVAL": "1"}


def summary(live: LivePage, search: str = "") -> dict:
    return live.get(f"api/v1/summary{search}").json()


def until(live: LivePage, badge: str, search: str = "") -> dict:
    """The summary as soon as it has that badge."""
    return wait_until(lambda: (found := summary(live, search)).get("badge") == badge and found, badge)


@pytest.fixture
def patient(live_page):
    live = live_page(**PATIENT)
    live.wait("readyz")
    return live


def test_without_mlflow_the_traffic_is_still_that_of_its_experiment(patient):
    before = until(patient, "LIVE DATA")
    patient.sources.mlflow_proxy.refuse()
    during = until(patient, "OPERATIONAL DATA")
    assert (during["experiment"], list(during["variants"])) == (before["experiment"], list(before["variants"]))
    assert during["total_requests"] == pytest.approx(before["total_requests"], rel=0.01)
    query = next(row["query"] for row in during["measurements"] if row["name"] == "total_requests")
    assert 'experiment="checkout"' in query


def test_an_experiment_that_only_mlflow_knows_does_not_cease_to_exist_when_mlflow_is_away(patient):
    truth = patient.sources.database.truth
    number = truth.experiment("search")
    for variant, accuracy in (("baseline", 0.7), ("enhanced", 0.72)):
        log(truth, number, variant, accuracy, age_hours=20)
    found = until(patient, "MODEL DATA", "?experiment=search")  # the traffic there is another test's
    patient.sources.mlflow_proxy.refuse()
    cached = until(patient, "CACHED DATA", "?experiment=search")
    assert (cached["experiment"], cached["enhanced_accuracy"]) == ("search", found["enhanced_accuracy"])


def test_a_view_that_is_opened_in_an_outage_is_marked_and_not_simulated(patient):
    until(patient, "LIVE DATA")
    patient.sources.mlflow_proxy.refuse()
    patient.sources.prometheus_proxy.refuse()
    until(patient, "CACHED DATA")
    found = until(patient, "CACHED DATA", "?window=7d")
    assert {row["origin"] for row in found["measurements"]} == {"missing"}
    assert "last answer" in patient.get("api/v1/page?window=7d").text


def test_an_answer_after_which_none_comes_is_over_even_while_the_next_one_is_awaited(live_page):
    live = live_page(DASHBOARD_STALE_AFTER_SECONDS=f"{scaled(4):g}", DASHBOARD_REFRESH_INTERVAL="1", SOURCE_TIMEOUT_SECONDS="3600")
    until(live, "LIVE DATA")
    live.sources.prometheus_proxy.hang()
    live.sources.mlflow_proxy.hang()
    found = until(live, "CACHED DATA")
    assert {row["origin"] for row in found["measurements"]} == {"missing"}


def test_how_long_a_source_has_been_away_is_told_to_prometheus(patient):
    until(patient, "LIVE DATA")
    patient.sources.mlflow_proxy.refuse()
    until(patient, "OPERATIONAL DATA")
    wait_until(lambda: answer_age_seconds(patient, "mlflow") > answer_age_seconds(patient, "prometheus") + 1.5, "a greater age")


def answer_age_seconds(live: LivePage, source: str) -> float:
    start = f'live_dashboards_source_last_answer_age_seconds{{source="{source}"}} '
    return next(float(line.removeprefix(start)) for line in live.get("metrics").text.splitlines() if line.startswith(start))


def test_a_page_that_begins_in_an_outage_knows_what_an_earlier_process_was_answered(two_tests, tmp_path):
    sources, kept = two_tests(), {**PATIENT, "DASHBOARD_CACHE_DIR": str(tmp_path / "kept")}
    (tmp_path / "one").mkdir()
    with LivePage(sources, tmp_path / "one", kept) as first:
        before = until(first, "LIVE DATA")
        wait_until(lambda: list((tmp_path / "kept").glob("last-good-*.json.gz")))
    sources.mlflow_proxy.refuse()
    (tmp_path / "two").mkdir()
    with LivePage(sources, tmp_path / "two", kept) as second:
        during = until(second, "OPERATIONAL DATA")
        assert during["enhanced_accuracy"] == before["enhanced_accuracy"]
        assert (during["sources"]["mlflow"]["state"], during["experiment"]) == ("cached", before["experiment"])
        assert next(row["origin"] for row in during["measurements"] if row["name"] == "enhanced_accuracy") == "cached"
        sources.prometheus_proxy.refuse()
        assert until(second, "CACHED DATA")["total_requests"] == pytest.approx(before["total_requests"], rel=0.05)
        assert "SIMULATED" not in second.get("api/v1/page").text
        assert {row["origin"] for row in until(second, "CACHED DATA", "?window=7d")["measurements"]} == {"missing"}  # nothing is known of it, but that there was


def test_what_an_earlier_process_was_answered_too_long_ago_is_missing_and_not_simulated(two_tests, tmp_path):
    sources, kept = two_tests(), {"DASHBOARD_CACHE_DIR": str(tmp_path / "kept")}
    (tmp_path / "one").mkdir()
    with LivePage(sources, tmp_path / "one", {**PATIENT, **kept}) as first:
        until(first, "LIVE DATA")
        wait_until(lambda: list((tmp_path / "kept").glob("last-good-*.json.gz")))
    sources.mlflow_proxy.refuse()
    sources.prometheus_proxy.refuse()
    time.sleep(2.5)
    (tmp_path / "two").mkdir()
    with LivePage(sources, tmp_path / "two", {"DASHBOARD_STALE_AFTER_SECONDS": "2", "DASHBOARD_REFRESH_INTERVAL": "1", **kept}) as second:
        found = until(second, "CACHED DATA")
        assert {row["origin"] for row in found["measurements"]} == {"missing"}
