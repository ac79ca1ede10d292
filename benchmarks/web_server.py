"""The web page as a process under measurement: started, asked, its CPU time and memory read, stopped."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.browsers import LOOPBACK, Plan
from benchmarks.measuring import PRODUCT_PYTHON, ROOT, ProcessFailedError
from live_dashboards.demo.server_process import ServerProcess

_POLL_SECONDS = 0.02
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class WebServer:
    """One `live-dashboards web` on loopback."""

    port: int
    process_id: int

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and content, as they come over the line."""
        with closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=90)) as connection:
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def refreshes(self) -> int:
        """How often it has asked the sources so far."""
        return int(counter(self.get("/metrics")[1].decode(), "live_dashboards_refresh_duration_seconds_count"))

    def wait_for_refreshes(self, count: int) -> None:
        """Until it has asked so many times more; returns right after the last of them."""
        wanted, until = self.refreshes() + count, time.monotonic() + 60 + 30 * count
        while self.refreshes() < wanted:
            if time.monotonic() > until:
                raise ProcessFailedError(f"the sources were not asked {count} times in {60 + 30 * count} s")
            time.sleep(_POLL_SECONDS * 5)

    def cpu_seconds(self) -> float:
        """User and system time so far, with those of children that have ended."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / _TICKS_A_SECOND

    def resident_bytes(self) -> int:
        """Of the process and all that it has started."""
        return sum(int(Path(f"/proc/{number}/statm").read_text().split()[1]) * _PAGE_BYTES for number in _family(self.process_id))


@contextmanager
def web_server(environment: Mapping[str, str]) -> Iterator[WebServer]:
    """A server with these settings and no others, ready with its first page; it is ended with everything it started, also on Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="live-dashboards-benchmark-") as folder:
        own = {"PATH": os.defpath, "HOME": os.environ.get("HOME", folder), "PYTHONPATH": str(ROOT), **environment}
        page = ServerProcess("the web page", _command, folder=Path(folder), is_ready=_is_ready, environment=own)
        try:
            page.start()
            yield WebServer(page.port, page.process.pid)
        except OSError as error:
            code = page.process.poll()
            if code is None:
                raise
            raise ProcessFailedError(f"the web page ended with exit code {code}: {page.log[-2000:]}") from error
        finally:
            page.stop(signal.SIGTERM)


@contextmanager
def browsing(plan: Plan) -> Iterator[dict[str, Any]]:
    """Browsers that ask while the block runs; their figures are there when it is over."""
    figures: dict[str, Any] = {}
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.browsers", json.dumps(asdict(plan))], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        yield figures
        told, _ = process.communicate(timeout=plan.seconds + 60)
        if process.returncode:
            raise ProcessFailedError("the browsers failed")
        figures.update(json.loads(told))
    finally:
        process.kill()
        process.wait()


def browse(plan: Plan) -> dict[str, Any]:
    """The figures of browsers that had the machine to themselves and the server."""
    with browsing(plan) as figures:
        pass
    if figures["broken"]:
        raise ProcessFailedError(f"{figures['broken']} connections broke")
    return figures


def counter(text: str, name: str, *labels: str) -> float:
    """The sum of a metric's samples that carry all these labels, written as Prometheus writes them; a label may be a beginning."""
    found = [line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{")) and all(label in line for label in labels)]
    return sum(float(line.rpartition(" ")[2]) for line in found)


def _command(port: int) -> list[str]:
    return ["/usr/bin/env", f"DASHBOARD_PORT={port}", str(PRODUCT_PYTHON), "-m", "live_dashboards", "web"]


def _is_ready(port: int) -> bool:
    try:
        return WebServer(port, 0).get("/readyz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False  # not yet listening


def _family(process_id: int) -> list[int]:
    """The process and its descendants."""
    children = [int(number) for found in Path(f"/proc/{process_id}/task").glob("*/children") for number in found.read_text().split()]
    return [process_id, *(number for child in children for number in _family(child))]
