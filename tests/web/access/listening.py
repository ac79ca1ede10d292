"""A site on a real waitress at a loopback port, as the product runs it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import flask
from waitress import wasyncore
from waitress.server import create_server

from tests.support.waiting import LONGEST_SECONDS


@contextmanager
def listening(server: flask.Flask) -> Iterator[int]:
    """The port at which the site answers meanwhile."""
    running = create_server(server, host="127.0.0.1", port=0, threads=2, ident=None, clear_untrusted_proxy_headers=False)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        yield running.effective_port
    finally:
        running.trigger.pull_trigger(lambda: wasyncore.close_all(running._map))  # in its own thread, else it may be waiting on what is closed
        thread.join(LONGEST_SECONDS)
        running.task_dispatcher.shutdown()


def ask(port: int, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[http.client.HTTPResponse, str]:
    """The answer's head and its text; an underscore in a header's name is a dash."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()
