"""Each fault of each source before the web page: the right badge and words, soon, while it goes on answering; all is well again by itself, in bounded memory."""

import re
from dataclasses import replace

import pytest

from tests.support.fault_proxy import FaultProxy
from tests.support.pace import ends_within, scaled
from tests.support.source_faults import MLFLOW_FAULTS, PROMETHEUS_FAULTS, REDIS_FAULTS
from tests.support.waiting import LONGEST_SECONDS, wait_until
from tests.web.live_page import LivePage
from tests.web.redis_server import RedisServer

HASTY, PATIENT = scaled(2), LONGEST_SECONDS  # what the sources have: as little as will do, where only that ends the fault
LARGEST_BYTES = 500 * 1024 * 1024
FAULTS = {"mlflow": MLFLOW_FAULTS, "prometheus": PROMETHEUS_FAULTS}
BADGE_WITHOUT = {"mlflow": "OPERATIONAL DATA", "prometheus": "MODEL DATA"}
CASES = [(HASTY if trouble.is_endless else PATIENT, source, fault) for source, faults in FAULTS.items() for fault, trouble in faults.items()]


def quick(timeout_seconds):
    return {"DASHBOARD_REFRESH_INTERVAL": "1", "SOURCE_TIMEOUT_SECONDS": f"{timeout_seconds:g}", "DASHBOARD_STALE_AFTER_SECONDS": "600"}


def summary(live):
    """What the page says."""
    return live.get("api/v1/summary").json()


def until(live, is_so):
    """The first summary of which that is so."""
    return wait_until(lambda: found if is_so(found := summary(live)) else None, "what the page was to say")


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
def page(request, two_tests, tmp_path_factory):
    """A page whose sources have so many seconds."""
    made = two_tests()
    with LivePage(replace(made, database=made.database.reader()), tmp_path_factory.mktemp("page"), quick(request.param)) as live:
        live.wait("readyz")
        yield live


@pytest.mark.parametrize(("page", "source", "fault"), CASES, indirect=["page"], ids=[f"{source}-{fault}" for _, source, fault in CASES])
def test_a_fault_of_a_source_shows_soon_and_is_over_when_it_is_over(source, fault, page):
    trouble = FAULTS[source][fault]
    until(page, is_well)
    trouble.begin(page.sources)
    try:
        if trouble.says is None:
            shown = refreshed(page)
            assert is_well(shown), shown["sources"]
            told = re.search(r"its clock is (\d+) s ahead of", page.get("api/v1/page").text)
            assert (told and int(told[1])) == (pytest.approx(3600, abs=60) if fault == "clock an hour off" else None)
        else:
            found = until(page, lambda shown: shown["badge"] == BADGE_WITHOUT[source] and re.search(trouble.says, shown["sources"][source]["reason"]))
            assert found["sources"][source]["fix"]
            assert "SIMULATED" not in page.get("api/v1/page").text
        assert page.get("healthz").status_code == 200
    finally:
        trouble.end(page.sources)
    until(page, is_well)
    assert peak_bytes(page) < LARGEST_BYTES


@pytest.mark.parametrize("page", [PATIENT], indirect=True)
def test_the_page_goes_on_answering_while_a_source_hangs(page):
    until(page, is_well)
    proxies = (page.sources.mlflow_proxy, page.sources.prometheus_proxy)
    for proxy in proxies:
        proxy.hang()
    before = sum(proxy.connections for proxy in proxies)
    try:
        for proxy in proxies:
            proxy.drop()
        wait_until(lambda: sum(proxy.connections for proxy in proxies) > before, "a question that hangs")
        with ends_within(0):
            summary(page)
    finally:
        for proxy in proxies:
            proxy.pass_through()
            proxy.drop()
    until(page, is_well)


@pytest.fixture(scope="module")
def sharing(two_tests, tmp_path_factory):
    """A page that shares its answers through a Redis behind a proxy."""
    folder = tmp_path_factory.mktemp("redis")
    with RedisServer(folder) as server, FaultProxy("127.0.0.1", server.port) as proxy:
        url = server.url.replace(str(server.port), str(proxy.port))
        with LivePage(two_tests(), tmp_path_factory.mktemp("sharing"), {**quick(HASTY), "DASHBOARD_CACHE_URL": url}) as live:
            live.wait("readyz")
            yield live, server, proxy


def is_shared(server):
    with server.client as client:
        return bool(client.keys("live-dashboards:*"))


@pytest.mark.parametrize("fault", REDIS_FAULTS)
def test_a_fault_of_redis_costs_the_page_nothing_but_the_sharing(fault, sharing):
    live, server, proxy = sharing
    wait_until(lambda: is_shared(server), "a shared answer")
    REDIS_FAULTS[fault].begin(server, proxy)
    try:
        since = refreshed(live)["at"]
        until(live, lambda shown: shown["at"] >= since and is_well(shown))
        wait_until(lambda: "Redis: " in live.log, "a word about it")
    finally:
        REDIS_FAULTS[fault].end(server, proxy)
    wait_until(lambda: is_shared(server), "a shared answer")
    assert peak_bytes(live) < LARGEST_BYTES
