"""Several A/B tests in one PostgreSQL and one Prometheus, equal but for one thing each, so that a test can see which numbers follow it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tests.support.mlflow_truth import MlflowTruth
from tests.support.prometheus_truth import PrometheusTruth

SPAN_SECONDS = 26 * 3600  # a year is told from whole days
SCRAPE_SECONDS = 60
WINDOW_SECONDS = 2 * 3600
VARIANTS = ("baseline", "enhanced")


@dataclass(frozen=True)
class Truth:
    """What is so in one world; pairs are (baseline, enhanced). Rates are per second and instance, of two instances."""

    successes: tuple[float, float] = (7.0, 3.0)
    errors: tuple[float, float] = (0.14, 0.03)
    latency: tuple[dict[float, float], dict[float, float]] = (
        {0.025: 0.1, 0.05: 0.5, 0.1: 0.3, 0.25: 0.08, 0.5: 0.02},
        {0.05: 0.3, 0.1: 0.5, 0.25: 0.15, 0.5: 0.05},
    )
    online_percent: tuple[float, float] = (78.0, 81.0)
    net_value: float = 1.5
    accuracy: tuple[float, float] = (0.782, 0.818)
    precision: tuple[float, float] = (0.77, 0.80)
    recall: tuple[float, float] = (0.75, 0.79)
    f1: tuple[float, float] = (0.76, 0.795)
    test_rows: tuple[int, int] = (5000, 5000)

    def requests(self, index: int, seconds: float = WINDOW_SECONDS) -> int:
        """True requests of a variant over the last seconds."""
        return round(2 * (self.successes[index] + self.errors[index]) * seconds)

    def mean_seconds(self, index: int) -> float:
        """True mean latency: every observation lies in the middle of its bucket."""
        return sum(share * _middle(bound) for bound, share in self.latency[index].items())


BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
BASE = Truth()
WORLDS: dict[str, Truth] = {
    "base": BASE,
    "more requests": replace(BASE, successes=(14.0, 3.0)),
    "more errors": replace(BASE, errors=(0.14, 0.12), successes=(7.0, 2.91)),
    "slower": replace(BASE, latency=(BASE.latency[0], {0.1: 0.2, 0.25: 0.5, 0.5: 0.3})),
    "other gauge": replace(BASE, online_percent=(78.0, 88.0)),
    "other impact": replace(BASE, net_value=-2.25),
    "other accuracy": replace(BASE, accuracy=(0.782, 0.9)),
    "other precision": replace(BASE, precision=(0.77, 0.9)),
    "other recall": replace(BASE, recall=(0.75, 0.9)),
    "other f1": replace(BASE, f1=(0.76, 0.9)),
    "more rows": replace(BASE, test_rows=(5000, 50_000)),
}


@dataclass(frozen=True)
class Worlds:
    """Where the worlds can be asked, and until when they are so (unix seconds)."""

    environment: dict[str, str]
    end: float
    truths: dict[str, Truth] = field(default_factory=lambda: WORLDS)

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.end, UTC)


def fill_prometheus(end: float) -> PrometheusTruth:
    truth = PrometheusTruth(start=end - SPAN_SECONDS, end=end, scrape_seconds=SCRAPE_SECONDS)
    for experiment, world in WORLDS.items():
        for index, variant in enumerate(VARIANTS):
            for instance in ("a:1", "b:1"):
                _add_model(truth, world, index, {"model_name": f"{variant}-predictor", "experiment": experiment, "instance": instance, "job": "ab"})
    return truth


def _add_model(truth: PrometheusTruth, world: Truth, index: int, labels: dict[str, str]) -> None:
    truth.counter("ab_test_requests_total", {**labels, "status": "success"}, world.successes[index])
    truth.counter("ab_test_requests_total", {**labels, "status": "error"}, world.errors[index])
    truth.counter("ab_test_errors_total", labels, world.errors[index])
    rates = {bound: 100 * world.latency[index].get(bound, 0.0) for bound in (*BOUNDS, math.inf)}
    truth.histogram("ab_test_response_time_seconds", labels, rates)
    truth.gauge("ab_test_model_accuracy", labels, world.online_percent[index])
    truth.gauge("ab_test_business_impact", {**labels, "metric_type": "net_business_value"}, world.net_value * index)


def fill_mlflow(truth: MlflowTruth, end: float) -> None:
    ended = datetime.fromtimestamp(end, UTC) - timedelta(hours=1)
    for name, world in WORLDS.items():
        experiment = truth.experiment(name)
        for index, variant in enumerate(VARIANTS):
            metrics = {metric: getattr(world, metric)[index] for metric in ("accuracy", "precision", "recall", "f1")}
            truth.run(experiment, variant, started=ended - timedelta(hours=1), ended=ended, metrics=metrics, params={"test_size": world.test_rows[index]})


def _middle(bound: float) -> float:
    below = BOUNDS[BOUNDS.index(bound) - 1] if BOUNDS.index(bound) else 0.0
    return (below + bound) / 2
