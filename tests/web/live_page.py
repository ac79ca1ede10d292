"""The web page as a process: `.venv`'s Python, settings from its environment, stopped by SIGTERM."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import requests

from tests.web.two_tests import Sources

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv/bin/python"
QUICK = {"DASHBOARD_REFRESH_INTERVAL": "2", "SOURCE_TIMEOUT_SECONDS": "3", "AB_WINDOW": "1h"}
_START_SECONDS, _STOP_SECONDS = 30.0, 10.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LivePage:
    """A running page over these sources; a context manager. `stop` gives the exit code and what it wrote to stderr."""

    def __init__(self, sources: Sources, folder: Path, settings: Mapping[str, str]) -> None:
        self.sources, self.port = sources, free_port()
        self._log = folder / "stderr"
        plain = {"PATH": os.environ["PATH"], "HOME": str(folder), "DASHBOARD_PORT": str(self.port)}
        with self._log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [PYTHON, "-P", "-m", "live_dashboards", "web"],
                cwd=folder,
                env={**plain, **QUICK, **sources.environment, **settings},
                stdout=subprocess.PIPE,
                stderr=stderr,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def process_file(self, name: str) -> Path:
        """What the kernel tells of the process under that name."""
        return Path(f"/proc/{self._process.pid}/{name}")

    def get(self, path: str, **more: object) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=10, **more)  # type: ignore[arg-type]

    def wait(self, path: str = "healthz", status: int = 200) -> requests.Response:
        """Until that path is answered so."""
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                found = self.get(path)
                if found.status_code == status:
                    return found
            except requests.ConnectionError:
                found = None
            assert self._process.poll() is None, self.log
            assert time.monotonic() < until, (found, self.log)
            time.sleep(0.05)

    def wait_for_accuracy(self, percent: float) -> None:
        """Until the server itself shows that accuracy of the challenger."""
        until = time.monotonic() + _START_SECONDS
        while (found := self.get("api/v1/summary").json().get("enhanced_accuracy")) != percent:
            assert time.monotonic() < until, found
            time.sleep(0.1)

    def stop(self) -> tuple[int, str]:
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(_STOP_SECONDS)
        return code, self.log

    def __enter__(self) -> Self:
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
