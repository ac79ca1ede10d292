"""The login page and its session."""

from __future__ import annotations

import re
from typing import Any

import pytest
from itsdangerous import TimestampSigner

from live_dashboards.web.access.passwords import hash_password
from tests.web.access.sites import LOGIN, PASSWORD, Clock, from_address, log_in, site


def cookie(answer: Any) -> set[str]:
    return {part.strip() for part in answer.headers["Set-Cookie"].split(";")}


def test_the_right_password_opens_the_page_and_tells_the_server_who_it_is() -> None:
    client = site(**LOGIN).test_client()
    assert log_in(client, fields={"next": "/who?window=7d"}).headers["Location"] == "/who?window=7d"
    answer = client.get("/who")
    assert answer.json is not None
    assert answer.json["user"] == "dashboard"


def test_unknown_user_and_wrong_password_give_the_same_answer() -> None:
    client = site(**LOGIN).test_client()
    answers = [log_in(client, "wrong"), log_in(client, PASSWORD, "nobody"), log_in(client, "wrong", "nobody"), log_in(client, "", "")]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.get_data() for answer in answers}) == 1
    assert "This user and password do not match." in answers[0].text
    assert not any("Set-Cookie" in answer.headers for answer in answers)


def test_the_right_password_during_the_wait_is_refused_like_a_wrong_one() -> None:
    clock = Clock()
    client = site(**LOGIN, clock=clock).test_client()
    for _ in range(5):
        log_in(client, "wrong")
    wrong, right = log_in(client, "wrong"), log_in(client)
    assert (right.status_code, right.headers["Retry-After"], right.text) == (429, "1", wrong.text)
    clock.now_seconds += 1
    assert log_in(client).status_code == 303


def test_an_address_that_waits_does_not_make_another_one_wait() -> None:
    client = site(**LOGIN).test_client()
    for _ in range(6):
        log_in(client, "wrong", **from_address("192.0.2.1"))
    assert log_in(client, **from_address("192.0.2.2")).status_code == 303


def test_the_cookie_is_for_this_site_s_server_only_and_for_twelve_hours() -> None:
    parts = cookie(log_in(site(**LOGIN).test_client()))
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert any(part.startswith("live_dashboards_session=") for part in parts)
    assert any(part.startswith("Expires=") for part in parts)


def test_the_cookie_is_secure_behind_tls_and_only_there() -> None:
    files = {"DASHBOARD_TLS_CERT": "cert.pem", "DASHBOARD_TLS_KEY": "key.pem"}
    proxied = {"DASHBOARD_TRUSTED_PROXIES": "10.0.0.5"}
    told = {"headers": {"X-Forwarded-Proto": "https"}}
    assert "Secure" not in cookie(log_in(site(**LOGIN).test_client()))
    assert "Secure" in cookie(log_in(site(**LOGIN, **files).test_client()))
    assert "Secure" in cookie(log_in(site(**LOGIN, **proxied).test_client(), **told, **from_address("10.0.0.5")))
    assert "Secure" not in cookie(log_in(site(**LOGIN, **proxied).test_client(), **told, **from_address("10.0.0.6")))


def test_a_session_holds_in_another_process_and_not_after_the_password_changed() -> None:
    value = log_in(site(**LOGIN).test_client()).headers["Set-Cookie"].partition(";")[0]
    assert site(**LOGIN).test_client(use_cookies=False).get("/", headers={"Cookie": value}).status_code == 200
    for changed in ({"DASHBOARD_PASSWORD_HASH": hash_password("another password")}, {"DASHBOARD_USERNAME": "somebody"}):
        assert site(**(LOGIN | changed)).test_client(use_cookies=False).get("/", headers={"Cookie": value}).status_code == 401


def test_a_session_ends_after_twelve_hours_however_often_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    client, begin = site(**LOGIN).test_client(), TimestampSigner("").get_timestamp()
    log_in(client)
    for hours, status in ((11.9, 200), (12.1, 401)):
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _, now=begin + int(3600 * hours): now)
        assert client.get("/").status_code == status


def test_a_changed_cookie_is_no_session() -> None:
    client = site(**LOGIN).test_client()
    value = log_in(client).headers["Set-Cookie"].partition(";")[0]
    name, _, signed = value.partition("=")
    forged = f"{name}={'A' if signed[0] != 'A' else 'B'}{signed[1:]}"
    assert site(**LOGIN).test_client(use_cookies=False).get("/", headers={"Cookie": forged}).status_code == 401


def test_log_out_ends_the_session_in_this_browser() -> None:
    client = site(**LOGIN).test_client()
    log_in(client)
    assert client.get("/logout").status_code == 405
    assert client.post("/logout").headers["Location"] == "/login"
    assert client.get("/").status_code == 401


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/x//evil.example",
        " /x",
        "javascript:alert(1)",
        "evil.example",
        "/login?next=/",
        "/logout",
        "/x\r\nX-Header: 1",
        "",
    ],
)
def test_the_login_leads_to_this_site_only(elsewhere: str) -> None:
    assert log_in(site(**LOGIN).test_client(), fields={"next": elsewhere}).headers["Location"] == "/"


def test_who_is_logged_in_is_not_asked_again() -> None:
    client = site(**LOGIN).test_client()
    log_in(client)
    assert client.get("/login?next=/who").headers["Location"] == "/who"


@pytest.mark.parametrize("is_prefix_kept", [True, False])
def test_below_a_path_prefix_every_address_has_it_whether_or_not_the_proxy_takes_it_away(*, is_prefix_kept: bool) -> None:
    client = site(**LOGIN, DASHBOARD_PATH_PREFIX="/ab-test").test_client()
    seen = "/ab-test" if is_prefix_kept else ""
    assert client.get(f"{seen}/?window=7d", headers={"Accept": "text/html"}).headers["Location"] == "/ab-test/login?next=/ab-test/%3Fwindow%3D7d"
    page = client.get(f"{seen}/login").text
    assert 'action="/ab-test/login"' in page
    assert 'href="/ab-test/login.css"' in page
    assert client.get(f"{seen}/login.css").status_code == 200
    answer = client.post(f"{seen}/login", data={"username": "dashboard", "password": PASSWORD, "next": "/elsewhere"})
    assert answer.headers["Location"] == "/ab-test/"
    assert "Path=/ab-test" in cookie(answer)


def test_the_login_page_is_usable_by_password_managers_and_screen_readers_and_runs_no_script() -> None:
    page = log_in(site(**LOGIN).test_client(), "wrong").text
    assert '<html lang="en">' in page
    assert set(re.findall(r'<label for="(\w+)"', page)) == set(re.findall(r'<input id="(\w+)"', page)) == {"username", "password"}
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    assert 'role="alert"' in page
    assert "<script" not in page
    assert "style=" not in page


def test_what_the_page_repeats_is_escaped() -> None:
    page = site(**LOGIN).test_client().get("/login?next=/%22%3E%3Cscript%3E").text
    assert "<script" not in page


def test_the_style_sheet_is_served_without_login_and_may_be_kept() -> None:
    answer = site(**LOGIN).test_client().get("/login.css")
    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (200, "text/css", "max-age=3600")
    assert "prefers-color-scheme: dark" in answer.text


def test_without_a_password_there_is_no_login_page() -> None:
    assert site().test_client().get("/login").status_code == 404
