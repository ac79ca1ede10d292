"""Scripts and styles are sent compressed, each compressed once: the largest is 4.7 MB, and phones have slow lines."""

from __future__ import annotations

import gzip
import threading

from flask import Flask, Response, request

_PATHS = ("/_dash-component-suites/", "/assets/", "/_dash-layout", "/_dash-dependencies")
_SMALLEST_BYTES = 1024
_MOST_KEPT = 64


def install_compression(server: Flask) -> None:
    """Compresses what does not change between requests, for browsers that take it."""
    kept: dict[tuple[str, str], bytes] = {}
    lock = threading.Lock()

    def compress(response: Response) -> Response:
        if not _is_worth_it(response):
            return response
        response.direct_passthrough = False
        content = response.get_data()
        key = request.full_path, f"{len(content)}:{hash(content)}"
        with lock:
            body = kept.get(key)
        if body is None:
            body = gzip.compress(content, 6, mtime=0)
            with lock:
                if len(kept) < _MOST_KEPT:
                    kept[key] = body
        response.set_data(body)
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add("Vary", "Accept-Encoding")
        return response

    server.after_request(compress)


def _is_worth_it(response: Response) -> bool:
    takes_gzip = bool(request.accept_encodings.quality("gzip"))
    is_plain = response.status_code == 200 and "Content-Encoding" not in response.headers and (response.mimetype or "").endswith(("javascript", "css", "json", "svg+xml"))
    return takes_gzip and is_plain and request.path.startswith(_PATHS) and (response.content_length or _SMALLEST_BYTES) >= _SMALLEST_BYTES
