"""`live-dashboards web` as a process of its own, as an operator runs it."""

import http.client
import os
import signal
import subprocess
from contextlib import closing
from pathlib import Path

from live_dashboards.demo.server_process import ServerProcess
from tests.support.pace import ends_within
from tests.support.waiting import LONGEST_SECONDS

ROOT = Path(__file__).parents[2]
PYTHON = str(ROOT / ".venv/bin/python")
COMMAND = [PYTHON, "-m", "live_dashboards", "web"]
END_SECONDS = 5.0  # from SIGTERM to the end


def start(folder, **settings):
    """The process, with nothing in its environment but these settings; what it says goes to two files in the folder."""
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        return subprocess.Popen(COMMAND, cwd=folder, env=environment_of(folder, settings), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)


def environment_of(folder, settings):
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), **settings}


class WebProcess:
    """A running page on a free port; a context manager that has said where it is. `constants` are the package's own, such as "web.connections._JOIN_SECONDS"."""

    def __init__(self, folder, *, limit="", constants=None, **settings):
        self.folder, self._limit = folder, limit
        self._command_line = with_constants(constants) if constants else COMMAND
        environment = environment_of(folder, settings)
        self._server = ServerProcess("web page", self._command, folder=folder, is_ready=lambda _: "The page is at " in self.said, environment=environment)

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop()

    @property
    def port(self):
        return self._server.port

    @property
    def process(self):
        return self._server.process

    @property
    def said(self):
        """What it wrote to stderr."""
        return self._server.log

    @property
    def printed(self):
        """What it wrote to stdout."""
        return (self.folder / "stdout").read_text()

    def get(self, path, source="127.0.0.1", context=None, body=None, **headers):
        """The answer with its status and headers, and its body; `context` asks over TLS, `source` is the client's address, a `body` is a form that is posted."""
        kind = {"timeout": LONGEST_SECONDS, "source_address": (source, 0)}
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
        """The exit code after SIGTERM, which comes soon."""
        with ends_within(END_SECONDS):
            self.process.send_signal(signal.SIGTERM)
            return self.process.wait(LONGEST_SECONDS)

    def _command(self, port):
        """`limit` is what ulimit is given before."""
        limit = f"ulimit {self._limit};" if self._limit else ""
        return ["/usr/bin/env", f"DASHBOARD_PORT={port}", "bash", "-c", f'{limit} exec "$@" >stdout', "bash", *self._command_line]


def with_constants(constants):
    """The same command in a process where these constants have other values."""
    changed = [f"import live_dashboards.{name.rpartition('.')[0]}; live_dashboards.{name} = {value!r}" for name, value in constants.items()]
    return [PYTHON, "-c", "; ".join(("import sys", *changed, "from live_dashboards.app.cli import main", "sys.exit(main(['web']))"))]
