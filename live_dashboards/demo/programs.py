"""Where the programs of the demo's servers are, what they are given of our environment, and what to install where they are not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from live_dashboards.errors import DashboardError

BARE_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}  # nothing of the caller's settings reaches a server; its messages are English
POSTGRES_PACKAGE = "postgresql"
PROMETHEUS_PACKAGE = "prometheus"
POSTGRES_VERSIONS = Path("/usr/lib/postgresql")  # where Debian and Ubuntu put each version's own programs


class MissingProgramError(DashboardError):
    """A server's program is not on this machine; `package` is the Debian and Ubuntu package that holds it."""

    def __init__(self, name: str, package: str) -> None:
        super().__init__(f"{name} is not installed; install it with: sudo apt-get install {package}")
        self.package = package


def postgres_programs() -> Path:
    """The folder that holds initdb and postgres: that of the PATH first, then the newest of the distribution's, which are not on the PATH."""
    on_path = shutil.which("initdb")
    own = [Path(on_path).resolve().parent] if on_path else []
    installed = sorted(POSTGRES_VERSIONS.glob("*/bin"), key=_version, reverse=True)
    for folder in (*own, *installed):
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise MissingProgramError("PostgreSQL", POSTGRES_PACKAGE)


def prometheus_program(name: str) -> Path:
    """Where `prometheus` or `promtool` is."""
    found = shutil.which(name)
    if found is None:
        raise MissingProgramError("Prometheus", PROMETHEUS_PACKAGE)
    return Path(found)


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())
