"""Scripts and styles are sent compressed, each compressed once: the largest is 4.7 MB, and phones have slow
lines.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict

from flask import Flask, Response, request

_PATHS = ("/_dash-component-suites/", "/assets/", "/_dash-layout", "/_dash-dependencies")
_SMALLEST_BYTES = 1024
_MOST_KEPT_BYTES = 16_000_000


def install_compression(server: Flask) -> None:
    """Compresses what does not change between requests, for browsers that take it."""
    compressed = Compressed()

    def compress(response: Response) -> Response:
        if not _is_worth_it(response):
            return response
        response.direct_passthrough = False
        response.set_data(compressed.of(response.get_data()))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add("Vary", "Accept-Encoding")
        return response

    server.after_request(compress)


class Compressed:
    """The compressed form of contents, by the contents themselves: the same script has many addresses. What
    was asked for longest ago makes room.
    """

    def __init__(self, most_bytes: int = _MOST_KEPT_BYTES) -> None:
        self._most_bytes, self._kept_bytes = most_bytes, 0
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, content: bytes) -> bytes:
        """The content as gzip, compressed now or earlier."""
        key = hashlib.sha256(content).digest()
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        body = gzip.compress(content, 6, mtime=0)
        with self._lock:
            self._keep(key, body)
        return body

    def _keep(self, key: bytes, body: bytes) -> None:
        if key not in self._kept and len(body) <= self._most_bytes:
            self._kept[key] = body
            self._kept_bytes += len(body)
        while self._kept_bytes > self._most_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._kept_bytes -= len(dropped)


def _is_worth_it(response: Response) -> bool:
    takes_gzip = bool(request.accept_encodings.quality("gzip"))
    is_plain = (
        response.status_code == 200
        and "Content-Encoding" not in response.headers
        and (response.mimetype or "").endswith(("javascript", "css", "json", "svg+xml"))
    )
    return (
        takes_gzip
        and is_plain
        and request.path.startswith(_PATHS)
        and (response.content_length or _SMALLEST_BYTES) >= _SMALLEST_BYTES
    )
