"""Puts the access rules before a server, and where a password is asked for, the login page with them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from flask import Flask, Response, make_response, redirect, render_template_string, request
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from live_dashboards.settings import Settings
from live_dashboards.web.access.credentials import Credentials
from live_dashboards.web.access.error_pages import install_error_pages
from live_dashboards.web.access.guard import guard
from live_dashboards.web.access.policy import Mode, Policy, policy_of
from live_dashboards.web.access.proxy import TrustedProxies
from live_dashboards.web.access.same_site import address_on_this_site
from live_dashboards.web.access.session import install_sessions, log_in, log_out, logged_in_user
from live_dashboards.web.access.throttle import Clock

_FOLDER = Path(__file__).parent
_WRONG = "This user and password do not match."


def install(
    server: Flask,
    settings: Settings,
    *,
    open_paths: Sequence[str] = ("/healthz", "/readyz"),
    clock: Clock = time.monotonic,
) -> Policy:
    """Guards the server as the settings say, before anything else that it does; SettingsError where they say
    nothing safe. What holds now comes back.
    """
    policy = policy_of(settings)
    credentials = Credentials(policy, clock)
    server.wsgi_app = TrustedProxies(server.wsgi_app, policy.trusted_proxies, policy.user_header)  # type: ignore[method-assign]  # Flask's way
    install_error_pages(server)
    if policy.mode is Mode.PASSWORD:
        install_sessions(server, policy)
        _install_pages(server, policy, credentials)
    server.before_request_funcs.setdefault(None, []).insert(0, guard(policy, credentials, tuple(open_paths)))
    return policy


def _install_pages(server: Flask, policy: Policy, credentials: Credentials) -> None:
    page, style = (_FOLDER.joinpath(name).read_text(encoding="utf-8") for name in ("login.html", "login.css"))
    prefix = policy.path_prefix

    def login() -> AnyResponse:
        next_address = address_on_this_site(request.values.get("next"), prefix)
        if request.method == "POST":
            return _try(next_address)
        return redirect(next_address, 303) if logged_in_user() else make_response(_page(next_address))

    def _try(next_address: str) -> AnyResponse:
        try:
            is_right = credentials.are_right(
                request.form.get("username", ""), request.form.get("password", ""), request.remote_addr or ""
            )
        except TooManyRequests as refusal:
            answer = make_response(_page(next_address, str(refusal.description)), 429)
            answer.headers["Retry-After"] = str(refusal.retry_after)
            return answer
        if not is_right:
            return make_response(_page(next_address, _WRONG), 401)
        log_in(policy.username)
        return redirect(next_address, 303)

    def _page(next_address: str, error: str = "") -> str:
        return render_template_string(page, prefix=prefix, next=next_address, error=error)

    def logout() -> AnyResponse:
        log_out()
        return redirect(f"{prefix}/login", 303)

    def stylesheet() -> Response:
        return Response(style, mimetype="text/css", headers={"Cache-Control": "max-age=3600"})

    for below in {"", prefix}:  # a proxy may or may not take the prefix away
        server.add_url_rule(f"{below}/login", "login", login, methods=["GET", "POST"])
        server.add_url_rule(f"{below}/logout", "logout", logout, methods=["POST"])
        server.add_url_rule(f"{below}/login.css", "login_style", stylesheet)
