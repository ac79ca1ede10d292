"""A reverse proxy on loopback that lets in who sends the right Authorization, and keeps paths shut, as one stands before many a server."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType

from tests.support.loopback import LoopbackServer, Silent
from tests.support.waiting import LONGEST_SECONDS


class Doorman(LoopbackServer):
    """Stands before (host, port); answers 401 to any other Authorization than `wanted`, 503 at paths with a part of `shut`, and speaks TLS with a context.

    `alter` makes another body of (path, what was sent, the server's body), as late as it likes. `refuse` gives status and headers of a refusal to
    (path, what was sent), or None where the question may pass.
    """

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        self.wanted: str | None = None
        self.shut: tuple[str, ...] = ()
        self.alter: Callable[[str, bytes, bytes], bytes] = lambda _path, _sent, body: body
        self.refuse: Callable[[str, bytes], tuple[int, dict[str, str]] | None] = lambda _path, _sent: None
        self._target = (host, port)
        super().__init__(self._handler(), tls=tls)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        doorman = self

        class Handler(Silent, BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Authorization") != doorman.wanted:
                    self._answer(401, "text/plain", b"Unauthorized")
                    return
                if any(part in self.path for part in doorman.shut):
                    self._answer(503, "text/plain", b"shut")
                    return
                refusal = doorman.refuse(self.path, content)
                if refusal is not None:
                    self._answer(refusal[0], "text/plain", b"not now", refusal[1])
                    return
                server = http.client.HTTPConnection(*doorman._target, timeout=LONGEST_SECONDS)
                server.request(self.command, self.path, content, {"Content-Type": self.headers.get("Content-Type", "")})
                answer = server.getresponse()
                self._answer(answer.status, answer.getheader("Content-Type", ""), doorman.alter(self.path, content, answer.read()))
                server.close()

            do_POST = do_GET  # noqa: N815 # the name that http.server calls

            def _answer(self, status: int, kind: str, body: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                with suppress(ConnectionError):  # the client did not wait
                    self.end_headers()
                    self.wfile.write(body)

        return Handler
