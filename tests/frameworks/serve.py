"""One framework in an environment of its own, served on loopback ports until it is no longer wanted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from live_dashboards.demo.programs import BARE_ENVIRONMENT
from live_dashboards.demo.server_process import LOOPBACK, ServerProcess, hold_port
from tests.frameworks.known import Framework
from tests.frameworks.load import session

HERE = Path(__file__).parent
SERVING, REQUIREMENTS = HERE / "serving", HERE / "requirements"
_STAMP = "requirements.txt"
_QUIET = {"BENTOML_DO_NOT_TRACK": "True", "RAY_USAGE_STATS_ENABLED": "0", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True, slots=True)
class Served:
    """Where a running framework is asked, and where it is scraped."""

    url: str
    metrics_address: str

    def is_up(self) -> bool:
        """Whether it tells its metrics and takes requests; that it knows its models by then is not said."""
        try:
            session().get(self.url, timeout=10)
        except requests.RequestException:
            return False
        return bool(self.metrics())

    def metrics(self) -> str:
        """The exposition as it is now; empty where nothing answers yet."""
        try:
            answer = session().get(f"http://{self.metrics_address}/metrics", timeout=10)
        except requests.RequestException:
            return ""
        return answer.text if answer.ok else ""


def environment_of(framework: Framework) -> Path:
    """The Python of the framework's environment, made where there is none with these requirements yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "live-dashboards-frameworks"
    folder, wanted = cache / f"{framework.name}-{framework.version}", REQUIREMENTS / f"{framework.name}.txt"
    stamp, python = folder / _STAMP, folder / "bin" / "python"
    if not stamp.exists() or stamp.read_bytes() != wanted.read_bytes():
        sys.stderr.write(f"{framework.name}: making {folder.name}\n")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", wanted], check=True)
        stamp.write_bytes(wanted.read_bytes())
    return python


@contextmanager
def served(framework: Framework) -> Iterator[Served]:
    """The framework with both variants, once it tells its metrics."""
    python = environment_of(framework)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frameworks-", ignore_cleanup_errors=True)))
        held = [stack.enter_context(closing(hold_port())) for _ in range(2)]
        metrics_port, third_port = (each.getsockname()[1] for each in held)
        environment = {**BARE_ENVIRONMENT, **_QUIET, "HOME": str(folder), "TMPDIR": str(folder), "PYTHONPATH": str(SERVING), "LC_ALL": "C.UTF-8"}
        environment["PATH"] = f"{python.parent}:{environment['PATH']}"
        server = ServerProcess(
            framework.name,
            lambda port: [str(python), str(SERVING / framework.program), str(port), str(metrics_port), str(third_port)],
            folder=folder,
            is_ready=lambda port: _served(framework, port, metrics_port).is_up(),
            environment=environment,
        )
        server.start()
        stack.callback(server.stop, signal.SIGINT, signal.SIGTERM)  # at which they end their workers, which have sessions of their own
        try:
            yield _served(framework, server.port, metrics_port)
        except BaseException:
            sys.stderr.write("\n".join(server.log.splitlines()[-20:]) + "\n")
            raise


def _served(framework: Framework, port: int, metrics_port: int) -> Served:
    return Served(f"http://{LOOPBACK}:{port}", f"{LOOPBACK}:{metrics_port if framework.own_metrics_port else port}")


def wait_until(is_so: Callable[[], bool], seconds: float) -> bool:
    """Whether it became so within that time."""
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.5)
    return True
