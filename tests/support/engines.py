"""Which Prometheus, VictoriaMetrics and PostgreSQL the tests start: those that environment variables name, else the installed ones."""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from live_dashboards.demo.programs import POSTGRES_VARIABLE, PROMETHEUS_VARIABLE, MissingProgramError, postgres_programs, prometheus_program, server_program
from live_dashboards.settings import named_program

VICTORIA_METRICS_VARIABLE = "VICTORIA_METRICS_BINARY"
VARIABLES = (PROMETHEUS_VARIABLE, VICTORIA_METRICS_VARIABLE, POSTGRES_VARIABLE)


def victoria_metrics_program() -> Path:
    return server_program("VictoriaMetrics", "victoria-metrics", package="victoria-metrics", variable=VICTORIA_METRICS_VARIABLE)


def named_engines() -> dict[str, str]:
    """What a process needs of our environment to start the same engines as we do."""
    return {name: os.environ[name] for name in VARIABLES if name in os.environ}


def keep_engines() -> None:
    """What is named from the current folder stays named when a test goes elsewhere."""
    os.environ.update({name: str(path) for name in VARIABLES if (path := named_program(name)) is not None})


def engine_versions() -> dict[str, str]:
    """The version of each engine by its name; SettingsError where a variable names nothing usable."""
    found = {"Prometheus": _prometheus_version, "VictoriaMetrics": victoria_metrics_version, "PostgreSQL": _postgres_version}
    return {name: _or_missing(version) for name, version in found.items()}


def victoria_metrics_version() -> str:
    """From the changelog of the Debian package that it lies in, installed or only unpacked: as Debian builds it, the program itself does not know."""
    program = victoria_metrics_program()
    said = _said(program, "--version")
    changelog = program.resolve().parents[1] / "share/doc/victoria-metrics/changelog.Debian.gz"
    if said or not changelog.is_file():
        return said or "of unknown version"
    with gzip.open(changelog, "rt", encoding="utf-8") as text:
        return text.readline().partition("(")[2].partition("+")[0].partition("-")[0]


def _prometheus_version() -> str:
    return _said(prometheus_program(), "--version").split()[2].partition("+")[0]


def _postgres_version() -> str:
    return _said(postgres_programs() / "postgres", "--version").split()[2]


def _or_missing(version: Callable[[], str]) -> str:
    try:
        return version()
    except MissingProgramError:
        return "not installed"


def _said(program: Path, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=True)
    return (done.stdout or done.stderr).strip()
