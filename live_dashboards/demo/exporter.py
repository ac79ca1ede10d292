"""The demo's exporter: an HTTP server on loopback where each instance of the world has its own
`/<instance>/metrics`, as pods have.
"""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Self

from live_dashboards.demo.exposition import CONTENT_TYPE, exposition
from live_dashboards.demo.server_process import LOOPBACK
from live_dashboards.demo.world import INSTANCES, Instance, World


class Exporter:
    """A running exporter of the world as it is now; a context manager."""

    def __init__(self, world: World) -> None:
        self._server = _Server(world)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{LOOPBACK}:{self._server.server_port}"

    @staticmethod
    def path(instance: Instance) -> str:
        """Where the instance's metrics are."""
        return f"/{instance.name}/metrics"

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for the answers under way

    def __init__(self, world: World) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.world = world
        self.lock = threading.Lock()
        self.instances = {Exporter.path(instance): instance for instance in INSTANCES}

    def server_bind(self) -> None:
        """Bind without asking a name server for this address' name, as HTTPServer does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.socket.getsockname()[1]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5  # a client that says nothing does not hold up the end

    def do_GET(self) -> None:
        """Answer with the instance's metrics of this moment."""
        instance = self.server.instances.get(self.path)
        if instance is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with self.server.lock:
            content = exposition(self.server.world, instance, time.time()).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Scrapes are no news."""
