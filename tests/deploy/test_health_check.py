"""The image's health check asks where the page is, and tells every failure in one line."""

import runpy
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.deploy.files import DEPLOY
from tests.support.waiting import LONGEST_SECONDS

main = runpy.run_path(str(DEPLOY / "docker/healthcheck.py"))["main"]


@pytest.fixture
def page(monkeypatch):
    """A page on loopback, given time, that keeps the paths it was asked for, and answers what `line` and `body` say."""

    class Handler(BaseHTTPRequestHandler):
        line, body, asked = b"HTTP/1.0 200 OK", b'{"status": "ok"}', []

        def do_GET(self):
            self.asked.append(self.path)
            self.wfile.write(self.line + b"\r\n\r\n" + self.body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        monkeypatch.setenv("DASHBOARD_PORT", str(server.server_port))
        monkeypatch.setitem(main.__globals__, "_TIMEOUT_SECONDS", LONGEST_SECONDS)
        yield Handler
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("prefix", ["", "/", "ab-test", "/ab-test", "ab-test/", "/ab//test/"])
def test_it_asks_below_the_prefix_however_its_slashes_are_set(page, monkeypatch, prefix):
    monkeypatch.setenv("DASHBOARD_PATH_PREFIX", prefix)
    assert main() == 0
    below = {"": "", "/": "", "/ab//test/": "/ab/test"}.get(prefix, "/ab-test")
    assert page.asked[-1] == f"{below}/healthz"


@pytest.mark.parametrize(
    ("line", "body"), [(b"SSH-2.0-OpenSSH_9.2", b""), (b"HTTP/1.0 503 no", b""), (b"HTTP/1.0 200 OK", b'{"status": "no"}'), (b"HTTP/1.0 200 OK", b"x")]
)
def test_every_other_answer_is_one_line_and_exit_code_1(page, capsys, line, body):
    page.line, page.body = line, body
    assert main() == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_port_that_is_none_is_one_line_and_exit_code_1(monkeypatch, capsys):
    monkeypatch.setenv("DASHBOARD_PORT", "80 50")
    assert main() == 1
    assert capsys.readouterr().err.count("\n") == 1
