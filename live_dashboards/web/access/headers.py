"""The security headers of every answer: what a browser may load, embed and remember."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask

_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
    "blob:; font-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
}
_UNLESS_SET = {"Cache-Control": "no-store"}
_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}

Headers = list[tuple[str, str]]


def install_headers(server: Flask, csp_hashes: Callable[[], Sequence[str]], *, is_tls: bool) -> None:
    """Puts the headers on every answer of the server, whatever went wrong in making it; `csp_hashes` gives
    the quoted hashes of the page's inline scripts.
    """
    inner: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]] = server.wsgi_app

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: Headers, *failure: Any) -> Callable[[bytes], object]:
            over_tls = is_tls or environ["wsgi.url_scheme"] == "https"
            return start_response(
                status, _secured(headers, content_security_policy(csp_hashes()), over_tls=over_tls), *failure
            )

        return inner(environ, start)

    server.wsgi_app = answer  # type: ignore[method-assign]  # as Flask's own documentation puts middleware around an application


def content_security_policy(hashes: Sequence[str]) -> str:
    """The policy: everything from this site, inline scripts only by their hash; Dash and Plotly need inline
    styles.
    """
    return _POLICY.format(scripts=" ".join(("'self'", *hashes)))


def _secured(headers: Headers, policy: str, *, over_tls: bool) -> Headers:
    """The headers with ours in the place of the same ones, and without the name of the server's software."""
    ours = {"Content-Security-Policy": policy, **_ALWAYS, **(_OVER_TLS if over_tls else {})}
    replaced = {name.lower() for name in ours} | {"server", "x-powered-by"}
    kept = [(name, value) for name, value in headers if name.lower() not in replaced]
    names = {name.lower() for name, _ in kept}
    return [
        *kept,
        *ours.items(),
        *((name, value) for name, value in _UNLESS_SET.items() if name.lower() not in names),
    ]
