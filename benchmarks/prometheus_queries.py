"""Our read of Prometheus against the specification's raw queries, at 1 and at 50 instances of each model."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from benchmarks.measuring import Cost, in_turns, median, megabytes, module, ratio, seconds, table
from benchmarks.prometheus_series import instance_lines
from live_dashboards.demo.servers import PrometheusServer

INSTANCES = (1, 50)
_WAYS = {
    "raw": "the five queries, raw",
    "aggregated": "the five queries, aggregated by model",
    "source": "our whole read: with totals, ages, scope and start of traffic",
}
_SPAN_SECONDS = 25 * 3600


def measure(rounds: int) -> str:
    """The section of the report."""
    end = int(time.time()) // 60 * 60
    at = datetime.fromtimestamp(end, UTC).isoformat()
    with ExitStack() as up:
        urls = {instances: _start(up, instances, end).url for instances in INSTANCES}
        commands = [module(f"{way}@{instances}", "prometheus_reading", way, at, environment={"PROMETHEUS_URL": url}) for instances, url in urls.items() for way in _WAYS]
        costs = in_turns(commands, rounds)
    return "## Prometheus: 24 h of two models, scraped every 60 s\n\n" + _costs(costs) + "\n" + _ratios(costs)


def _start(up: ExitStack, instances: int, end: int) -> PrometheusServer:
    """A server that holds this many instances of each model."""
    server = PrometheusServer()
    up.callback(server.stop)
    history = server.folder / "history.txt"
    with history.open("w", encoding="utf-8") as text:
        text.writelines(instance_lines(instances, end, _SPAN_SECONDS))
        text.write("# EOF\n")
    server.backfill(history)
    history.unlink()
    return server.start()


def _costs(costs: Mapping[str, Sequence[Cost]]) -> str:
    rows = []
    for name, own in costs.items():
        way, instances = name.split("@")
        told = own[0].told
        times = (seconds(median(own, figure)) for figure in ("query_seconds", "query_cpu_seconds"))
        rows.append([_WAYS[way], instances, str(told["queries"]), f"{told['series']:,}", megabytes(told["bytes"]), *times, megabytes(median(own, "peak_bytes"))])
    return table(["way", "instances of each model", "requests", "series received", "JSON", "wall", "client CPU in it", "peak memory"], rows)


def _ratios(costs: Mapping[str, Sequence[Cost]]) -> str:
    few, many = INSTANCES
    pairs = [(f"raw@{count}", f"{way}@{count}") for count in INSTANCES for way in ("aggregated", "source")]
    pairs += [(f"{way}@{many}", f"{way}@{few}") for way in _WAYS]
    rows = [
        [f"{_said(above)} / {_said(below)}", *(str(ratio(costs[above], costs[below], figure)) for figure in ("query_seconds", "query_cpu_seconds", "bytes"))]
        for above, below in pairs
    ]
    return table(["ratio", "wall", "client CPU", "JSON"], rows)


def _said(name: str) -> str:
    way, instances = name.split("@")
    short = {"raw": "raw", "aggregated": "aggregated", "source": "our whole read"}
    return f"{short[way]}, {instances} instance{'' if instances == '1' else 's'}"
