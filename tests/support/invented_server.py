"""A server on loopback that answers questions to a source with any documents that a test invents."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote_plus

from tests.support.loopback import LoopbackServer, Silent


class InventedServer(LoopbackServer):
    """Answers each question with what `answer` makes of its path and parameters, at its `date`; a context manager."""

    def __init__(self) -> None:
        self.date: str | None = None  # of this machine's clock
        self.answer: Callable[[str], bytes] = lambda _: b"{}"
        super().__init__(self._handler())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        invented = self

        class Handler(Silent, BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet, else the second one waits for an acknowledgement

            def do_GET(self) -> None:
                asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = invented.answer(unquote_plus(f"{self.path} {asked.decode()}"))
                self.send_response_only(200)
                self.send_header("Date", invented.date or self.date_time_string())
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 # the name that http.server calls

        return Handler
