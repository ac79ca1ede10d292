"""The web page under load: one process on real servers, asked by browsers that are processes too, all on the same cores."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from benchmarks.browsers import Plan
from benchmarks.measuring import ROOT, megabytes, seconds, spread, table
from benchmarks.web_server import WebServer, browse, browsing, counter, web_server
from live_dashboards.demo.demo import Demo
from tests.support.fault_proxy import FaultProxy

PAGE = "/api/v1/page"
MANY = 200
_VIEWERS = (1, 10, 50, MANY)
_INTERVAL_SECONDS, _USUAL_INTERVAL_SECONDS = 5, 30
_ASKS_EVERY_SECONDS = 3.0  # ten times as often as a browser does
_CLOSED_SECONDS, _ALONE_SECONDS, _LOAD_SECONDS = 3.0, 12.0, 15.0
_ALONE_EVERY_SECONDS = 0.03
_REFRESHES = 5
_HANG_SECONDS = 25.0
_PAGE_SECONDS, _PAGE_UNCOUNTED_SECONDS = 66.0, 32.0  # everybody opens the page within one interval; then each asks once more
_SPREAD = 0.1  # as in page.js
_PICTURES = ("/dashboard/ab.png", "/dashboard/business.png")
_VIEWS = tuple(f"{PAGE}?window={window}{variants}" for window in ("1h", "6h", "24h", "7d") for variants in ("", "&baseline=enhanced&challenger=baseline"))

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Questions:
    """How often the sources were asked within a time."""

    minutes: float
    refreshes: int
    prometheus: float
    sessions: float
    transactions: float

    def per_minute(self, name: str) -> float:
        """Of one of the counts."""
        return float(getattr(self, name)) / self.minutes


def measure(rounds: int) -> str:
    """The section of the report; each part of it is told on stderr as soon as it is measured."""
    sections: list[str] = []
    with Demo() as demo:
        often = {**demo.environment, "DASHBOARD_REFRESH_INTERVAL": str(_INTERVAL_SECONDS)}
        with web_server(often) as server:
            at_start, first_load = server.resident_bytes(), _first_load(server)
            _add(sections, _capacity_table(_capacity(server, rounds)))
            polling = _polling(server, rounds)
            _add(sections, _polling_table(polling))
            _add(sections, _questions_table(_questions(server, often, max(1, rounds // 2))))
            drawing, silent = _while_drawing(server), _while_silent(often)
            _add(sections, _pause_table({"nothing else": polling["many"], "pictures are drawn": drawing, "Prometheus is silent": silent}))
            _add(sections, _cost_tables(server, at_start, first_load))
        _add(sections, _page_table(demo.environment))
    return "## The web page under load\n\n" + "\n".join(sections)


def measure_growth(rounds: int) -> str:
    """Browsers that ask ten times as often as in use, from one to many, in turns; and what the sources are asked meanwhile."""
    found: dict[int, list[Figures]] = {viewers: [] for viewers in _VIEWERS}
    with Demo() as demo:
        often = {**demo.environment, "DASHBOARD_REFRESH_INTERVAL": str(_INTERVAL_SECONDS)}
        with web_server(often) as server:
            server.wait_for_refreshes(1)
            for _ in range(rounds):
                for viewers, own in found.items():
                    before, refreshes, used = _counted(often), server.refreshes(), server.cpu_seconds()
                    figures = browse(_plan(server, "even", viewers, _LOAD_SECONDS, every=_ASKS_EVERY_SECONDS))
                    asked = (_counted(often)[0] - before[0]) / max(1, server.refreshes() - refreshes)
                    own.append({**figures, "asked": asked, "cpu": (server.cpu_seconds() - used) / _LOAD_SECONDS})
    rows = [
        [
            f"{viewers:,}",
            *_times(_middle(own)),
            f"{_middle(own)['cpu']:.1%}",
            f"{_middle(own)['asked']:.0f}",
            *(str(spread([each[name] / first[name] for each, first in zip(own, found[1], strict=True)])) for name in ("p95", "cpu", "asked")),
        ]
        for viewers, own in found.items()
    ]
    head = [
        "viewers",
        "p50",
        "p95",
        "p99",
        "longest",
        "CPU of one core",
        "questions a refresh",
        "p95 ratio to the first",
        "CPU ratio",
        "questions ratio",
    ]
    return f"### Viewers, each asking every {_ASKS_EVERY_SECONDS:g} s; the sources are asked every {_INTERVAL_SECONDS} s\n\n" + table(head, rows)


def _add(sections: list[str], section: str) -> None:
    sections.append(section)
    sys.stderr.write(section + "\n")


def _capacity(server: WebServer, rounds: int) -> dict[tuple[str, int], list[Figures]]:
    """Requests as fast as answers come, the ways in turns."""
    ways = [(answer, connections) for answer in ("whole page", "unchanged (304)") for connections in (8, MANY)]
    found: dict[tuple[str, int], list[Figures]] = {way: [] for way in ways}
    for _ in range(rounds):
        for answer, connections in ways:
            before = server.cpu_seconds()
            figures = browse(_plan(server, "closed", connections, _CLOSED_SECONDS, knows_tag=answer != "whole page"))
            found[answer, connections].append({**figures, "cpu": (server.cpu_seconds() - before) / figures["requests"]})
    return found


def _polling(server: WebServer, rounds: int) -> dict[str, list[Figures]]:
    """One browser and many in turns, one more turn of the one, all of whole pages."""
    found: dict[str, list[Figures]] = {"one": [browse(_alone(server))], "many": []}
    for _ in range(rounds):
        found["many"].append(browse(_many(server, _LOAD_SECONDS)))
        found["one"].append(browse(_alone(server)))
    return found


def _page_table(environment: Mapping[str, str]) -> str:
    """Browsers that ask when the page's own script would, at the usual interval, against one at a time of its own."""
    with web_server({**environment, "DASHBOARD_REFRESH_INTERVAL": str(_USUAL_INTERVAL_SECONDS)}) as server:
        found = {"one, every 0.03 s": browse(_alone(server))}
        for spread_share, name in ((_SPREAD, f"{MANY}, as page.js: spread over {_SPREAD:.0%} of the interval"), (0.0, f"{MANY}, all when something new is there")):
            plan = _plan(
                server,
                "page",
                MANY,
                _PAGE_SECONDS,
                every=_USUAL_INTERVAL_SECONDS,
                spread=spread_share,
                uncounted=_PAGE_UNCOUNTED_SECONDS,
                knows_tag=True,
            )
            found[name] = browse(plan)
    alone = next(iter(found.values()))["p95"]
    rows = [[name, f"{own['requests']:,}", *_times(own), f"{own['p95'] / alone:.2f}"] for name, own in found.items()]
    head = ["browsers", "requests", "p50", "p95", "p99", "longest", "p95 to that of one"]
    return f"### When {MANY} browsers ask, at an interval of {_USUAL_INTERVAL_SECONDS} s\n\n" + table(head, rows)


def _questions(server: WebServer, environment: Mapping[str, str], rounds: int) -> dict[int, list[Questions]]:
    """What the sources count with one viewer and with many, in turns, each over the same number of refreshes."""
    found: dict[int, list[Questions]] = {1: [], MANY: []}
    for _ in range(rounds):
        for viewers, own in found.items():
            with browsing(_plan(server, "even", viewers, _REFRESHES * (_INTERVAL_SECONDS + 1) + 10, every=_ASKS_EVERY_SECONDS)):
                server.wait_for_refreshes(1)
                before, began, refreshes = _counted(environment), time.monotonic(), server.refreshes()
                server.wait_for_refreshes(_REFRESHES)
                after, minutes = _counted(environment), (time.monotonic() - began) / 60
                own.append(Questions(minutes, server.refreshes() - refreshes, *(late - early for late, early in zip(after, before, strict=True))))
    return found


def _counted(environment: Mapping[str, str]) -> tuple[float, float, float]:
    """Requests to Prometheus' API, sessions and transactions of MLflow's database so far, as the servers count them; this reading is not in it."""
    with urllib.request.urlopen(f"{environment['PROMETHEUS_URL']}/metrics", timeout=10) as answer:  # noqa: S310 the demo's own address
        requests = counter(answer.read().decode(), "prometheus_http_requests_total", 'handler="/api/v1/')
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    with (
        closing(psycopg2.connect(dbname="postgres", **{key: environment[f"MLFLOW_DB_{name}"] for key, name in names.items()})) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("select sessions, xact_commit + xact_rollback from pg_stat_database where datname = %s", (environment["MLFLOW_DB_NAME"],))
        sessions, transactions = cursor.fetchone() or (0, 0)
    return requests, float(sessions), float(transactions)


def _while_drawing(server: WebServer) -> list[Figures]:
    """Many browsers while one picture after the other is drawn, each of a new page."""
    with browsing(_many(server, _LOAD_SECONDS)) as figures:
        until, drawn = time.monotonic() + _LOAD_SECONDS, 0
        while time.monotonic() < until:
            for path in _PICTURES:
                drawn += server.get(path)[0] == 200
            server.wait_for_refreshes(1)
    return [{**figures, "note": f"{drawn} pictures"}]


def _while_silent(environment: Mapping[str, str]) -> list[Figures]:
    """Many browsers of a server whose Prometheus takes connections and answers nothing."""
    real = urlsplit(environment["PROMETHEUS_URL"])
    with FaultProxy(str(real.hostname), int(real.port or 80)) as proxy, web_server({**environment, "PROMETHEUS_URL": proxy.url}) as server:
        server.wait_for_refreshes(1)
        proxy.hang()
        figures = browse(_many(server, _HANG_SECONDS))
        failures = counter(server.get("/metrics")[1].decode(), "live_dashboards_source_failures_total", 'source="prometheus"')
    return [{**figures, "note": f"{failures:.0f} questions without an answer"}]


def _cost_tables(server: WebServer, at_start: int, first_load: Figures) -> str:
    """Memory, bytes and the CPU time of refreshes."""
    after = server.resident_bytes()
    one = _cpu_of_refreshes(server, 1)
    for path in _VIEWS:
        server.get(path)
    server.wait_for_refreshes(8)
    several = _cpu_of_refreshes(server, 4)
    memory = table(
        ["memory of all its processes", ""],
        [["with the first page", megabytes(at_start)], ["after the load", megabytes(after)], [f"with {len(_VIEWS)} views", megabytes(server.resident_bytes())]],
    )
    names = {"bytes": "opening the page", "largest_bytes": "of it the largest script", "document_bytes": "of it the document: one refresh"}
    size = table(
        ["received by chromium, compressed", "bytes", "requests"],
        [[said, f"{first_load[name]:,}", str(first_load["requests"]) if name == "bytes" else ""] for name, said in names.items()],
    )
    head = ["CPU time of the server without viewers", "questions a refresh", "a refresh", "of one core at 30 s"]
    rows = [
        [name, str(count), seconds(cost), f"{cost / _USUAL_INTERVAL_SECONDS:.1%}"] for name, count, cost in (("1 view", 1, one), (f"{len(_VIEWS)} views", 4, several))
    ]
    return "### Cost\n\n" + "\n".join((table(head, rows), memory, size))


def _cpu_of_refreshes(server: WebServer, questions: int) -> float:
    """CPU seconds in which every question is asked once and its pages are made."""
    server.wait_for_refreshes(questions)
    before = server.cpu_seconds()
    server.wait_for_refreshes(_REFRESHES * questions)
    return (server.cpu_seconds() - before) / _REFRESHES


def _first_load(server: WebServer) -> Figures:
    done = subprocess.run([sys.executable, "-m", "benchmarks.first_load", str(server.port)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    figures: Figures = json.loads(done.stdout)
    return figures


def _plan(
    server: WebServer, pace: str, connections: int, length: float, *, every: float = 0.0, spread: float = 0.0, uncounted: float = 0.0, knows_tag: bool = False
) -> Plan:
    return Plan(server.port, PAGE, pace, connections, length, every, spread, knows_tag, uncounted)


def _alone(server: WebServer) -> Plan:
    return _plan(server, "even", 1, _ALONE_SECONDS, every=_ALONE_EVERY_SECONDS)


def _many(server: WebServer, length: float) -> Plan:
    return _plan(server, "even", MANY, length, every=_ASKS_EVERY_SECONDS)


def _capacity_table(found: Mapping[tuple[str, int], Sequence[Figures]]) -> str:
    rows = [
        [
            answer,
            str(connections),
            str(spread([each["per_second"] for each in own])),
            *_times(_middle(own)),
            seconds(_middle(own)["cpu"]),
            f"{_middle(own)['reopened'] / _middle(own)['requests']:.0%}",
        ]
        for (answer, connections), own in found.items()
    ]
    head = ["answer", "connections", "requests a second (aim ≥ 500)", "p50", "p95", "p99", "longest", "CPU of the server a request", "connections closed by it"]
    return f"### Refresh requests in closed loop, each way {_CLOSED_SECONDS:g} s a round\n\n" + table(head, rows)


def _polling_table(found: Mapping[str, Sequence[Figures]]) -> str:
    one, many = found["one"], found["many"]
    rows = [
        [name, f"{sum(each['requests'] for each in own):,}", *_times(_middle(own))]
        for name, own in ((f"one, every {_ALONE_EVERY_SECONDS:g} s", one), (f"{MANY}, each every {_ASKS_EVERY_SECONDS:g} s", many))
    ]
    ratios = {
        f"p{share}": [2 * load[f"p{share}"] / (before[f"p{share}"] + after[f"p{share}"]) for before, load, after in zip(one, many, one[1:], strict=False)]
        for share in (50, 95, 99)
    }
    aims = table(["under load / alone, before and after", "p50", "p95 (aim ≤ 3)", "p99"], [["ratio", *(str(spread(each)) for each in ratios.values())]])
    head = ["browsers", "requests", "p50", "p95", "p99", "longest"]
    return f"### {MANY} browsers, spread evenly, ten times as often as in use; the sources are asked every {_INTERVAL_SECONDS} s\n\n" + table(head, rows) + "\n" + aims


def _questions_table(found: Mapping[int, Sequence[Questions]]) -> str:
    names = {"prometheus": "requests to Prometheus", "sessions": "sessions of PostgreSQL", "transactions": "its transactions (its own upkeep too)"}
    rows = [[f"{viewers:,}", *(f"{_median_per_minute(own, name):.1f} ({_per_refresh(own, name):.2f} a refresh)" for name in names)] for viewers, own in found.items()]
    ratios = [str(spread([many.per_minute(name) / one.per_minute(name) for one, many in zip(found[1], found[MANY], strict=True)])) for name in names]
    head = ["viewers", *(f"{said} a minute" for said in names.values())]
    return f"### What the sources count, at an interval of {_INTERVAL_SECONDS} s\n\n" + table(head, [*rows, [f"ratio {MANY} / 1 (aim 1.0)", *ratios]])


def _median_per_minute(found: Sequence[Questions], name: str) -> float:
    return statistics.median(each.per_minute(name) for each in found)


def _per_refresh(found: Sequence[Questions], name: str) -> float:
    return sum(getattr(each, name) for each in found) / sum(each.refreshes for each in found)


def _pause_table(found: Mapping[str, Sequence[Figures]]) -> str:
    rows = [[name, f"{sum(each['requests'] for each in own):,}", *_times(_middle(own)), own[0].get("note", "")] for name, own in found.items()]
    return f"### The longest wait of {MANY} browsers while …\n\n" + table(["while", "requests", "p50", "p95", "p99", "longest", ""], rows)


def _times(figures: Figures) -> list[str]:
    return [seconds(figures[name]) for name in ("p50", "p95", "p99", "max")]


def _middle(found: Sequence[Figures]) -> dict[str, float]:
    """The median of each figure, of the longest the longest."""
    names = [name for name, value in found[0].items() if isinstance(value, (int, float))]
    return {name: max(each[name] for each in found) if name == "max" else statistics.median(each[name] for each in found) for name in names}
