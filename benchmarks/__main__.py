"""`python -m benchmarks`: measures the parts that are asked for and prints their sections as Markdown."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys

from benchmarks import ab_command, counts, engines, mlflow_queries, mlflow_ways, prometheus_queries, scale, web_load
from benchmarks.measuring import MLFLOW_PYTHON, PRODUCT_PYTHON
from live_dashboards.demo.programs import postgres_programs, prometheus_program

PARTS = ("command", "prometheus", "mlflow", "ways", "web", "scale", "engines", "counts")


def main() -> None:
    """Each part's section is printed as soon as it is measured."""
    parser = argparse.ArgumentParser(prog="benchmarks/run.sh", description="Measures ratios in one run; ten million metric rows take most of the time.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="pairs of each comparison (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="at most one million metric rows")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.parts) - set(PARTS))
    if unknown:
        parser.error(f"{unknown[0]!r} is none of {', '.join(PARTS)}")
    sizes = mlflow_queries.QUICK_SIZES if arguments.quick else mlflow_queries.SIZES
    measures = {
        "command": lambda: ab_command.measure(arguments.rounds),
        "prometheus": lambda: prometheus_queries.measure(arguments.rounds),
        "mlflow": lambda: mlflow_queries.measure(arguments.rounds, sizes),
        "ways": lambda: mlflow_ways.measure(arguments.rounds),
        "web": lambda: web_load.measure(arguments.rounds),
        "scale": lambda: scale.measure(arguments.rounds, sizes),
        "engines": engines.measure,
        "counts": lambda: counts.measure(arguments.rounds),
    }
    sys.stdout.write(f"{_machine()}. {arguments.rounds} rounds. Load before the run: {os.getloadavg()[0]:.1f}.\n\n")
    for part in arguments.parts or PARTS:
        sys.stdout.flush()
        sys.stdout.write(measures[part]() + "\n")


def _machine() -> str:
    """What the figures depend on, and nothing that names the machine."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    pythons = " and ".join(dict.fromkeys(_said(str(python), "-V") for python in (PRODUCT_PYTHON, MLFLOW_PYTHON)))
    mlflow = _said(str(MLFLOW_PYTHON), "-c", "from importlib.metadata import version; print('MLflow', version('mlflow'))")
    postgres = _said(str(postgres_programs() / "postgres"), "--version").replace("postgres (PostgreSQL)", "PostgreSQL").partition(" (")[0]
    prometheus = f"Prometheus {_said(str(prometheus_program()), '--version').split()[2]}"
    return ", ".join((f"{os.cpu_count()} cores", f"{memory_gib:.0f} GiB of memory", system, pythons, postgres, prometheus, mlflow))


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()


main()
