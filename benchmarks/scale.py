"""How the cost of a read grows: with instances and windows at Prometheus (every instance's series, recorded ones, VictoriaMetrics), with MLflow's rows, with viewers."""

from __future__ import annotations

import os
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import yaml

from benchmarks import mlflow_queries, web_load
from benchmarks.measuring import ROOT, Command, Cost, in_turns, median, module, ratio, seconds, spread, table
from benchmarks.prometheus_series import instance_lines, recorded_lines
from live_dashboards.demo.servers import PrometheusServer
from tests.support.victoria_metrics import VictoriaMetricsServer

INSTANCES = (1, 10, 50, 200)
CROWD = 5_000
WINDOWS = {"1h": 3600, "24h": 86_400, "7d": 7 * 86_400, "30d": 30 * 86_400}
_INSTANCES_OF_WINDOWS = 5
_SHORT_SECONDS, _DAY_SECONDS, _MONTH_SECONDS = 2 * 3600, 25 * 3600, 31 * 86_400
_RULES = ROOT / "deploy/prometheus/ab_test_recorded.rules.yml"
_WAYS = {"off": "every instance's series", "on": "recorded", "victoria": "every instance's series, in VictoriaMetrics"}
_HEAD = ["way", "{}", "requests", "wall", "CPU of the server", "client CPU", "wall ratio to the first", "server CPU ratio to the first"]

_Server = PrometheusServer | VictoriaMetricsServer
Costs = Mapping[str, Sequence[Cost]]


def measure(rounds: int, sizes: Sequence[int]) -> str:
    """The section of the report; each part of it is told on stderr as soon as it is measured."""
    sections: list[str] = []
    for part in (
        lambda: _by_instances(rounds),
        lambda: _of_a_crowd(rounds),
        lambda: _by_windows(rounds),
        lambda: mlflow_queries.measure_growth(rounds, sizes),
        lambda: web_load.measure_growth(rounds),
    ):
        sections.append(f"Load before: {os.getloadavg()[0]:.1f}.\n\n{part()}")
        sys.stderr.write(sections[-1] + "\n")
    return "## How the cost grows\n\n" + "\n".join(sections)


def _by_instances(rounds: int) -> str:
    """A day of each number of instances, read every way; and what evaluating the rules once takes there."""
    end = int(time.time()) // 300 * 300
    costs: dict[str, list[Cost]] = {}
    rules: dict[int, list[float]] = {}
    for instances in INSTANCES:  # one after the other: the pages of one server are not to push out another's
        with ExitStack() as up:
            prometheus = _prometheus(up, instances, end, _DAY_SECONDS)
            victoria = up.enter_context(VictoriaMetricsServer())
            victoria.take(instance_lines(instances, end, _DAY_SECONDS))
            servers = {"off": prometheus, "on": prometheus, "victoria": victoria}
            commands = [_command(f"{way}@{instances}", server, end, 86_400) for way, server in servers.items()]
            costs |= in_turns(commands, rounds)
            rules[instances] = [_seconds_of_the_rules(prometheus.url, end) for _ in range(rounds)]
    rows = [[str(instances), seconds(spread(own).median), _to_first(own, rules[INSTANCES[0]])] for instances, own in rules.items()]
    evaluated = table(["instances of each model", "one evaluation of ab_test_recorded.rules.yml, every 5 min", "ratio to the first"], rows)
    return f"### Instances of each model; window 24 h\n\n{_grown(costs, 'instances')}\n{evaluated}"


def _of_a_crowd(rounds: int) -> str:
    """Two hours of ten thousand instances, read with a window of one hour, against one instance of each model."""
    end = int(time.time()) // 300 * 300
    costs: dict[str, list[Cost]] = {}
    rules: list[float] = []
    for instances in (1, CROWD):
        with ExitStack() as up:
            server = _prometheus(up, instances, end, _SHORT_SECONDS)
            costs |= in_turns([_command(f"{way}@{instances}", server, end, 3600) for way in ("off", "on")], rounds)
            rules = [_seconds_of_the_rules(server.url, end) for _ in range(rounds)]
    evaluated = f"One evaluation of ab_test_recorded.rules.yml there: {seconds(spread(rules).median)}, every 5 min.\n"
    return f"### {2 * CROWD:,} instances; window 1 h of two hours\n\n{_grown(costs, 'instances of each model')}\n{evaluated}"


def _by_windows(rounds: int) -> str:
    """A month of five instances, read with every window; the analysis period is as long as the window."""
    end = int(time.time()) // 300 * 300
    with ExitStack() as up:
        server = _prometheus(up, _INSTANCES_OF_WINDOWS, end, _MONTH_SECONDS)
        commands = [_command(f"{way}@{name}", server, end, window) for way in ("off", "on") for name, window in WINDOWS.items()]
        costs = in_turns(commands, rounds)
    first = {way: costs[f"{way}@24h"] for way in ("off", "on")}
    rows = [[_WAYS[way], *(str(ratio(costs[f"{way}@30d"], own, figure)) for figure in ("query_seconds", "server_cpu_seconds"))] for way, own in first.items()]
    month = table(["30 d to 24 h", "wall", "CPU of the server"], rows)
    return f"### Window, of {_INSTANCES_OF_WINDOWS} instances of each model; the analysis period is as long\n\n{_grown(costs, 'window')}\n{month}"


def _prometheus(up: ExitStack, instances: int, end: int, span_seconds: int) -> PrometheusServer:
    server = PrometheusServer()
    up.callback(server.stop)
    history = server.folder / "history.txt"
    _write(history, instance_lines(instances, end, span_seconds), recorded_lines(instances, end, max(span_seconds, _DAY_SECONDS)))
    server.backfill(history)
    history.unlink()
    return server.start()


def _to_first(own: Sequence[float], first: Sequence[float]) -> str:
    return str(spread([each / one for each, one in zip(own, first, strict=True)]))


def _write(path: Path, *several: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8") as text:
        for lines in several:
            text.writelines(lines)
        text.write("# EOF\n")


def _command(name: str, server: _Server, end: int, window_seconds: int) -> Command:
    settings = {"PROMETHEUS_URL": server.url, "PROMETHEUS_RECORDED": "on" if name.startswith("on@") else "off", "AB_START": str(end - window_seconds + 300)}
    at = datetime.fromtimestamp(end + 7, UTC).isoformat()
    return module(name, "prometheus_reading", "source", at, str(window_seconds), str(server.process_id), environment=settings)


def _seconds_of_the_rules(url: str, end: int) -> float:
    """Every expression of the file once, one after the other, as a server evaluates a group."""
    rules = [rule["expr"] for group in yaml.safe_load(_RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
    started = time.perf_counter()
    for expression in rules:
        asked = urllib.parse.urlencode({"query": expression, "time": end + 7})
        with urllib.request.urlopen(f"{url}/api/v1/query?{asked}", timeout=120) as answer:  # noqa: S310 our own server
            answer.read()
    return time.perf_counter() - started


def _grown(costs: Costs, axis: str) -> str:
    rows = []
    for name, own in costs.items():
        way, place = name.split("@")
        first = next(other for key, other in costs.items() if key.startswith(f"{way}@"))
        times = (seconds(median(own, figure)) for figure in ("query_seconds", "server_cpu_seconds", "query_cpu_seconds"))
        ratios = (str(ratio(own, first, figure)) for figure in ("query_seconds", "server_cpu_seconds"))
        rows.append([_WAYS[way], place, str(own[0].told["queries"]), *times, *ratios])
    rows.sort(key=lambda row: list(_WAYS.values()).index(row[0]))
    return table([head.format(axis) for head in _HEAD], rows)
