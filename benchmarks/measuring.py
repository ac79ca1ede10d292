"""One command as a measured process, and two or more of them in turns, so that what else the machine does hits each of them alike."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.engines import VARIABLES

ROOT = Path(__file__).resolve().parent.parent
PRODUCT_PYTHON = ROOT / ".venv/bin/python"
MLFLOW_PYTHON = ROOT / ".venv-dev/bin/python"
_LAUNCH = Path(__file__).with_name("launch.py")
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", *VARIABLES)


class ProcessFailedError(Exception):
    """A measured process ended with a failure, so its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Command:
    """A process to measure: what the table calls it, its arguments and the settings that it finds in its environment."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took, as a process; `told` is what it printed of itself."""

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    told: Mapping[str, Any] = field(default_factory=dict)

    def figure(self, name: str) -> float:
        """One of the process' own figures, or one that it told."""
        return float(self.told[name] if name in self.told else getattr(self, name))


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio, or another figure, over all rounds of one run."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.low)}–{_short(self.high)})"


def module(name: str, kind: str, *arguments: str, python: Path = PRODUCT_PYTHON, environment: Mapping[str, str] | None = None) -> Command:
    """A module of this folder as a command."""
    return Command(name, (str(python), "-m", f"benchmarks.{kind}", *arguments), environment or {})


def run_once(command: Command) -> Cost:
    """The cost of one run; ProcessFailedError where it fails."""
    with tempfile.TemporaryDirectory(prefix="live-dashboards-benchmark-") as folder:
        output = Path(folder) / "stdout"
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {"PYTHONPATH": str(ROOT), **command.environment}
        launch = [sys.executable, "-I", "-S", str(_LAUNCH), str(output), *command.arguments]
        done = subprocess.run(launch, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ProcessFailedError(f"{command.name}: {done.stderr}")
        cost = json.loads(done.stdout)
        if cost.pop("exit_code"):
            raise ProcessFailedError(f"{command.name} failed: {done.stderr[-2000:]}")
        text = output.read_text(encoding="utf-8")
        return Cost(**cost, told=json.loads(text) if text.startswith("{") else {})


def in_turns(commands: Sequence[Command], rounds: int, *, warm_up: bool = True) -> dict[str, list[Cost]]:
    """Each command's costs, the commands one after the other in every round; a first round that fills caches is not counted."""
    if warm_up:
        for command in commands:
            run_once(command)
    costs: dict[str, list[Cost]] = {command.name: [] for command in commands}
    for _ in range(rounds):
        for command in commands:
            costs[command.name].append(run_once(command))
    return costs


def ratio(above: Sequence[Cost], below: Sequence[Cost], figure: str) -> Ratio:
    """The median, lowest and highest of the ratios of each pair."""
    return spread([over.figure(figure) / under.figure(figure) for over, under in zip(above, below, strict=True)])


def spread(values: Sequence[float]) -> Ratio:
    """The median, lowest and highest of them."""
    return Ratio(statistics.median(values), min(values), max(values))


def median(costs: Sequence[Cost], figure: str) -> float:
    """The median of one figure."""
    return statistics.median(cost.figure(figure) for cost in costs)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)) + "\n"


def seconds(value: float) -> str:
    """A time with three digits, in ms below one second."""
    return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"


def megabytes(value: float) -> str:
    """A size in MB of 10⁶ bytes."""
    return f"{value / 1e6:.3g} MB" if value < 1e9 else f"{value / 1e6:,.0f} MB"


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
