"""Small real sites behind the access rules, and the settings that they are made from."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path
from typing import Any

import flask
from werkzeug.security import generate_password_hash

from live_dashboards.settings import Settings, load_settings
from live_dashboards.web.access.guard import install
from live_dashboards.web.access.responses import install_headers

PASSWORD = "correct horse battery"
HASH = generate_password_hash(PASSWORD, method="scrypt:1024:8:1")  # cheap, since these tests check many
EVERYWHERE = "0.0.0.0"  # noqa: S104 nothing listens there
LOGIN = {"DASHBOARD_HOST": EVERYWHERE, "DASHBOARD_PASSWORD_HASH": HASH}
PROXY = {"DASHBOARD_AUTH": "proxy", "DASHBOARD_TRUSTED_PROXIES": "10.0.0.5"}
INLINE_HASH = "'sha256-abc='"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now_seconds = 1000.0

    def __call__(self) -> float:
        return self.now_seconds


def settings_of(**environment: str) -> Settings:
    return load_settings(env_file=Path(os.devnull), environment=environment)


def site(*, clock: Clock | None = None, **environment: str) -> flask.Flask:
    """A page, data, health, a failure and a place to post to; `/who` tells what the server knows of the visitor."""
    server = flask.Flask(__name__, static_folder=None)
    server.add_url_rule("/", "page", lambda: "the page")
    server.add_url_rule("/who", "who", lambda: {"user": flask.g.user, "address": flask.request.remote_addr, "url": flask.request.url})
    server.add_url_rule("/healthz", "health", lambda: "well")
    server.add_url_rule("/readyz", "ready", lambda: "ready")
    server.add_url_rule("/metrics", "metrics", lambda: "metric 1")
    server.add_url_rule("/api/v1/summary", "summary", lambda: {"badge": "LIVE DATA"})
    server.add_url_rule("/_dash-update-component", "update", lambda: {"body": len(flask.request.get_data())}, methods=["POST"])
    server.add_url_rule("/broken", "broken", broken)
    install(server, settings_of(**environment), clock=clock or Clock())
    install_headers(server, lambda: [INLINE_HASH], is_tls="DASHBOARD_TLS_CERT" in environment)
    return server


def broken() -> str:
    raise RuntimeError(f"{PASSWORD} in {__file__}")


def log_in(client: Any, password: str = PASSWORD, username: str = "dashboard", **more: Any) -> Any:
    return client.post("/login", data={"username": username, "password": password, **more.pop("fields", {})}, **more)


def basic(password: str = PASSWORD, username: str = "dashboard") -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


def from_address(address: str) -> dict[str, Any]:
    return {"environ_overrides": {"REMOTE_ADDR": address}}
