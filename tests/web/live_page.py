"""The web page as a process: `.venv`'s Python, settings from its environment, stopped by SIGTERM."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import requests

from live_dashboards.demo.server_process import ServerProcess
from tests.support.waiting import LONGEST_SECONDS, wait_until
from tests.web.two_tests import Sources

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv/bin/python"
# An answer is shown for as long as a busy machine needs to give the next one, but in tests of what is too old.
QUICK = {"DASHBOARD_REFRESH_INTERVAL": "2", "DASHBOARD_STALE_AFTER_SECONDS": f"{LONGEST_SECONDS:g}", "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}", "AB_WINDOW": "1h"}


class LivePage:
    """A running page over these sources; a context manager. `stop` gives the exit code and what it wrote to stderr."""

    def __init__(self, sources: Sources, folder: Path, settings: Mapping[str, str]) -> None:
        self.sources = sources
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **QUICK, **sources.environment, **settings}
        self._server = ServerProcess("web page", _command, folder=folder, is_ready=lambda _: self._is_healthy(), environment=environment)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def log(self) -> str:
        return self._server.log

    def process_file(self, name: str) -> Path:
        """What the kernel tells of the process under that name."""
        return Path(f"/proc/{self._server.process_id}/{name}")

    def get(self, path: str, **more: object) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=LONGEST_SECONDS, **more)  # type: ignore[arg-type]

    def wait(self, path: str = "readyz", status: int = 200) -> requests.Response:
        """Until that path is answered so."""
        return wait_until(lambda: self._answer(path, status), f"{status} at {path}")

    def wait_for_accuracy(self, percent: float) -> None:
        """Until the server itself shows that accuracy of the challenger."""
        wait_until(lambda: self.get("api/v1/summary").json().get("enhanced_accuracy") == percent, f"an accuracy of {percent} %")

    def stop(self) -> tuple[int, str]:
        self._server.process.send_signal(signal.SIGTERM)
        return self._server.process.wait(LONGEST_SECONDS), self.log

    def _answer(self, path: str, status: int) -> requests.Response | None:
        assert self._server.process.poll() is None, self.log
        answer = self.get(path)
        return answer if answer.status_code == status else None

    def _is_healthy(self) -> bool:
        try:
            return self.get("healthz").status_code == 200
        except requests.ConnectionError:
            return False

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(signal.SIGTERM)


def _command(port: int) -> list[str]:
    return ["/usr/bin/env", f"DASHBOARD_PORT={port}", str(PYTHON), "-P", "-m", "live_dashboards", "web"]
