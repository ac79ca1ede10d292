"""One way to read Prometheus, as a process: WAY AT [WINDOW PROCESS], where AT is RFC 3339. Prints what it took as JSON; `bytes` are of JSON, after decompression.

WINDOW is in seconds; PROCESS is the id of the server, whose CPU time is told too.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

# The queries of the specification as they stand there: one series an instance and label set.
_RAW = (
    "rate(ab_test_requests_total[5m])",
    "histogram_quantile(0.95, rate(ab_test_response_time_seconds_bucket[5m]))",
    "ab_test_model_accuracy",
    "rate(ab_test_errors_total[5m])",
    "ab_test_business_impact",
)
_STEP_SECONDS = 300  # what the product chooses for 24 h


def main(way: str, at: datetime, window_seconds: float = 86_400, server: str = "") -> None:
    """Reads once and prints the figures."""
    before = _cpu_seconds(server)
    figures = _source(at, window_seconds) if way == "source" else _ask(_RAW if way == "raw" else _aggregated(), at)
    sys.stdout.write(json.dumps({**figures, "server_cpu_seconds": _cpu_seconds(server) - before}))


def _cpu_seconds(server: str) -> float:
    """User and system time of a process so far; 0 where none is named."""
    if not server:
        return 0.0
    fields = Path(f"/proc/{server}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _source(at: datetime, window_seconds: float) -> dict[str, Any]:
    """The product's whole read: timelines, totals, gauges, ages and the start of the traffic, aggregated by the server."""
    from live_dashboards.settings import load_settings
    from live_dashboards.sources.asking import Deadline
    from live_dashboards.sources.prometheus import exchange
    from live_dashboards.sources.prometheus.source import PrometheusAbSource

    sizes: list[int] = []
    series: list[int] = []
    parse = exchange.parse_document  # type: ignore[attr-defined] # looked into from outside, on purpose

    def counted(body: bytes) -> dict[str, Any]:
        document = parse(body)
        sizes.append(len(body))
        series.append(_series(document))
        return document

    exchange.parse_document = counted  # type: ignore[attr-defined]
    source, started, used = PrometheusAbSource(load_settings()), time.perf_counter(), time.process_time()
    answer = source.read(at=at, window_seconds=window_seconds, experiment=None, deadline=Deadline(120))
    cost = {"query_seconds": time.perf_counter() - started, "query_cpu_seconds": time.process_time() - used}
    empty = [each.name for each in (*answer.timelines, *answer.instants) if not each.series]
    if empty:
        raise SystemExit(f"no series for {', '.join(empty)}")
    return {**cost, "queries": len(sizes), "series": sum(series), "bytes": sum(sizes)}


def _ask(queries: Sequence[str], at: datetime) -> dict[str, Any]:
    """These queries over 24 h, one after the other."""
    import requests

    url, size, series = os.environ["PROMETHEUS_URL"], 0, 0
    started, used = time.perf_counter(), time.process_time()
    span = {"start": (at - timedelta(days=1)).timestamp(), "end": at.timestamp(), "step": _STEP_SECONDS}
    with requests.Session() as session:
        for query in queries:
            answer = session.post(f"{url}/api/v1/query_range", data={"query": query, **span}, timeout=120)
            answer.raise_for_status()
            size += len(answer.content)
            series += _series(answer.json())
    return {"query_seconds": time.perf_counter() - started, "query_cpu_seconds": time.process_time() - used, "queries": len(queries), "series": series, "bytes": size}


def _aggregated() -> tuple[str, ...]:
    """The product's queries of the same names."""
    from live_dashboards.sources.prometheus.failed_requests import COUNTER_ERRORS
    from live_dashboards.sources.queries import AB_QUERIES, render

    return tuple(render(query.promql, errors=render(COUNTER_ERRORS)) for query in AB_QUERIES.values())


def _series(document: dict[str, Any]) -> int:
    data = document.get("data")
    return len(data["result"]) if isinstance(data, dict) and isinstance(data.get("result"), list) else 0


if __name__ == "__main__":
    main(sys.argv[1], datetime.fromisoformat(sys.argv[2]), *map(float, sys.argv[3:4]), *sys.argv[4:5])
