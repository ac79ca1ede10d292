"""A server on loopback that answers questions to a source with any documents that a test invents."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self
from urllib.parse import unquote_plus


class InventedServer:
    """Answers each question with what `answer` makes of its path and parameters, at its `date`; a context manager."""

    def __init__(self) -> None:
        self.date: str | None = None  # of this machine's clock
        self.answer: Callable[[str], bytes] = lambda _: b"{}"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        invented = self

        class Handler(BaseHTTPRequestHandler):
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

            def log_message(self, *_: object) -> None:
                pass

        return Handler
