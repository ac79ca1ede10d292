"""Stands before every request, and lets nobody past who may not see the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

from flask import g, redirect, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, MisdirectedRequest, Unauthorized
from werkzeug.wrappers import Response

from live_dashboards.web.access.addresses import is_loopback
from live_dashboards.web.access.credentials import Credentials
from live_dashboards.web.access.error_pages import PAGES_OWN_FETCH
from live_dashboards.web.access.policy import Mode, Policy
from live_dashboards.web.access.proxy import PASSED_ON
from live_dashboards.web.access.same_site import asked_address, inner_path, refuse_other_sites
from live_dashboards.web.access.session import logged_in_user

LOGIN_PATHS = ("/login", "/login.css", "/logout")


def guard(
    policy: Policy, credentials: Credentials, open_paths: Sequence[str]
) -> Callable[[], Response | None]:
    """What the server calls before each request, known path or not: an answer instead of the asked one, or
    None; `g.user` is who was let in.
    """
    login_paths = LOGIN_PATHS if policy.mode is Mode.PASSWORD else ()

    def check() -> Response | None:
        g.user = None
        path = inner_path(policy.path_prefix)
        if path in open_paths:
            return None
        if policy.is_loopback_only:
            _refuse_strangers()
        refuse_other_sites(path)
        if policy.mode is Mode.PROXY:
            g.user = _named_by_the_proxy(policy.user_header)
        elif policy.mode is Mode.PASSWORD:
            g.user = logged_in_user() or _sent_along(credentials)
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


def _sent_along(credentials: Credentials) -> str | None:
    """The user whose name and password a program sends with each request."""
    sent = request.authorization
    if sent is None or sent.type != "basic":
        return None
    username, password = sent.username or "", sent.password or ""
    return username if credentials.are_right_again(username, password, request.remote_addr or "") else None


def _ask_for_login(policy: Policy, path: str) -> Response:
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
