"""What the exact count costs at Prometheus: the whole read of this checkout against that of commit 153d384, which asked for `increase`, on the same server."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import ROOT, Command, in_turns, module, ratio, table
from benchmarks.prometheus_series import instance_lines, newborn_lines
from live_dashboards.demo.servers import PrometheusServer

COMMIT = "153d384"
_DAY_SECONDS, _MONTH_SECONDS = 86_400, 30 * 86_400
_FIGURES = ("server_cpu_seconds", "query_seconds", "queries", "query_cpu_seconds")
Lines = Callable[[int, int, int], Iterator[str]]


@dataclass(frozen=True, slots=True)
class World:
    """What is read: so many instances of each of two models, over a window, with the aim of its ratio."""

    name: str
    instances: int
    window_seconds: int
    lines: Lines
    aim: str


WORLDS = (
    *(World(f"{count} instances of each model, 24 h", count, _DAY_SECONDS, instance_lines, "1.1") for count in (1, 50, 200)),
    World("5 instances of each model, 30 d", 5, _MONTH_SECONDS, instance_lines, "1.1"),
    *(World(f"{count} instances of each model, each replaced once, 24 h", count, _DAY_SECONDS, newborn_lines, "1.5") for count in (1, 50, 200)),
)


def measure(rounds: int) -> str:
    """The section of the report."""
    with tempfile.TemporaryDirectory(prefix="live-dashboards-benchmark-") as folder:
        archive = subprocess.run(("git", "-C", str(ROOT), "archive", COMMIT), capture_output=True, check=True).stdout
        subprocess.run(("tar", "-x", "-C", folder), input=archive, check=True)
        rows = [_row(world, Path(folder), rounds) for world in WORLDS]
    head = ["read", "CPU of the server", "wall", "questions", "CPU of the client", "aim"]
    return f"## Exact counts: ratios to commit {COMMIT}\n\n{table(head, rows)}"


def _row(world: World, before: Path, rounds: int) -> list[str]:
    end = int(time.time()) // 300 * 300
    with ExitStack() as up:
        server = PrometheusServer()
        up.callback(server.stop)
        history = server.folder / "history.txt"
        with history.open("w", encoding="utf-8") as text:
            text.writelines(world.lines(world.instances, end, world.window_seconds + 3600))
            text.write("# EOF\n")
        server.backfill(history)
        history.unlink()
        server.start()
        arguments = ("source", datetime.fromtimestamp(end + 7, UTC).isoformat(), str(world.window_seconds), str(server.process_id))
        settings = {"PROMETHEUS_URL": server.url, "AB_START": str(end - world.window_seconds + 300)}
        now = module("now", "prometheus_reading", *arguments, environment=settings)
        then = Command("then", now.arguments, {**settings, "PYTHONPATH": str(before)})
        costs = in_turns((now, then), rounds)
    row = [world.name, *(str(ratio(costs["now"], costs["then"], figure)) for figure in _FIGURES), f"≤ {world.aim}"]
    sys.stderr.write(f"{' | '.join(row)}\n")  # 200 instances take minutes
    return row
