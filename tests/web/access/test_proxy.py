"""X-Forwarded headers: believed from trusted proxies, gone from everybody else's requests."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from live_dashboards.web.access.addresses import TrustedProxies
from tests.support.waiting import LONGEST_SECONDS
from tests.web.access.listening import ask, listening
from tests.web.access.sites import PROXY, site

TRUSTED = ("10.0.0.0/24", "2001:db8::/64")


def seen(peer: str, **headers: str) -> dict[str, Any]:
    """What the application sees of a request from that peer; in a header's name, an underscore is a dash."""
    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "10.0.0.9:8050"} | {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    TrustedProxies(lambda *_: [], TRUSTED, "X-Auth-User")(environ, lambda *_: None)  # type: ignore[arg-type,return-value]
    return environ


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("198.51.100.9, 192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, 10.0.0.7", "192.0.2.1"),
        ("10.0.0.5, 192.0.2.1, 10.0.0.7, 10.0.0.8", "192.0.2.1"),
        ("10.0.0.6, 10.0.0.7", "10.0.0.6"),
        ("192.0.2.1, rubbish", "10.0.0.5"),
        ("192.0.2.1, rubbish, 10.0.0.7", "10.0.0.7"),
        ("2001:db8:1::1", "2001:db8:1::1"),
        ("", "10.0.0.5"),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_no_trusted_proxy(chain: str, client: str) -> None:
    assert seen("10.0.0.5", x_forwarded_for=chain)["REMOTE_ADDR"] == client


def test_scheme_and_host_are_the_trusted_proxy_s() -> None:
    environ = seen("10.0.0.5", x_forwarded_for="192.0.2.1", x_forwarded_proto="https", x_forwarded_host="dashboard.example:8443")
    assert (environ["wsgi.url_scheme"], environ["HTTP_HOST"]) == ("https", "dashboard.example:8443")


def test_of_lists_the_entry_counts_that_the_outermost_trusted_proxy_added() -> None:
    environ = seen("10.0.0.5", x_forwarded_for="192.0.2.1, 10.0.0.7", x_forwarded_proto="gopher, https, http", x_forwarded_host="evil.example, dashboard.example, inner")
    assert (environ["wsgi.url_scheme"], environ["HTTP_HOST"]) == ("https", "dashboard.example")


@pytest.mark.parametrize("host", ["evil.example/x", "a b", "user@evil.example", "x\r\ny", "[::1", ""])
def test_what_is_no_host_or_scheme_changes_nothing(host: str) -> None:
    environ = seen("10.0.0.5", x_forwarded_host=host, x_forwarded_proto="javascript")
    assert (environ["wsgi.url_scheme"], environ["HTTP_HOST"]) == ("http", "10.0.0.9:8050")


@pytest.mark.parametrize("peer", ["10.0.1.5", "127.0.0.1", "", "2001:db8:1::1"])
def test_from_anybody_else_nothing_is_believed_and_the_claims_are_gone(peer: str) -> None:
    claims = {"x_forwarded_for": "10.0.0.5", "x_forwarded_proto": "https", "x_forwarded_host": "evil.example", "forwarded": "for=10.0.0.5", "x_auth_user": "ada"}
    environ = seen(peer, **claims)
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ["HTTP_HOST"]) == (peer, "http", "10.0.0.9:8050")
    assert [name for name in claims if f"HTTP_{name.upper()}" in environ] == []


def test_being_put_around_twice_changes_nothing() -> None:
    environ: dict[str, Any] = {"REMOTE_ADDR": "10.0.0.5", "wsgi.url_scheme": "http", "HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_X_AUTH_USER": "ada"}
    inner = TrustedProxies(lambda *_: [], TRUSTED, "X-Auth-User")
    TrustedProxies(inner, TRUSTED, "X-Auth-User")(environ, lambda *_: None)  # type: ignore[arg-type,return-value]
    assert (environ["REMOTE_ADDR"], environ["HTTP_X_AUTH_USER"]) == ("192.0.2.1", "ada")


def test_a_real_server_passes_on_a_trusted_proxy_s_headers() -> None:
    told = {"X_Forwarded_For": "192.0.2.1", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "dashboard.example", "X_Forwarded_User": "ada"}
    with listening(site(**(PROXY | {"DASHBOARD_TRUSTED_PROXIES": "127.0.0.1"}))) as port:
        _, text = ask(port, "/who", **told)
    assert json.loads(text) == {"user": "ada", "address": "192.0.2.1", "url": "https://dashboard.example/who"}


def test_a_real_server_believes_nobody_else() -> None:
    with listening(site(**PROXY)) as port:
        answer, text = ask(port, "/who", X_Forwarded_User="ada", X_Forwarded_For="10.0.0.5")
    assert answer.status == 401
    assert "ada" not in text


def test_a_header_name_with_an_underscore_cannot_stand_for_the_user_header() -> None:
    """A proxy that overwrites X-Forwarded-User passes X_Forwarded_User on, and CGI names make both one."""
    with (
        listening(site(**(PROXY | {"DASHBOARD_TRUSTED_PROXIES": "127.0.0.1"}))) as port,
        socket.create_connection(("127.0.0.1", port), timeout=LONGEST_SECONDS) as link,
    ):
        link.sendall(b"GET /who HTTP/1.1\r\nHost: localhost\r\nX_Forwarded_User: ada\r\nConnection: close\r\n\r\n")
        head = link.recv(65_536)
    assert head.startswith(b"HTTP/1.1 401 ")
