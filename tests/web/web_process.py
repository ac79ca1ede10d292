"""`live-dashboards web` as a process of its own, as an operator runs it."""

import http.client
import os
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

from tests.pipeline.command import closed_port
from tests.web.waiting import wait_until

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv/bin/python"


def start(folder, *, limit="", **settings):
    """The process, with nothing in its environment but these settings; what it says goes to two files in the folder. `limit` is what ulimit is given before."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), **settings}
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        command = [PYTHON, "-m", "live_dashboards", "web"]
        if limit:
            command = ["bash", "-c", f'ulimit {limit}; exec "$@"', "bash", *command]
        return subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)


class WebProcess:
    """A running page on a free port; a context manager that has said where it is."""

    def __init__(self, folder, *, limit="", **settings):
        self.port, self.folder, self._limit = closed_port(), folder, limit
        self._settings = {"DASHBOARD_PORT": str(self.port), **settings}

    def __enter__(self):
        self.process = start(self.folder, limit=self._limit, **self._settings)
        try:
            wait_until(lambda: "The page is at " in self.said or self.process.poll() is not None, "the page's address")
            assert self.process.poll() is None, self.said
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()

    @property
    def said(self):
        return (self.folder / "stderr").read_text()

    @property
    def printed(self):
        return (self.folder / "stdout").read_text()

    def get(self, path, source="127.0.0.1", context=None, body=None, **headers):
        """The answer with its status and headers, and its body; `context` asks over TLS, `source` is the client's address, a `body` is a form that is posted."""
        kind = {"timeout": 20, "source_address": (source, 0)}
        made = (
            http.client.HTTPConnection("127.0.0.1", self.port, **kind)
            if context is None
            else http.client.HTTPSConnection("localhost", self.port, context=context, **kind)
        )
        with closing(made) as connection:
            form = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}
            method = "GET" if body is None else "POST"
            connection.request(method, path, body, headers={**form, **{name.replace("_", "-"): value for name, value in headers.items()}})
            answer = connection.getresponse()
            return answer, answer.read()

    def terminate(self):
        """Seconds from SIGTERM to the end, and the exit code."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        return time.monotonic() - began, code
