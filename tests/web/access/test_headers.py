"""The security headers, on every answer of a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flask
import pytest

from live_dashboards.web.access.responses import content_security_policy, install_headers
from tests.web.access.listening import ask, listening
from tests.web.access.sites import BROWSER, LOGIN, from_address, site

EXPECTED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with listening(site()) as port:
        yield port


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("GET", "/api/v1/summary", 200), ("GET", "/no-such-page", 404), ("POST", "/", 405), ("GET", "/broken", 500), ("GET", "/healthz", 200)],
)
def test_every_answer_has_the_headers_errors_included(port: int, method: str, path: str, status: int) -> None:
    answer, _ = ask(port, path, method)
    assert answer.status == status
    assert {name: answer.headers[name] for name in EXPECTED} == EXPECTED
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Content-Security-Policy"] == content_security_policy(["'sha256-abc='"])
    assert answer.headers.get_all("Server") is None


@pytest.mark.parametrize(("path", "status"), [("/", 302), ("/api/v1/summary", 401), ("/login", 200), ("/login.css", 200)])
def test_what_the_guard_answers_has_the_headers_too(path: str, status: int) -> None:
    answer = site(**LOGIN).test_client().get(path, headers=BROWSER)
    assert answer.status_code == status
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_policy_allows_this_site_and_inline_scripts_by_hash_only() -> None:
    rules = dict(rule.split(" ", 1) for rule in content_security_policy(["'sha256-abc='"]).split("; "))
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self' 'sha256-abc='",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }


def test_hsts_is_sent_over_tls_only() -> None:
    proxied = {"DASHBOARD_AUTH": "none", "DASHBOARD_TRUSTED_PROXIES": "10.0.0.5"}
    told = {"headers": {"X-Forwarded-Proto": "https"}}
    over_tls = site(DASHBOARD_TLS_CERT="cert.pem", DASHBOARD_TLS_KEY="key.pem").test_client().get("/")
    answers = [
        over_tls,
        site(**proxied).test_client().get("/", **told, **from_address("10.0.0.5")),
        site(**proxied).test_client().get("/", **told, **from_address("10.0.0.6")),
    ]
    assert ["Strict-Transport-Security" in answer.headers for answer in answers] == [True, True, False]


def server_with(**headers: str) -> Any:
    server = flask.Flask(__name__, static_folder=None)
    server.add_url_rule("/", "page", lambda: ("page", 200, {name.replace("_", "-"): value for name, value in headers.items()}))
    install_headers(server, list, is_tls=False)
    return server.test_client().get("/").headers


def test_a_route_s_own_cache_rule_stays() -> None:
    assert server_with(Cache_Control="max-age=60").get_all("Cache-Control") == ["max-age=60"]


def test_a_header_is_there_once_and_the_server_s_software_is_not_named() -> None:
    headers = server_with(X_Frame_Options="SAMEORIGIN", Server="Werkzeug/3.1.9 Python/3.11.7")
    assert headers.get_all("X-Frame-Options") == ["DENY"]
    assert "Server" not in headers
