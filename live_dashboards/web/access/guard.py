"""Stands before every request, and lets nobody past who may not see the page; where a password is asked for,
with the login page.

What comes from this site and what stays on it: requests of its own pages and of programs, and the address a
login leads back to.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from flask import Flask, Response, g, make_response, redirect, render_template_string, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, MisdirectedRequest, TooManyRequests, Unauthorized
from werkzeug.wrappers import Response as AnyResponse

from live_dashboards.settings import Settings
from live_dashboards.web.access.addresses import PASSED_ON, TrustedProxies, is_loopback
from live_dashboards.web.access.credentials import (
    Credentials,
    install_sessions,
    log_in,
    log_out,
    logged_in_user,
)
from live_dashboards.web.access.passwords import Clock
from live_dashboards.web.access.policy import Mode, Policy, policy_of
from live_dashboards.web.access.responses import PAGES_OWN_FETCH, install_error_pages

_FOLDER = Path(__file__).parent
_WRONG = "This user and password do not match."

_API = "/api/v1/"
_PROGRAM = "program"
LOGIN_PATHS = ("/login", "/login.css", "/logout")

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_LINKED_PATHS = frozenset({"/", "/login"})  # a link to the first page may lead on to the login
_DEFAULT_PORTS = {"http": 80, "https": 443}


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


def guard(
    policy: Policy, credentials: Credentials, open_paths: Sequence[str]
) -> Callable[[], AnyResponse | None]:
    """What the server calls before each request, known path or not: an answer instead of the asked one, or
    None; `g.user` is who was let in.
    """
    login_paths = LOGIN_PATHS if policy.mode is Mode.PASSWORD else ()

    def check() -> AnyResponse | None:
        g.user = None
        path = inner_path(policy.path_prefix)
        if path in open_paths:
            return None
        if policy.is_loopback_only:
            _refuse_strangers()
        refuse_other_sites(path)
        # a token counts only of who is not let in anyway: a proxy may pass on one of its own
        if policy.mode is Mode.PROXY:
            program = None if request.headers.get(policy.user_header) else _program(credentials, path)
            g.user = program or _named_by_the_proxy(policy.user_header)
        elif policy.mode is Mode.PASSWORD:
            g.user = logged_in_user() or _program(credentials, path) or _sent_along(credentials)
            return None if g.user or path in login_paths else _ask_for_login(policy, path)
        return None

    return check


def _refuse_strangers() -> None:
    """Without a login only this machine's own browser counts: not a site whose name was pointed at 127.0.0.1,
    not a proxy's visitors.
    """
    if not is_loopback(request.headers.get("Host", "")):
        raise MisdirectedRequest(
            "This page answers to localhost only; open it by that name, or set "
            "DASHBOARD_AUTH to say who may see it by another one."
        )
    if not is_loopback(request.remote_addr or ""):
        raise Forbidden(
            "This page is for its own machine only; set DASHBOARD_AUTH to say who may see it from elsewhere."
        )
    if PASSED_ON in request.headers:
        raise Forbidden(
            "A proxy passed this request on, and this page is for its own machine only; "
            "name the proxy in DASHBOARD_TRUSTED_PROXIES, and set DASHBOARD_AUTH to say who may see the "
            "page through it."
        )


def _named_by_the_proxy(user_header: str) -> str:
    """The user whom the trusted proxy names; from all others the header was removed."""
    user = request.headers.get(user_header, "").strip()
    if not user or "," in user or len(user) > 256 or not user.isprintable():
        raise Unauthorized(
            f"No trusted proxy names one user in {user_header}; open this page through its proxy."
        )
    return user


def _program(credentials: Credentials, path: str) -> str | None:
    """Who shows the token of programs, which opens data alone, never the page; None where nobody does."""
    sent = request.authorization
    if not path.startswith(_API) or sent is None or sent.type != "bearer":
        return None
    return _PROGRAM if credentials.is_token(sent.token or "", request.remote_addr or "") else None


def _sent_along(credentials: Credentials) -> str | None:
    """The user whose name and password a program sends with each request."""
    sent = request.authorization
    if sent is None or sent.type != "basic":
        return None
    username, password = sent.username or "", sent.password or ""
    return username if credentials.are_right_again(username, password, request.remote_addr or "") else None


def _ask_for_login(policy: Policy, path: str) -> AnyResponse:
    """A redirect to the login for who opens a page; a refusal for everything else."""
    is_page = request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("Accept", "")
    if is_page and not _is_fetched() and path != "/metrics" and not path.startswith("/api/"):
        return redirect(
            f"{policy.path_prefix}/login?next={quote(asked_address(policy.path_prefix), safe='/')}", 302
        )
    challenge = (
        None
        if _is_fetched() or path.startswith("/_dash-")
        else WWWAuthenticate("basic", {"realm": "Live dashboards", "charset": "UTF-8"})
    )
    raise Unauthorized("Log in to see this.", www_authenticate=challenge)


def _is_fetched() -> bool:
    """Whether a page's own code asks: a challenge would make the browser open its password window over the
    page.
    """
    by_page = request.headers.get("X-Requested-With") == PAGES_OWN_FETCH or "Origin" in request.headers
    return by_page or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"


def refuse_other_sites(path: str) -> None:
    """Forbidden for what another site's page sent, since the browser would send this site's cookie and
    password with it; its links to the page itself are followed.
    """
    if request.method in _READING and _says_another_site() and not _is_link(path):
        raise Forbidden(
            "Another site's page asked for this; open the dashboard's first page, and go on from there."
        )
    if request.method not in _READING and not _is_from_here():
        raise Forbidden(
            "This request came from another site; where it did not, let the proxy pass on the Host header, "
            "or send X-Forwarded-Host and be named in DASHBOARD_TRUSTED_PROXIES."
        )


def _says_another_site() -> bool:
    """Whether a browser says so; programs say nothing, nor does a browser for a plain-HTTP address other than
    this machine's.
    """
    return request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}


def _is_link(path: str) -> bool:
    return (
        request.method == "GET"
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and path in _LINKED_PATHS
    )


def _is_from_here() -> bool:
    """What the browser says of its page; programs say nothing, and carry no browser's cookies."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    return origin is None or _names_this_host(origin)


def _names_this_host(origin: str) -> bool:
    """Whether host and port are ours. The scheme is not compared, since a proxy that encrypts need not say
    so.
    """
    try:
        theirs = urlsplit(origin)
        ours = urlsplit(f"{theirs.scheme}://{request.headers.get('Host', '')}")
        default = _DEFAULT_PORTS.get(theirs.scheme)
        is_same = (theirs.hostname, theirs.port or default) == (ours.hostname, ours.port or default)
    except ValueError:
        return False
    return default is not None and bool(theirs.hostname) and is_same


def asked_address(prefix: str) -> str:
    """The path and query of the request as the browser knows them, whether or not a proxy took the prefix
    away.
    """
    query = request.query_string.decode("latin-1")
    return prefix + inner_path(prefix) + (f"?{query}" if query else "")


def inner_path(prefix: str) -> str:
    """The path of the request without the prefix below which the page is served."""
    path = request.path
    return path.removeprefix(prefix) or "/" if path == prefix or path.startswith(f"{prefix}/") else path


def address_on_this_site(address: str | None, prefix: str) -> str:
    """The address where it is a path below the prefix, else the first page; browsers read `//`, a backslash
    and control characters as another host.
    """
    first_page = f"{prefix}/"
    if address is None or not address.startswith(first_page) or re.search(r"[\x00-\x20\x7f\\]", address):
        return first_page
    path = address.partition("?")[0].partition("#")[0]
    is_login = path.removeprefix(prefix) in {"/login", "/logout"}
    return first_page if "//" in path or is_login else address
