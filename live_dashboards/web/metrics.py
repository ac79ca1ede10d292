"""What the web page tells Prometheus about itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from live_dashboards.model.report import BadgeKind
from live_dashboards.model.snapshot import MLFLOW, PROMETHEUS, Snapshot, SourceState
from live_dashboards.web.pages import Page
from live_dashboards.web.view import View

_LATENCY_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_REFRESH_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0)
_MOST_VIEWERS = 10_000


class Metrics:
    """The process's own metrics, in a registry of their own."""

    def __init__(self, viewer_seconds: float) -> None:
        self.registry = CollectorRegistry()
        self._viewer_seconds = viewer_seconds
        self._viewers: dict[str, float] = {}
        self._lock = threading.Lock()
        make: Any = {"namespace": "live_dashboards", "registry": self.registry}
        self._refresh = Histogram(
            "refresh_duration_seconds", "Time to ask both sources once", buckets=_REFRESH_SECONDS, **make
        )
        self._failures = Counter(
            "source_failures", "Fetches in which a source gave no answer", ["source"], **make
        )
        self._source = Histogram(
            "source_duration_seconds",
            "Time that a source took to answer",
            ["source"],
            buckets=_REFRESH_SECONDS,
            **make,
        )
        self._badge = Gauge(
            "badge", "1 for the badge of the settings' own page, 0 for the others", ["badge"], **make
        )
        self._live = Gauge(
            "values_live", "Values of the settings' own page that the sources answered for its moment", **make
        )
        self._total = Gauge("values_total", "Values of the settings' own page", **make)
        self._age = Gauge(
            "report_age_seconds", "Age of the settings' own page; NaN before the first one", **make
        )
        self._last_answer = Gauge(
            "source_last_answer_age_seconds",
            "Time since a source last answered with A/B data; NaN where it never did",
            ["source"],
            **make,
        )
        self._answers = Histogram(
            "http_request_duration_seconds",
            "Time to answer a request",
            ["route", "status"],
            buckets=_LATENCY_SECONDS,
            **make,
        )
        self._watching = Gauge("viewers", "Pages that asked within two refresh intervals", **make)
        self._watching.set_function(self._viewers_now)
        for source in (MLFLOW, PROMETHEUS):
            self._failures.labels(source)  # at 0, so that the first failure is an increase

    def ages_from(
        self, page_age_seconds: Callable[[], float | None], answer_age_seconds: Callable[[str], float | None]
    ) -> None:
        """Where the age of the page, and that of each source's last answer, come from."""
        self._age.set_function(partial(_or_nan, page_age_seconds))
        for source in (MLFLOW, PROMETHEUS):
            self._last_answer.labels(source).set_function(partial(_or_nan, answer_age_seconds, source))

    def fetched(self, _: View, snapshot: Snapshot, seconds: float) -> None:
        """Counts a fetch."""
        self._refresh.observe(seconds)
        for status in (snapshot.mlflow.status, snapshot.prometheus.status):
            if status.state is SourceState.FAILED:
                self._failures.labels(status.source).inc()
            if status.state not in {SourceState.NOT_CONFIGURED, SourceState.NOT_ASKED}:
                self._source.labels(status.source).observe(status.duration_seconds)

    def shown(self, page: Page) -> None:
        """The settings' own page has changed."""
        if page.ab is None:
            return
        badge = page.ab.badge
        for kind in BadgeKind:
            self._badge.labels(kind.value).set(float(kind is badge.kind))
        self._live.set(badge.values_live)
        self._total.set(badge.values_total)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Counts an answer; `route` is the rule, never the path, so that their number is bounded."""
        self._answers.labels(route, str(status)).observe(seconds)

    def viewed(self, viewer: str) -> None:
        """A page that names itself so has asked."""
        name = viewer[:64]
        with self._lock:
            if name in self._viewers or len(self._viewers) < _MOST_VIEWERS:
                self._viewers[name] = time.monotonic()

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _viewers_now(self) -> float:
        oldest = time.monotonic() - self._viewer_seconds
        with self._lock:
            self._viewers = {viewer: seen for viewer, seen in self._viewers.items() if seen >= oldest}
            return float(len(self._viewers))


def _or_nan(age_seconds: Callable[..., float | None], *of: str) -> float:
    value = age_seconds(*of)
    return float("nan") if value is None else value
