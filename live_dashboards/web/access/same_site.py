"""What comes from this site and what stays on it: requests of its own pages and of programs, and the address
a login leads back to.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import request
from werkzeug.exceptions import Forbidden

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_LINKED_PATHS = frozenset({"/", "/login"})  # a link to the first page may lead on to the login
_DEFAULT_PORTS = {"http": 80, "https": 443}


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
