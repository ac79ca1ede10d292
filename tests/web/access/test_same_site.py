"""Posts of other sites' pages, which a browser would send with this site's cookie."""

from __future__ import annotations

import pytest

from tests.web.access.sites import BROWSER, LOGIN, PASSWORD, PROXY, from_address, log_in, site

FROM_ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://localhost:9999"},
    {"Origin": "null"},
    {"Origin": "http://localhost:x"},
    {"Referer": "http://evil.example/localhost"},
]
FROM_HERE = [
    {},
    {"Origin": "https://localhost"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Referer": "http://localhost/x"},
]


@pytest.mark.parametrize("said", FROM_ELSEWHERE)
@pytest.mark.parametrize("path", ["/_dash-update-component", "/login", "/logout"])
def test_a_post_from_another_site_is_refused_even_with_a_session(path: str, said: dict[str, str]) -> None:
    client = site(**LOGIN).test_client()
    log_in(client)
    assert client.post(path, headers=said).status_code == 403
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("said", FROM_HERE)
def test_a_post_from_this_site_or_from_a_program_is_taken(said: dict[str, str]) -> None:
    client = site(**LOGIN).test_client()
    log_in(client)
    assert client.post("/_dash-update-component", headers=said).status_code == 200


def test_without_a_login_other_sites_are_refused_too() -> None:
    assert site().test_client().post("/_dash-update-component", headers={"Origin": "http://evil.example"}).status_code == 403


def test_behind_a_login_proxy_other_sites_are_refused_too() -> None:
    said = {"Origin": "http://evil.example", "X-Forwarded-User": "ada"}
    assert site(**PROXY).test_client().post("/_dash-update-component", headers=said, **from_address("10.0.0.5")).status_code == 403


def test_the_site_s_own_name_is_the_one_that_the_trusted_proxy_tells() -> None:
    client = site(**LOGIN, DASHBOARD_TRUSTED_PROXIES="10.0.0.5").test_client()
    said = {"Origin": "https://dashboard.example", "X-Forwarded-Host": "dashboard.example", "X-Forwarded-Proto": "https"}
    fields = {"username": "dashboard", "password": PASSWORD}
    assert client.post("/login", data=fields, headers=said, **from_address("10.0.0.5")).status_code == 303
    assert client.post("/login", data=fields, headers=said, **from_address("10.0.0.6")).status_code == 403


MODES = {"open on loopback": {}, "open to all": {"DASHBOARD_AUTH": "none"}, "password": LOGIN, "proxy": PROXY}
FETCHED = [{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode} for site in ("cross-site", "same-site") for mode in ("no-cors", "cors")]
LINKED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}


def asked(mode: str, method: str, path: str, said: dict[str, str]) -> int:
    """The status for somebody who may see the page."""
    client = site(**MODES[mode]).test_client()
    if mode == "password":
        log_in(client)
    known = from_address("10.0.0.5") if mode == "proxy" else {}
    return client.open(path, method=method, headers={"X-Forwarded-User": "ada"} | said if mode == "proxy" else said, **known).status_code


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("said", FETCHED)
def test_what_another_site_s_page_loads_is_refused_in_every_mode(mode: str, said: dict[str, str]) -> None:
    assert [asked(mode, method, path, said) for method, path in (("GET", "/"), ("GET", "/api/v1/summary"), ("GET", "/nowhere"), ("OPTIONS", "/who"))] == [403] * 4


@pytest.mark.parametrize("mode", MODES)
def test_another_site_s_link_leads_to_the_page_and_to_nothing_else(mode: str) -> None:
    assert [asked(mode, "GET", path, LINKED) for path in ("/?window=7d", "/api/v1/summary", "/metrics", "/who")] == [200, 403, 403, 403]
    assert asked(mode, "HEAD", "/", LINKED) == 403


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("said", [{}, {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}])
def test_programs_and_the_page_itself_read_everything(mode: str, said: dict[str, str]) -> None:
    assert [asked(mode, "GET", path, said) for path in ("/", "/api/v1/summary", "/metrics", "/healthz", "/readyz")] == [200] * 5


def test_a_link_below_a_path_leads_to_the_page_there() -> None:
    client = site(DASHBOARD_PATH_PREFIX="/ab-test").test_client()
    assert client.get("/ab-test/", headers=LINKED).status_code == 404  # the small site of these tests is not below it
    assert client.get("/ab-test/who", headers=LINKED).status_code == 403


def test_a_link_from_elsewhere_leads_a_stranger_to_the_login() -> None:
    client = site(**LOGIN).test_client()
    answer = client.get("/?window=7d", headers=BROWSER | LINKED)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=/%3Fwindow%3D7d")
    assert client.get(answer.headers["Location"], headers=BROWSER | LINKED).status_code == 200


def test_a_link_from_elsewhere_keeps_its_session() -> None:
    client = site(**LOGIN).test_client()
    log_in(client)
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status_code == 200
