"""What every response has and what a refusal looks like: the security headers, by which a browser knows what
it may load, embed and remember, and one plain sentence, as a page or as JSON, without a trace of the program.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound

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

LARGEST_BODY_BYTES = 256_000
PAGES_OWN_FETCH = "live-dashboards"
_SENTENCES = {
    400: "This request cannot be understood.",
    404: "There is no such page here.",
    405: "This address does not take that kind of request.",
    413: "This request is larger than the 256 kB that are taken.",
    500: "Something went wrong here; the server's log says what.",
}
_PAGE = (
    '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><meta name="viewport" '
    'content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><title>{title}</title>'
    "<style>body {{ max-width: 40rem; margin: 15vh auto; padding: 0 1rem; font: 1rem/1.5 system-ui, "
    "sans-serif }}</style></head>"
    "\n<body><main><h1>{title}</h1><p>{sentence}</p></main></body>\n</html>\n"
)


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


def install_error_pages(server: Flask) -> None:
    """Answers every refusal and failure of the server with one sentence; bodies of more than 256 kB are
    refused.
    """
    from dash.exceptions import DependencyException, InvalidResourceError

    server.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES
    server.config["PROPAGATE_EXCEPTIONS"] = False
    server.register_error_handler(HTTPException, _told)
    # Dash's words for these name its packages
    for unknown_asset in (DependencyException, InvalidResourceError):
        server.register_error_handler(unknown_asset, lambda _: _told(NotFound()))


def wants_json() -> bool:
    """Whether a program asks rather than somebody who reads pages."""
    is_data = "/api/" in request.path or "/_dash-" in request.path or request.is_json
    return is_data or request.headers.get("X-Requested-With") == PAGES_OWN_FETCH or not _takes_pages()


def _takes_pages() -> bool:
    accepted = request.accept_mimetypes
    return bool(accepted.accept_html) or not accepted.accept_json


def _told(error: HTTPException) -> ResponseReturnValue:
    answer = error.get_response()
    if error.response is not None or error.code is None:
        return answer
    sentence = _sentence(error)
    if wants_json():
        answer.set_data(json.dumps({"error": sentence}) + "\n")
        answer.content_type = "application/json"
    else:
        answer.set_data(_PAGE.format(title=escape(error.name), sentence=escape(sentence)))
        answer.content_type = "text/html; charset=utf-8"
    return answer


def _sentence(error: HTTPException) -> str:
    """What whoever refused the request says about it, else what its code means."""
    is_own = error.description is not None and error.description != type(error).description
    if is_own and not isinstance(error, InternalServerError) and not isinstance(error, KeyError):
        return str(error.description)
    return _SENTENCES.get(error.code or 500, f"{error.name}.")
