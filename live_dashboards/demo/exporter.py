"""The demo's metric families: the world's state as series, as text and as back-filled history; names and
labels are made here alone.

The exporter is an HTTP server on loopback where each instance of the world has its own `/<instance>/metrics`,
as pods have.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Self

import numpy as np
from numpy.typing import NDArray

from live_dashboards.demo.server_process import LOOPBACK, Running
from live_dashboards.demo.world import (
    BASELINE,
    EXPERIMENT,
    INSTANCES,
    LATENCY_BOUNDS_SECONDS,
    Instance,
    State,
    Variant,
    World,
)
from live_dashboards.model.metrics import EXPORTED

JOB = "ab-test-models"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LABELLED_METRIC = f"{EXPORTED.prefix}labelled_requests_total"
CORRECT_METRIC = f"{EXPORTED.prefix}correct_requests_total"

_REVENUE_PERCENT_PER_POINT = 0.5
_COST_PERCENT_PER_MS = 0.02
_FAMILIES = {
    EXPORTED.requests: ("counter", "Requests by outcome."),
    EXPORTED.errors: ("counter", "Requests that failed."),
    EXPORTED.latency: ("histogram", "Latency of answered requests."),
    LABELLED_METRIC: ("counter", "Answered requests whose truth became known."),
    CORRECT_METRIC: ("counter", "Of these, the ones answered correctly."),
    EXPORTED.accuracy: ("gauge", "Accuracy over the last six hours in percent."),
    EXPORTED.impact: ("gauge", "Impact against the baseline in percent, by metric_type."),
}


class Exporter(Running):
    """A running exporter of the world as it is now; a context manager."""

    def __init__(self, world: World) -> None:
        self._server = _Server(world)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{LOOPBACK}:{self._server.server_port}"

    @staticmethod
    def path(instance: Instance) -> str:
        """Where the instance's metrics are."""
        return f"/{instance.name}/metrics"

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for the answers under way

    def __init__(self, world: World) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.world = world
        self.lock = threading.Lock()
        self.instances = {Exporter.path(instance): instance for instance in INSTANCES}

    def server_bind(self) -> None:
        """Bind without asking a name server for this address' name, as HTTPServer does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.socket.getsockname()[1]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5  # a client that says nothing does not hold up the end

    def do_GET(self) -> None:
        """Answer with the instance's metrics of this moment."""
        instance = self.server.instances.get(self.path)
        if instance is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with self.server.lock:
            content = exposition(self.server.world, instance, time.time()).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Scrapes are no news."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of one instance: its family, full name, labels (without those a scrape adds) and values by
    moment.
    """

    family: str
    name: str
    labels: tuple[tuple[str, str], ...]
    values: NDArray[np.int64] | NDArray[np.float64]


def exposition(world: World, instance: Instance, at: float) -> str:
    """What the instance's exporter answers at that moment (unix seconds)."""
    lines: list[str] = []
    family = ""
    for series in instance_series(world, instance, np.array([at])):
        if series.family != family:
            family = series.family
            kind, meaning = _FAMILIES[family]
            lines += [f"# HELP {family} {meaning}", f"# TYPE {family} {kind}"]
        lines.append(f"{series.name}{_braces(series.labels)} {_texts(series.values)[0]}")
    return "\n".join(lines) + "\n"


def write_history(world: World, times: NDArray[np.float64], path: Path) -> None:
    """Everything the scrapes at those moments would have stored, as OpenMetrics text."""
    stamps = [f" {time:.3f}\n" for time in times]
    with path.open("w", encoding="utf-8") as text:
        for instance in INSTANCES:
            for series in instance_series(world, instance, times):
                head = f"{series.name}{_braces((*series.labels, ('instance', instance.name), ('job', JOB)))} "
                text.write(
                    "".join(
                        [
                            head + value + stamp
                            for value, stamp in zip(_texts(series.values), stamps, strict=True)
                        ]
                    )
                )
        text.write("# EOF\n")


def instance_series(world: World, instance: Instance, times: NDArray[np.float64]) -> Iterator[Series]:
    """All series of an instance, family by family."""
    own = (("model_name", instance.variant.model_name), ("experiment", EXPERIMENT))
    state = world.state(instance, times)
    for status, counts in (("success", state.successes), ("error", state.errors)):
        yield Series(EXPORTED.requests, EXPORTED.requests, (*own, ("status", status)), counts)
    yield Series(EXPORTED.errors, EXPORTED.errors, own, state.errors)
    yield from _latency(own, state)
    yield Series(LABELLED_METRIC, LABELLED_METRIC, own, state.labelled)
    yield Series(CORRECT_METRIC, CORRECT_METRIC, own, state.correct)
    yield Series(EXPORTED.accuracy, EXPORTED.accuracy, own, state.accuracy_percent)
    for kind, values in _impact(world, instance.variant, times).items():
        yield Series(EXPORTED.impact, EXPORTED.impact, (*own, ("metric_type", kind)), values)


def _latency(own: tuple[tuple[str, str], ...], state: State) -> Iterator[Series]:
    family = EXPORTED.latency
    cumulative = state.bucket_counts.cumsum(axis=1)
    for column, bound in enumerate((*LATENCY_BOUNDS_SECONDS, math.inf)):
        yield Series(
            family,
            f"{family}_bucket",
            (*own, ("le", "+Inf" if math.isinf(bound) else str(bound))),
            cumulative[:, column],
        )
    yield Series(family, f"{family}_sum", own, state.latency_sum_seconds)
    yield Series(family, f"{family}_count", own, state.successes)


def _impact(world: World, variant: Variant, times: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """What the variant earns and costs against the baseline, in percent, from the same counters that the
    other families show.
    """
    (own_percent, own_ms), (base_percent, base_ms) = (
        _gauges(world, variant, times),
        _gauges(world, BASELINE, times),
    )
    revenue, cost = (
        (own_percent - base_percent) * _REVENUE_PERCENT_PER_POINT,
        (own_ms - base_ms) * _COST_PERCENT_PER_MS,
    )
    return {"revenue_impact": revenue, "latency_cost": cost, "net_business_value": revenue - cost}


def _gauges(
    world: World, variant: Variant, times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Accuracy in percent and mean latency in ms of the variant, mean over its instances."""
    states = [world.state(instance, times) for instance in INSTANCES if instance.variant == variant]
    return np.mean([state.accuracy_percent for state in states], axis=0), np.mean(
        [state.mean_latency_ms for state in states], axis=0
    )


def _braces(labels: tuple[tuple[str, str], ...]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}"


def _texts(values: NDArray[np.int64] | NDArray[np.float64]) -> list[str]:
    if values.dtype.kind == "i":
        return list(map(str, values.tolist()))
    return [
        "NaN" if math.isnan(value) else f"{value:.6g}" if abs(value) < 1e5 else f"{value:.3f}"
        for value in values.tolist()
    ]
