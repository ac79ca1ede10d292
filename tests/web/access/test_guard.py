"""The guard: who gets past, and what everybody else is answered."""

from __future__ import annotations

import logging
from typing import Any

import flask
import pytest
from dash import Dash, html

from live_dashboards.errors import SettingsError
from live_dashboards.web.access.guard import install
from tests.web.access.sites import BROWSER, HASH, LOGIN, PASSWORD, PROXY, Clock, basic, from_address, log_in, settings_of, site

EVERY_WAY_IN = [
    ("GET", "/"),
    ("GET", "/who"),
    ("GET", "/metrics"),
    ("GET", "/api/v1/summary"),
    ("POST", "/_dash-update-component"),
    ("GET", "/no-such-page"),
    ("GET", "/assets/style.css"),
    ("GET", "//healthz"),
    ("GET", "/healthz/"),
    ("GET", "/login/"),
    ("OPTIONS", "/api/v1/summary"),
    ("POST", "/"),
]


@pytest.mark.parametrize(("method", "path"), EVERY_WAY_IN)
def test_nothing_is_answered_without_a_login(method: str, path: str) -> None:
    answer = site(**LOGIN).test_client().open(path, method=method)
    assert answer.status_code == 401
    assert answer.get_data(as_text=True).count("Log in to see this.") == 1


@pytest.mark.parametrize("path", ["/", "/any/page", "/_dash-layout", "/_dash-dependencies", "/_dash-component-suites/dash/dash-renderer/build/dash_renderer.min.js"])
def test_dash_shows_nothing_of_its_own_before_the_login_and_all_of_it_after(path: str) -> None:
    app = Dash(__name__)
    app.layout = html.Div("the layout")
    install(app.server, settings_of(**LOGIN), clock=Clock())
    client = app.server.test_client()
    client.get("/", headers=basic())  # else a script asked for first is not registered yet
    assert client.get(path).status_code == 401
    log_in(client)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("mode", [LOGIN, PROXY, {}], ids=["password", "proxy", "open"])
def test_health_and_readiness_need_no_login_and_no_name(mode: dict[str, str]) -> None:
    client = site(**mode).test_client()
    assert [client.get(path, headers={"Host": "10.9.8.7:8050"}).status_code for path in ("/healthz", "/readyz")] == [200, 200]


@pytest.mark.parametrize(
    ("path", "leads_to"), [("/", "/login?next=/"), ("/who?window=7d&a=%26", "/login?next=/who%3Fwindow%3D7d%26a%3D%2526"), ("/no", "/login?next=/no")]
)
def test_a_browser_s_page_leads_to_the_login_and_remembers_where_it_was(path: str, leads_to: str) -> None:
    answer = site(**LOGIN).test_client().get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (302, leads_to)


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/v1/summary"), ("GET", "/metrics"), ("POST", "/")])
def test_data_and_posts_are_refused_with_a_challenge(method: str, path: str) -> None:
    answer = site(**LOGIN).test_client().open(path, method=method, headers=BROWSER)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("said", [{"X-Requested-With": "live-dashboards"}, {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}])
def test_the_page_s_own_fetch_gets_no_challenge_that_would_open_a_window(said: dict[str, str]) -> None:
    answer = site(**LOGIN).test_client().get("/api/v1/summary", headers=said)
    assert answer.status_code == 401
    assert "WWW-Authenticate" not in answer.headers
    assert answer.json == {"error": "Log in to see this."}


def test_the_page_s_own_fetch_is_not_led_to_the_login_page() -> None:
    answer = site(**LOGIN).test_client().get("/who", headers=BROWSER | {"X-Requested-With": "live-dashboards"})
    assert (answer.status_code, answer.mimetype) == (401, "application/json")


def test_nothing_that_the_server_does_before_requests_is_done_for_strangers() -> None:
    server, seen = flask.Flask(__name__, static_folder=None), []
    server.before_request(lambda: seen.append("a request"))
    install(server, settings_of(**LOGIN), clock=Clock())
    server.test_client().get("/")
    assert seen == []


def test_a_program_s_user_and_password_are_taken() -> None:
    answer = site(**LOGIN).test_client().get("/who", headers=basic())
    assert answer.json is not None
    assert answer.json["user"] == "dashboard"
    assert "Set-Cookie" not in answer.headers


TOKEN = "t0ken-of-a-pipeline-and-long"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("mode", [LOGIN, PROXY])
def test_a_token_opens_the_data_and_nothing_else(mode: dict[str, str]) -> None:
    client = site(**mode, DASHBOARD_API_TOKEN=TOKEN).test_client()
    assert client.get("/api/v1/summary", headers=SHOWN).json == {"badge": "LIVE DATA"}
    assert [client.get(path, headers=SHOWN).status_code for path in ("/", "/who", "/metrics", "/_dash-update-component")] == [401] * 4


KNOWN = {"DASHBOARD_API_TOKEN": TOKEN}
OTHERS = [({}, SHOWN), (KNOWN, {"Authorization": f"Bearer {TOKEN}x"}), (KNOWN, {"Authorization": "Bearer"}), (KNOWN, {})]


@pytest.mark.parametrize(("own", "sent"), OTHERS)
def test_another_token_or_none_opens_nothing(own: dict[str, str], sent: dict[str, str]) -> None:
    answer = site(**LOGIN, **own).test_client().get("/api/v1/summary", headers=sent)
    assert answer.status_code == 401
    assert TOKEN not in answer.text


def test_a_token_of_others_costs_those_nothing_who_are_let_in_anyway() -> None:
    """As oauth proxies pass their own on."""
    theirs = {"Authorization": "Bearer eyJhbGciOi.J9.of-the-proxy"}
    proxied = site(**PROXY, DASHBOARD_API_TOKEN=TOKEN).test_client()
    named = theirs | {"X-Forwarded-User": "ann"}
    assert [proxied.get("/api/v1/summary", headers=named, **from_address("10.0.0.5")).status_code for _ in range(9)] == [200] * 9
    client = site(**LOGIN, DASHBOARD_API_TOKEN=TOKEN).test_client()
    log_in(client)
    assert [client.get("/api/v1/summary", headers=theirs).status_code for _ in range(9)] == [200] * 9


def test_who_guesses_tokens_waits_like_who_guesses_passwords_and_other_sites_stay_refused() -> None:
    clock = Clock()
    client = site(**LOGIN, DASHBOARD_API_TOKEN=TOKEN, clock=clock).test_client()
    for _ in range(5):
        client.get("/api/v1/summary", headers={"Authorization": "Bearer wrong"})
    assert client.get("/api/v1/summary", headers=SHOWN).status_code == 429
    clock.now_seconds += 1
    assert client.get("/api/v1/summary", headers=SHOWN).status_code == 200
    assert client.get("/api/v1/summary", headers=SHOWN | {"Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("token", ["short", "a token with blanks in it", "ein-schönes-token-ohne-ende"])
def test_a_token_that_is_short_or_no_header_can_hold_is_refused_unshown(token: str) -> None:
    with pytest.raises(SettingsError, match="DASHBOARD_API_TOKEN") as refused:
        site(**LOGIN, DASHBOARD_API_TOKEN=token)
    assert token not in str(refused.value)


@pytest.mark.parametrize("sent", [basic("wrong"), basic(username="nobody"), {"Authorization": "Basic %%%"}, {"Authorization": f"Bearer {PASSWORD}"}])
def test_wrong_credentials_are_all_refused_alike(sent: dict[str, str]) -> None:
    answer = site(**LOGIN).test_client().get("/api/v1/summary", headers=sent)
    assert (answer.status_code, answer.json) == (401, {"error": "Log in to see this."})


def test_a_program_s_failures_wait_like_those_of_the_login_page() -> None:
    clock = Clock()
    client = site(**LOGIN, clock=clock).test_client()
    for _ in range(5):
        client.get("/metrics", headers=basic("wrong"))
    answer = client.get("/metrics", headers=basic())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    clock.now_seconds += 1
    assert client.get("/metrics", headers=basic()).status_code == 200


def test_a_session_stays_while_its_address_waits() -> None:
    client = site(**LOGIN).test_client()
    log_in(client)
    for _ in range(6):
        log_in(client, "wrong")
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8050", "192.168.1.5:8050", "localhost.evil.example", ""])
def test_without_a_login_the_page_answers_to_localhost_only(host: str) -> None:
    assert site().test_client().get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8050", "127.0.0.1:8050", "[::1]:8050", "127.5.5.5"])
def test_without_a_login_every_name_of_this_machine_will_do(host: str) -> None:
    assert site().test_client().get("/", headers={"Host": host}).text == "the page"


def test_without_a_login_a_proxy_s_visitors_are_strangers() -> None:
    client = site(DASHBOARD_TRUSTED_PROXIES="127.0.0.1").test_client()
    assert client.get("/", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 403


@pytest.mark.parametrize(
    "claim", [{"X-Forwarded-For": "203.0.113.5"}, {"X-Forwarded-Proto": "https"}, {"X-Real-IP": "203.0.113.5"}, {"Forwarded": "for=203.0.113.5"}, {"Via": "1.1 proxy"}]
)
def test_without_a_login_what_an_unknown_proxy_passed_on_is_refused_and_told_what_to_set(claim: dict[str, str]) -> None:
    answer = site().test_client().get("/api/v1/summary", headers={"Host": "localhost"} | claim)
    assert answer.status_code == 403
    assert answer.json is not None
    assert [name for name in ("DASHBOARD_TRUSTED_PROXIES", "DASHBOARD_AUTH") if name not in answer.json["error"]] == []


def test_a_proxy_of_this_machine_that_is_trusted_may_pass_on_its_own_browser_s_requests() -> None:
    client = site(DASHBOARD_TRUSTED_PROXIES="127.0.0.1").test_client()
    assert client.get("/", headers={"X-Forwarded-For": "127.0.0.1", "Via": "1.1 proxy"}).text == "the page"


@pytest.mark.parametrize("mode", [{"DASHBOARD_AUTH": "none"}, LOGIN], ids=["open", "password"])
def test_where_it_is_said_who_may_see_the_page_an_unknown_proxy_is_no_reason_to_refuse(mode: dict[str, str]) -> None:
    assert site(**mode).test_client().get("/", headers=basic() | {"Via": "1.1 proxy", "X-Forwarded-For": "203.0.113.5"}).text == "the page"


def test_what_is_open_on_purpose_answers_to_any_name_and_anybody() -> None:
    client = site(DASHBOARD_AUTH="none").test_client()
    assert client.get("/", headers={"Host": "dashboard.example"}, **from_address("192.0.2.7")).text == "the page"


def test_the_user_is_whom_the_trusted_proxy_names() -> None:
    answer = site(**PROXY).test_client().get("/who", headers={"X-Forwarded-User": "ada"}, **from_address("10.0.0.5"))
    assert answer.json is not None
    assert answer.json["user"] == "ada"


@pytest.mark.parametrize("address", ["10.0.0.6", "127.0.0.1", "::1", ""])
@pytest.mark.parametrize("path", ["/", "/no-such-page", "/api/v1/summary"])
def test_a_user_header_from_any_other_address_is_worth_nothing(address: str, path: str) -> None:
    client = site(**PROXY).test_client()
    forged = {"X-Forwarded-User": "ada", "X-Forwarded-For": "10.0.0.5"}
    assert client.get(path, headers=forged, **from_address(address)).status_code == 401


@pytest.mark.parametrize("user", [None, "", " ", "mallory,ada", "a" * 257])
def test_a_proxy_that_names_nobody_or_several_lets_nobody_in(user: str | None) -> None:
    headers = {} if user is None else {"X-Forwarded-User": user}
    assert site(**PROXY).test_client().get("/", headers=headers, **from_address("10.0.0.5")).status_code == 401


def test_the_user_header_may_have_another_name_and_then_only_that_counts() -> None:
    client = site(**PROXY, DASHBOARD_USER_HEADER="X-Auth-Request-Email").test_client()
    assert client.get("/", headers={"X-Forwarded-User": "ada"}, **from_address("10.0.0.5")).status_code == 401
    assert client.get("/", headers={"X-Auth-Request-Email": "ada@site.example"}, **from_address("10.0.0.5")).status_code == 200
    assert client.get("/", headers={"X-Auth-Request-Email": "ada@site.example"}, **from_address("10.0.0.6")).status_code == 401


def test_with_a_password_the_user_header_counts_for_nothing() -> None:
    client = site(**LOGIN, DASHBOARD_TRUSTED_PROXIES="10.0.0.5").test_client()
    assert client.get("/", headers={"X-Forwarded-User": "dashboard"}, **from_address("10.0.0.5")).status_code == 401


def test_no_answer_and_no_log_shows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = site(**LOGIN)
    client: Any = server.test_client()
    answers = [client.get("/", headers=basic("wrong")), log_in(client, "wrong"), log_in(client), client.get("/"), client.get("/login"), client.get("/no-such-page")]
    shown = "".join(answer.get_data(as_text=True) + str(answer.headers) for answer in answers) + caplog.text + repr(server.config)
    assert [secret for secret in (PASSWORD, HASH, HASH.rpartition("$")[2]) if secret in shown] == []
