"""A small HTTP server on loopback that takes notifications, or misbehaves when told to."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from live_dashboards.outputs import webhook
from tests.support.loopback import LoopbackServer, Silent
from tests.support.waiting import LONGEST_SECONDS


class Receiver(LoopbackServer):
    """Keeps what was posted, as (path, headers, document); answers with the next of `statuses`, then with 200."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], Any]] = []
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.is_hanging = False
        self.delay_seconds = 0.0
        self._release = threading.Event()
        super().__init__(self._handler())

    @property
    def texts(self) -> list[str]:
        return [document["text"] for _, _, document in self.posts]

    def __exit__(self, *_: object) -> None:
        self._release.set()
        super().__exit__()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(Silent, BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append((self.path, dict(self.headers), json.loads(content)))
                if receiver.is_hanging:
                    receiver._release.wait(LONGEST_SECONDS)
                    return
                time.sleep(receiver.delay_seconds)
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

        return Handler


def wait_for_confirmation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliveries of this process wait for the receiver's answer as long as a busy machine needs."""
    for name in ("_CONNECT_SECONDS", "_ANSWER_SECONDS", "_ALL_SECONDS"):
        monkeypatch.setattr(webhook, name, LONGEST_SECONDS)
