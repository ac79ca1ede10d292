"""Posts of other sites' pages, which a browser would send with this site's cookie."""

from __future__ import annotations

import pytest

from tests.web.access.sites import LOGIN, PASSWORD, PROXY, from_address, log_in, site

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


def test_a_link_from_elsewhere_keeps_its_session() -> None:
    client = site(**LOGIN).test_client()
    log_in(client)
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status_code == 200
