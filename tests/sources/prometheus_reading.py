"""Asks Prometheus as the product does, at a fixed moment, and a small truth to ask about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from live_dashboards.model.snapshot import Answer, PrometheusAnswer
from live_dashboards.settings import Settings, load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.prometheus import client
from live_dashboards.sources.prometheus.source import PrometheusAbSource
from tests.conftest import filled_prometheus
from tests.support.prometheus_truth import PrometheusTruth
from tests.support.victoria_metrics import VictoriaMetricsServer
from tests.support.waiting import LONGEST_SECONDS

END = datetime.now(UTC).timestamp() // 60 * 60
HOUR = 3600.0
BUCKETS = {0.05: 5.0, 0.1: 3.0, 0.25: 1.5, 0.5: 0.5}


def settings_of(url: str, **settings: str) -> Settings:
    return load_settings(environment={"PROMETHEUS_URL": url, "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}", **settings})


def ask(url: str, *, at: float = END, window_seconds: float = HOUR, experiment: str | None = None, seconds: float = LONGEST_SECONDS, **settings: str) -> PrometheusAnswer:
    source = PrometheusAbSource(settings_of(url, **settings))
    return source.read(at=datetime.fromtimestamp(at, UTC), window_seconds=window_seconds, experiment=experiment, deadline=Deadline(seconds))


@contextmanager
def filled_engine(engine: str, truth: PrometheusTruth, folder: Path) -> Iterator[str]:
    """The URL of a `prometheus` or a `victoria-metrics` that holds the truth."""
    if engine == "prometheus":
        with filled_prometheus(truth, folder) as prometheus:
            yield prometheus.url
    else:
        with VictoriaMetricsServer() as victoria:
            victoria.fill(truth)
            yield victoria.url


def hurry_at_the_first_url(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Of several URLs the first one gets half a second; what the client grants each is put into the list."""
    granted: list[float] = []

    def share(seconds: float) -> Deadline:
        granted.append(seconds)
        return Deadline(seconds if len(granted) > 1 else 0.5)

    monkeypatch.setattr(client, "Deadline", share)
    return granted


def values(answer: Answer, label: str = "model_name") -> dict[str, float | None]:
    """The last value of each series by one of its labels."""
    return {series.label(label): series.last for series in answer.series}


def points(answer: Answer, model: str) -> dict[float, float | None]:
    """The points of one model's series, by seconds before the end."""
    return {END - seconds: value for series in answer.series if series.label("model_name") == model for seconds, value in series.points}


def short_truth(*, hours: float = 2.0, scrape_seconds: float = 15.0) -> PrometheusTruth:
    return PrometheusTruth(start=END - hours * HOUR, end=END, scrape_seconds=scrape_seconds)


def labels(model: str = "baseline", instance: str = "i1", **more: str) -> dict[str, str]:
    return {"model_name": model, "instance": instance, **more}


def traffic(truth: PrometheusTruth, model: str = "baseline", instance: str = "i1", *, rate: float = 2.0, experiment: str = "", **when: object) -> None:
    """Requests of one model on one instance."""
    more = {"experiment": experiment} if experiment else {}
    truth.counter("ab_test_requests_total", labels(model, instance, **more), rate, **when)  # type: ignore[arg-type]
