"""Where the programs of the demo's servers are, what they are given of our environment, and what to install
where they are not.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from live_dashboards.errors import DashboardError, SettingsError
from live_dashboards.settings import named_program

# nothing of the caller's settings reaches a server; its messages are English
BARE_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
POSTGRES_PACKAGE = "postgresql"
PROMETHEUS_PACKAGE = "prometheus"
POSTGRES_VARIABLE = "POSTGRES_BIN"
PROMETHEUS_VARIABLE = "PROMETHEUS_BINARY"
POSTGRES_VERSIONS = Path("/usr/lib/postgresql")  # where Debian and Ubuntu put each version's own programs


class MissingProgramError(DashboardError):
    """A server's program is not on this machine; `package` is the Debian and Ubuntu package that holds it."""

    def __init__(self, name: str, package: str) -> None:
        super().__init__(f"{name} is not installed; install it with: sudo apt-get install {package}")
        self.package = package


def postgres_programs() -> Path:
    """The folder that holds initdb and postgres: what POSTGRES_BIN names, else that of the PATH, else the
    newest of the distribution's, which are not on the PATH.

    MissingProgramError where there is none; SettingsError where POSTGRES_BIN names another folder.
    """
    named = named_program(POSTGRES_VARIABLE)
    if named is not None:
        if not _holds_postgres(named):
            raise SettingsError(
                f"{POSTGRES_VARIABLE} is {str(named)!r}, but must be a folder that holds "
                f"initdb and postgres, such as {POSTGRES_VERSIONS}/17/bin"
            )
        return named
    on_path = shutil.which("initdb")
    own = [Path(on_path).resolve().parent] if on_path else []
    installed = sorted(POSTGRES_VERSIONS.glob("*/bin"), key=_version, reverse=True)
    for folder in (*own, *installed):
        if _holds_postgres(folder):
            return folder
    raise MissingProgramError("PostgreSQL", POSTGRES_PACKAGE)


def prometheus_program() -> Path:
    """Where Prometheus is: what PROMETHEUS_BINARY names, else the installed one; MissingProgramError,
    SettingsError where there is none.
    """
    return server_program(
        "Prometheus", "prometheus", package=PROMETHEUS_PACKAGE, variable=PROMETHEUS_VARIABLE
    )


def promtool_program() -> Path:
    """The promtool beside the Prometheus that PROMETHEUS_BINARY names, which writes what that one reads; else
    the installed one.
    """
    named = named_program(PROMETHEUS_VARIABLE)
    if named is not None:
        beside = prometheus_program().with_name("promtool")
        if is_program(beside):
            return beside
    return _installed("Prometheus", "promtool", PROMETHEUS_PACKAGE)


def server_program(name: str, program: str, *, package: str, variable: str) -> Path:
    """What the environment variable names, else the program of that name on the PATH; MissingProgramError,
    SettingsError where there is none.
    """
    named = named_program(variable)
    if named is None:
        return _installed(name, program, package)
    if not is_program(named):
        raise SettingsError(
            f"{variable} is {str(named)!r}, but must be the path of a program, such as /usr/bin/{program}"
        )
    return named


def is_program(path: Path) -> bool:
    """Whether it is a file that may be run."""
    return path.is_file() and os.access(path, os.X_OK)


def _installed(name: str, program: str, package: str) -> Path:
    found = shutil.which(program)
    if found is None:
        raise MissingProgramError(name, package)
    return Path(found)


def _holds_postgres(folder: Path) -> bool:
    return is_program(folder / "initdb") and is_program(folder / "postgres")


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())
