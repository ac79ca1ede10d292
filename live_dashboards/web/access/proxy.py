"""Believes the X-Forwarded headers and the user header of trusted proxies, and removes them from everybody
else's requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from live_dashboards.web.access.addresses import is_within, parse_address

PASSED_ON = "X-Passed-On-By-Unknown-Proxy"  # who sends it himself is refused for it, and wins nothing
_DONE = "live_dashboards.proxies_seen"
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


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
