"""A VictoriaMetrics of our own that holds a known truth: the second engine that answers PromQL."""

from __future__ import annotations

import http.client
import itertools
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

from live_dashboards.demo.server_process import LOOPBACK, ServerProcess, make_work_folder, remove_work_folder
from tests.support.engines import victoria_metrics_program
from tests.support.prometheus_truth import PrometheusTruth
from tests.support.waiting import LONGEST_SECONDS

_LINES_AT_ONCE = 50_000


class VictoriaMetricsServer:
    """A running single-node VictoriaMetrics; a context manager. `url` is what PROMETHEUS_URL is set to.

    `latencyOffset` is 0: what was imported is seen at once, as by default only what is 30 s old is.
    """

    def __init__(self, *, prefix: str = "", flags: Sequence[str] = ()) -> None:
        self._prefix = prefix
        self._flags = tuple(flags)
        self._folder: Path | None = None
        self._server: ServerProcess | None = None

    @property
    def url(self) -> str:
        """The base URL, path prefix included."""
        assert self._server is not None
        return f"http://{LOOPBACK}:{self._server.port}{self._prefix}"

    @property
    def process_id(self) -> int | None:
        """The server's process, or none where it is not running."""
        return self._server.process_id if self._server is not None else None

    @property
    def folder(self) -> Path:
        """Where everything of this server lies, until it ends."""
        assert self._folder is not None
        return self._folder

    def fill(self, truth: PrometheusTruth) -> None:
        """Import every sample and wait until it can be found."""
        self.take(line for series in truth.series for line in series.lines())

    def take(self, lines: Iterable[str]) -> None:
        """Import lines of OpenMetrics text, a few megabytes at a time, and wait until they can be found."""
        for several in _parts(map(_in_milliseconds, lines)):
            assert self._ask("POST", "/api/v1/import/prometheus", "".join(several).encode()) == 204
        self.flush()

    def flush(self) -> None:
        """Make everything that was written findable, as happens each second."""
        assert self._ask("GET", "/internal/force_flush") == 200

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self._stop)
            self._folder = make_work_folder()
            self._server = ServerProcess("VictoriaMetrics", self._command, folder=self._folder, is_ready=self._is_ready)
            self._server.start()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.stop(signal.SIGINT)
        if self._folder is not None:
            remove_work_folder(self._folder)

    def _command(self, port: int) -> list[str]:
        own = {
            "storageDataPath": self.folder / "data",
            "httpListenAddr": f"{LOOPBACK}:{port}",
            "retentionPeriod": "10y",
            "search.latencyOffset": "0s",
            **dict.fromkeys(("search.maxQueryDuration", "search.maxQueueDuration"), f"{LONGEST_SECONDS:.0f}s"),
            "memory.allowedBytes": "256MB",
            "loggerLevel": "WARN",
            "http.pathPrefix": self._prefix,
        }
        return [str(victoria_metrics_program()), *(f"-{name}={value}" for name, value in own.items()), *self._flags]

    def _is_ready(self, port: int) -> bool:
        with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=2)) as connection:
            try:
                connection.request("GET", f"{self._prefix}/health")
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False  # not yet listening

    def _ask(self, method: str, path: str, body: bytes | None = None) -> int:
        assert self._server is not None
        with closing(http.client.HTTPConnection(LOOPBACK, self._server.port, timeout=LONGEST_SECONDS)) as connection:
            connection.request(method, self._prefix + path, body)
            return connection.getresponse().status


def _parts(lines: Iterator[str]) -> Iterator[list[str]]:
    while part := list(itertools.islice(lines, _LINES_AT_ONCE)):
        yield part


def _in_milliseconds(line: str) -> str:
    """A line of OpenMetrics as the older exposition format has it: its time in whole milliseconds."""
    rest, _, seconds = line.rstrip("\n").rpartition(" ")
    return f"{rest} {round(float(seconds) * 1000)}\n"
