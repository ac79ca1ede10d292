"""Our read of Prometheus against the specification's raw queries, at 1 and at 50 instances of each model."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from benchmarks.measuring import Cost, in_turns, median, megabytes, module, ratio, seconds, table
from live_dashboards.demo.prometheus_server import PrometheusServer

INSTANCES = (1, 50)
_WAYS = {
    "raw": "the five queries, raw",
    "aggregated": "the five queries, aggregated by model",
    "source": "our whole read: with totals, ages, scope and start of traffic",
}
_MODELS = {"baseline-predictor": 7.0, "enhanced-predictor": 3.0}
_BOUNDS = ("0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0", "7.5", "10.0", "+Inf")
_SHARES = (0.02, 0.1, 0.5, 0.7, 0.85, 0.96, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 1.0, 1.0)
_SCRAPE_SECONDS, _SPAN_SECONDS = 60, 25 * 3600


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
        text.writelines(_lines(instances, end))
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


def _lines(instances: int, end: int) -> Iterator[str]:
    """OpenMetrics text: counters grow at a steady rate, so that only the number of series matters."""
    moments = range(end - _SPAN_SECONDS, end + 1, _SCRAPE_SECONDS)
    for model, rate in _MODELS.items():
        for instance in range(instances):
            labels = f'model_name="{model}",experiment="load",instance="i{instance}:8000",job="ab"'
            yield from _counter("ab_test_requests_total", f'{labels},status="success"', rate, moments)
            yield from _counter("ab_test_requests_total", f'{labels},status="error"', rate / 100, moments)
            yield from _counter("ab_test_errors_total", labels, rate / 100, moments)
            for bound, share in zip(_BOUNDS, _SHARES, strict=True):
                yield from _counter("ab_test_response_time_seconds_bucket", f'{labels},le="{bound}"', rate * share, moments)
            yield from _counter("ab_test_response_time_seconds_count", labels, rate, moments)
            yield from _counter("ab_test_response_time_seconds_sum", labels, rate * 0.06, moments)
            yield from (f"ab_test_model_accuracy{{{labels}}} {78.2 + instance / 1000} {moment}\n" for moment in moments)
            for kind in ("revenue_impact", "latency_cost", "net_business_value"):
                yield from (f'ab_test_business_impact{{{labels},metric_type="{kind}"}} 1.5 {moment}\n' for moment in moments)


def _counter(name: str, labels: str, rate: float, moments: Sequence[int]) -> Iterator[str]:
    first = moments[0]
    return (f"{name}{{{labels}}} {int((moment - first) * rate)} {moment}\n" for moment in moments)
