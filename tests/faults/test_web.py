"""Each fault of each source before the web page: the right badge and words, soon, while it goes on answering; all is well again by itself, in bounded memory."""

import re
import time
from dataclasses import replace

import pytest

from tests.support.fault_proxy import FaultProxy
from tests.support.source_faults import MLFLOW_FAULTS, PROMETHEUS_FAULTS, REDIS_FAULTS
from tests.web.live_page import LivePage
from tests.web.redis_server import RedisServer

QUICK = {"DASHBOARD_REFRESH_INTERVAL": "1", "SOURCE_TIMEOUT_SECONDS": "2", "DASHBOARD_STALE_AFTER_SECONDS": "600"}
LARGEST_BYTES = 500 * 1024 * 1024
PATIENCE_SECONDS = 20.0  # a busy machine; a page that waited for a source would not come in minutes
ANSWER_SECONDS = 2.0
FAULTS = {"mlflow": MLFLOW_FAULTS, "prometheus": PROMETHEUS_FAULTS}
BADGE_WITHOUT = {"mlflow": "OPERATIONAL DATA", "prometheus": "MODEL DATA"}
CASES = [(source, fault) for source, faults in FAULTS.items() for fault in faults]


def summary(live):
    """What the page says, which never takes long."""
    began = time.monotonic()
    found = live.get("api/v1/summary").json()
    assert time.monotonic() - began < ANSWER_SECONDS
    return found


def until(live, is_so):
    """The first summary of which that is so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so(found := summary(live)):
        assert time.monotonic() < end, (found["badge"], found["sources"], live.log[-2000:])
        time.sleep(0.1)
    return found


def is_well(page):
    return page["badge"] == "LIVE DATA" and {source["state"] for source in page["sources"].values()} == {"answered"}


def refreshed(live):
    """A summary that was asked for after now."""
    before = summary(live)["at"]
    first = until(live, lambda page: page["at"] > before)["at"]  # may have been under way
    return until(live, lambda page: page["at"] > first)


def peak_bytes(live):
    status = live.process_file("status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


@pytest.fixture(scope="module")
def page(two_tests, tmp_path_factory):
    made = two_tests()
    with LivePage(replace(made, database=made.database.reader()), tmp_path_factory.mktemp("page"), QUICK) as live:
        live.wait("readyz")
        yield live


@pytest.mark.parametrize(("source", "fault"), CASES)
def test_a_fault_of_a_source_shows_soon_and_is_over_when_it_is_over(source, fault, page):
    trouble = FAULTS[source][fault]
    until(page, is_well)
    trouble.begin(page.sources)
    try:
        if trouble.says is None:
            shown = refreshed(page)
            assert is_well(shown), shown["sources"]
            assert ("its clock is 3600 s ahead of" in page.get("api/v1/page").text) == (fault == "clock an hour off")
        else:
            found = until(page, lambda shown: shown["badge"] == BADGE_WITHOUT[source] and re.search(trouble.says, shown["sources"][source]["reason"]))
            assert found["sources"][source]["fix"]
            assert "SIMULATED" not in page.get("api/v1/page").text
        assert page.get("healthz").status_code == 200
    finally:
        trouble.end(page.sources)
    until(page, is_well)
    assert peak_bytes(page) < LARGEST_BYTES


@pytest.fixture(scope="module")
def sharing(two_tests, tmp_path_factory):
    """A page that shares its answers through a Redis behind a proxy."""
    folder = tmp_path_factory.mktemp("redis")
    with RedisServer(folder) as server, FaultProxy("127.0.0.1", server.port) as proxy:
        url = server.url.replace(str(server.port), str(proxy.port))
        with LivePage(two_tests(), tmp_path_factory.mktemp("sharing"), {**QUICK, "DASHBOARD_CACHE_URL": url}) as live:
            live.wait("readyz")
            yield live, server, proxy


def is_shared(server):
    with server.client as client:
        return bool(client.keys("live-dashboards:*"))


@pytest.mark.parametrize("fault", REDIS_FAULTS)
def test_a_fault_of_redis_costs_the_page_nothing_but_the_sharing(fault, sharing):
    live, server, proxy = sharing
    REDIS_FAULTS[fault].begin(server, proxy)
    try:
        assert is_well(refreshed(live))
        assert "Redis: " in live.log
    finally:
        REDIS_FAULTS[fault].end(server, proxy)
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_shared(server):
        assert time.monotonic() < end, live.log[-2000:]
        time.sleep(0.05)
    assert peak_bytes(live) < LARGEST_BYTES
