"""Exports the A/B test of the demo as a service would: each instance has its own `/<instance>/metrics`, until
SIGTERM.

Its counters begin at 0 when it starts, as those of a restarted service do. It remembers what it counted, some
13 MB a day: a sample, not a load generator.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from live_dashboards.demo.exporter import CONTENT_TYPE, exposition
from live_dashboards.demo.world import INSTANCES, World

_WORLD = World(time.time() // 1)
_INSTANCES = {f"/{instance.name}/metrics": instance for instance in INSTANCES}
_LOCK = threading.Lock()


def main() -> None:
    """Serves until it is told to stop."""
    parser = argparse.ArgumentParser(description="Exports the metrics of the demo's A/B test.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ThreadingHTTPServer((arguments.host, arguments.port), _Handler) as server:
        server.serve_forever(poll_interval=0.2)


class _Handler(BaseHTTPRequestHandler):
    timeout = 5  # a client that says nothing does not stay

    def do_GET(self) -> None:
        """Answer with the instance's metrics of this moment, or `ok` at /healthz."""
        instance = _INSTANCES.get(self.path)
        if self.path == "/healthz":
            self._answer(b"ok\n")
        elif instance is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            with _LOCK:
                text = exposition(_WORLD, instance, time.time())
            self._answer(text.encode())

    def _answer(self, content: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Scrapes are no news."""


if __name__ == "__main__":
    main()
