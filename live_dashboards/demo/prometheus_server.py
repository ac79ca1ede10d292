"""A Prometheus of our own for as long as it is wanted: back-filled history, scrape targets, free loopback
port, gone afterwards.
"""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from live_dashboards.demo.interrupts import uninterrupted
from live_dashboards.demo.programs import prometheus_program, promtool_program
from live_dashboards.demo.server_process import LOOPBACK, ServerProcess, run_program
from live_dashboards.demo.work_folder import make_work_folder, remove_work_folder

LONG_BLOCK = "240h"  # promtool reads the whole text once a block: long blocks make a long history cheap


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """Where one instance is scraped (`host:port` and path), and the label `instance` its series get."""

    address: str
    instance: str
    path: str = "/metrics"


class PrometheusServer:
    """A running Prometheus; a context manager. `backfill` comes before `start`.

    `scrape` names the targets of each job; `flags` are added to the command line; a `--web.external-url` with
    a path moves `url` there.
    """

    def __init__(
        self,
        *,
        scrape: Mapping[str, Sequence[ScrapeTarget]] | None = None,
        scrape_interval_seconds: int = 5,
        retention: str = "10y",
        flags: Sequence[str] = (),
        configuration: Mapping[str, object] | None = None,
    ) -> None:
        self.host = LOOPBACK
        self._configuration = {
            **_configuration(scrape or {}, scrape_interval_seconds),
            **(configuration or {}),
        }
        self._retention = retention
        self._flags = tuple(flags)
        self._folder: Path | None = None
        self._server: ServerProcess | None = None

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1."""
        if self._server is None:
            raise RuntimeError("the server is not running")
        return self._server.port

    @property
    def url(self) -> str:
        """The base URL, path prefix included."""
        return f"http://{self.host}:{self.port}{self._prefix}"

    @property
    def folder(self) -> Path:
        """Where everything of this server lies (data, configuration, log), until `stop`."""
        if self._folder is None:
            with uninterrupted():
                self._folder = make_work_folder()
        return self._folder

    @property
    def process_id(self) -> int | None:
        """The server's main process, or none where it is not running."""
        return self._server.process_id if self._server is not None else None

    def backfill(self, text: Path, *, block: str = LONG_BLOCK) -> None:
        """Turn an OpenMetrics text into blocks of this server, which must not run yet."""
        if self._server is not None:
            raise RuntimeError("the server is already running")
        tool = promtool_program()
        run_program(
            [
                tool,
                "tsdb",
                "create-blocks-from",
                f"--max-block-duration={block}",
                "--quiet",
                "openmetrics",
                text.resolve(),
                self._data,
            ],
            folder=self.folder,
        )

    def start(self) -> Self:
        """Start and wait until it answers queries; what was begun is taken away again when that fails or is
        interrupted.
        """
        with ExitStack() as undo:
            undo.callback(self.stop)
            program = prometheus_program()
            self._data.mkdir(exist_ok=True)
            # JSON is YAML
            (self.folder / "prometheus.yml").write_text(json.dumps(self._configuration), encoding="utf-8")
            self._server = ServerProcess(
                "Prometheus",
                lambda port: self._command(program, port),
                folder=self.folder,
                is_ready=self._is_ready,
            )
            self._server.start()
            undo.pop_all()
        return self

    def stop(self) -> None:
        """Stop the server and remove its folder; harmless where there is none."""
        if self._server is not None:
            self._server.stop(signal.SIGTERM)
            self._server = None
        if self._folder is not None:
            remove_work_folder(self._folder)
            self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _prefix(self) -> str:
        urls = [flag.partition("=")[2] for flag in self._flags if flag.startswith("--web.external-url=")]
        return "/" + urls[-1].split("/", 3)[3].strip("/") if urls and urls[-1].count("/") > 2 else ""

    def _command(self, program: Path, port: int) -> list[str]:
        own = {
            "config.file": self.folder / "prometheus.yml",
            "storage.tsdb.path": self._data,
            "storage.tsdb.retention.time": self._retention,
            "web.listen-address": f"{LOOPBACK}:{port}",
            "log.level": "warn",
        }
        return [str(program), *(f"--{name}={value}" for name, value in own.items()), *self._flags]

    def _is_ready(self, port: int) -> bool:
        with closing(http.client.HTTPConnection(self.host, port, timeout=2)) as connection:
            try:
                connection.request("GET", f"{self._prefix}/-/ready")
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return False  # not yet listening
        return status in {200, 400, 401}  # a server that wants TLS (400) or a login (401) is up


def _configuration(scrape: Mapping[str, Sequence[ScrapeTarget]], interval_seconds: int) -> dict[str, object]:
    interval = f"{interval_seconds}s"
    jobs = [
        {"job_name": job, "static_configs": [_target(target) for target in targets]}
        for job, targets in scrape.items()
    ]
    return {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": "1m"},
        "scrape_configs": jobs,
    }


def _target(target: ScrapeTarget) -> dict[str, object]:
    return {
        "targets": [target.address],
        "labels": {"instance": target.instance, "__metrics_path__": target.path},
    }
