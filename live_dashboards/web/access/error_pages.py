"""What a refusal or a failure looks like: one plain sentence, as a page or as JSON, without a trace of the
program.
"""

from __future__ import annotations

import json
from html import escape

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound

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
