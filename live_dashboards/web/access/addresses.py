"""Addresses of clients and servers: which of them are this machine, and which lie in named networks.

The X-Forwarded headers and the user header are believed from trusted proxies, and removed from everybody
else's requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Address = IPv4Address | IPv6Address
_LONGEST_CHARACTERS = 64  # the longest address with brackets and a port has 47

PASSED_ON = "X-Passed-On-By-Unknown-Proxy"  # who sends it himself is refused for it, and wins nothing
_DONE = "live_dashboards.proxies_seen"
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def parse_address(text: str) -> Address | None:
    """The IP address in a text, perhaps with a port behind it or brackets around it; None where there is
    none.
    """
    if len(text) > _LONGEST_CHARACTERS:
        return None
    written = text.strip().strip('"')
    address = _parsed(written) or _parsed(_without_port(written))
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _parsed(written: str) -> Address | None:
    try:
        # the name of an interface is no part of an address
        return ip_address(written) if "%" not in written else None
    except ValueError:
        return None


def _without_port(written: str) -> str:
    """What lies before the port or between the brackets; nothing where that is not how an address is written.
    An IPv6 address with a port needs brackets.
    """
    if written.startswith("["):
        address, _, port = written[1:].partition("]")
        return address if not port or _is_port(port) else ""
    address, colon, port = written.partition(":")
    return address if _is_port(colon + port) else ""


def _is_port(written: str) -> bool:
    digits = written.removeprefix(":")
    return digits != written and len(digits) <= 5 and digits.isascii() and digits.isdigit()


def is_within(text: str, networks: Sequence[str]) -> bool:
    """Whether the text is an address in one of the networks."""
    address = parse_address(text)
    return address is not None and any(address in ip_network(network) for network in networks)


def is_loopback(text: str) -> bool:
    """Whether an address or a Host header (a port may follow) names this machine itself."""
    address = parse_address(text)
    if address is not None:
        return address.is_loopback
    return re.fullmatch(r"localhost(?::[0-9]{1,5})?", text.strip(), re.IGNORECASE) is not None


def neighbourhood(text: str) -> str:
    """What one client cannot help sharing: an IPv4 address, or the /64 network of an IPv6 one, in which it
    can choose its address freely.
    """
    address = parse_address(text)
    return (
        str(ip_network((address, 64), strict=False))
        if isinstance(address, IPv6Address)
        else str(address or "unknown")
    )


class TrustedProxies:
    """A WSGI application around another, which then sees client, scheme and host as the nearest trusted
    proxies saw them.
    """

    def __init__(self, app: WSGIApplication, trusted: Sequence[str], user_header: str) -> None:
        self._app, self._trusted = app, tuple(trusted)
        self._user_key = "HTTP_" + user_header.upper().replace("-", "_")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The inner application's answer to the request as it really came; it has the header PASSED_ON where
        a proxy that nobody trusts says that it passed it on.
        """
        if _DONE not in environ:
            environ[_DONE] = True
            if is_within(environ.get("REMOTE_ADDR", ""), self._trusted):
                self._apply(environ)
            else:
                self._remove(environ)
        return self._app(environ, start_response)

    def _remove(self, environ: WSGIEnvironment) -> None:
        claims = [
            key
            for key in environ
            if key.startswith("HTTP_X_FORWARDED_")
            or key in {"HTTP_FORWARDED", "HTTP_X_REAL_IP", self._user_key}
        ]
        if claims or "HTTP_VIA" in environ:
            environ["HTTP_" + PASSED_ON.upper().replace("-", "_")] = "yes"
        for key in claims:
            del environ[key]

    def _apply(self, environ: WSGIEnvironment) -> None:
        chain = _parts(environ, "HTTP_X_FORWARDED_FOR")
        passed_count = self._passed_count(chain)
        client = parse_address(chain[-passed_count]) if passed_count else None
        if client is not None:
            environ["REMOTE_ADDR"] = str(client)
            environ.pop("REMOTE_HOST", None)
        scheme = _part_of_the_outermost(environ, "HTTP_X_FORWARDED_PROTO", passed_count).lower()
        if scheme in {"http", "https"}:
            environ["wsgi.url_scheme"] = scheme
        host = _part_of_the_outermost(environ, "HTTP_X_FORWARDED_HOST", passed_count)
        if _HOST.fullmatch(host):
            environ["HTTP_HOST"] = host

    def _passed_count(self, chain: Sequence[str]) -> int:
        """How many entries, from the right, trusted proxies wrote: up to the first address that is no trusted
        proxy's.
        """
        for count, entry in enumerate(reversed(chain), start=1):
            if parse_address(entry) is None:
                return count - 1
            if not is_within(entry, self._trusted):
                return count
        return len(chain)


def _parts(environ: WSGIEnvironment, key: str) -> list[str]:
    return [part.strip() for part in environ.get(key, "").split(",") if part.strip()]


def _part_of_the_outermost(environ: WSGIEnvironment, key: str, passed_count: int) -> str:
    """What the outermost trusted proxy wrote, where each adds to the list; what lies left of it, anybody may
    have written.
    """
    parts = _parts(environ, key)
    return parts[-min(max(passed_count, 1), len(parts))] if parts else ""
