"""The commands on a real PostgreSQL and Prometheus against a bare process with the same imports; and what --help costs against an interpreter."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.measuring import PRODUCT_PYTHON, Command, Cost, in_turns, median, megabytes, module, ratio, seconds, table
from live_dashboards.demo.demo import Demo

_PRODUCT = (str(PRODUCT_PYTHON), "-m", "live_dashboards")

_RANGES = {
    "BASE_TRADING_VOLUME": "5000000..20000000",
    "ACCURACY_REVENUE_MULTIPLIER": "0.001..0.01",
    "LATENCY_COST_PER_MS": "0.00005..0.0002",
    "ERROR_COST_MULTIPLIER": "20..80",
    "INFRASTRUCTURE_ANNUAL_COST": "30000..90000",
}


def measure(rounds: int) -> str:
    """The section of the report."""
    with Demo() as demo, tempfile.TemporaryDirectory(prefix="live-dashboards-benchmark-") as folder:
        picture = Path(folder) / "dashboard.png"
        options = ("ab", "--output", str(picture), "--require", "live")
        commands = (
            Command("A/B command", (*_PRODUCT, *options), demo.environment),
            Command("A/B command, --simulate", (*_PRODUCT, "ab", "--simulate", "--output", str(picture))),
            Command("business command", (*_PRODUCT, "business", *options[1:]), demo.environment),
            Command("business command, five ranges", (*_PRODUCT, "business", *options[1:]), {**demo.environment, **_RANGES}),
            Command("both from one fetch (`all`)", (*_PRODUCT, "all", *options[1:]), demo.environment),
            module("bare process", "empty_picture", str(Path(folder) / "empty.png")),
        )
        costs = in_turns(commands, rounds)
    quick = in_turns((Command("--help", (*_PRODUCT, "--help")), Command("interpreter", (str(PRODUCT_PYTHON), "-c", "pass"))), 3 * rounds)
    return "## The commands\n\n" + _picture_table(costs) + "\n" + _help_table(quick)


def _picture_table(costs: dict[str, list[Cost]]) -> str:
    bare = costs["bare process"]
    rows = [
        [
            name,
            seconds(median(own, "cpu_seconds")),
            seconds(median(own, "wall_seconds")),
            megabytes(median(own, "peak_bytes")),
            *(("1", "1") if own is bare else (str(ratio(own, bare, "cpu_seconds")), str(ratio(own, bare, "peak_bytes")))),
        ]
        for name, own in costs.items()
    ]
    return table(["process", "CPU", "wall", "peak memory", "CPU ratio to bare (aim ≤ 1.5)", "memory ratio (aim ≤ 1.3)"], rows)


def _help_table(costs: dict[str, list[Cost]]) -> str:
    interpreter = costs["interpreter"]
    rows = [
        [name, seconds(median(own, "cpu_seconds")), seconds(median(own, "wall_seconds")), "1" if own is interpreter else str(ratio(own, interpreter, "cpu_seconds"))]
        for name, own in costs.items()
    ]
    return table(["process", "CPU", "wall", "CPU ratio"], rows)
