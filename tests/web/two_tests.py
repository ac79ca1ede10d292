"""Two A/B tests, `checkout` and `fraud`, in one MLflow and one Prometheus, with numbers that cannot be confused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.conftest import RunningPrometheus
from tests.support.fault_proxy import FaultProxy
from tests.support.mlflow_database import MlflowDatabase
from tests.support.mlflow_truth import MlflowTruth
from tests.support.prometheus_truth import PrometheusTruth

SPAN_SECONDS = 30 * 3600  # three of them in the future; a year is told from whole days
SCRAPE_SECONDS = 60
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0)
LATENCY = {0.05: 0.4, 0.1: 0.4, 0.25: 0.15, 0.5: 0.05}
VARIANTS = {"checkout": ("baseline", "enhanced", "third"), "fraud": ("baseline", "enhanced")}
SUCCESSES = {"checkout": (6.0, 3.0, 1.0), "fraud": (2.0, 1.0)}  # a second
ACCURACY = {"checkout": (0.782, 0.818, 0.801), "fraud": (0.911, 0.934)}


@dataclass(frozen=True)
class Sources:
    """The two sources, and the proxies through which the page reaches them."""

    database: MlflowDatabase
    prometheus: RunningPrometheus
    mlflow_proxy: FaultProxy
    prometheus_proxy: FaultProxy

    @property
    def environment(self) -> dict[str, str]:
        own = self.database.environment
        return {**own, "MLFLOW_DB_HOST": self.mlflow_proxy.host, "MLFLOW_DB_PORT": str(self.mlflow_proxy.port), "PROMETHEUS_URL": self.prometheus_proxy.url}


def fill_prometheus(end: float) -> PrometheusTruth:
    truth = PrometheusTruth(start=end - SPAN_SECONDS, end=end, scrape_seconds=SCRAPE_SECONDS)
    for experiment, variants in VARIANTS.items():
        for index, variant in enumerate(variants):
            _add_model(truth, SUCCESSES[experiment][index], {"model_name": f"{variant}-predictor", "experiment": experiment, "instance": "a:1", "job": "ab"}, index)
    return truth


def _add_model(truth: PrometheusTruth, successes: float, labels: dict[str, str], index: int) -> None:
    errors = successes / 100
    truth.counter("ab_test_requests_total", {**labels, "status": "success"}, successes)
    truth.counter("ab_test_requests_total", {**labels, "status": "error"}, errors)
    truth.counter("ab_test_errors_total", labels, errors)
    truth.histogram("ab_test_response_time_seconds", labels, {bound: 100 * LATENCY.get(bound, 0.0) for bound in (*BOUNDS, math.inf)})
    truth.gauge("ab_test_model_accuracy", labels, 78.0 + index)
    truth.gauge("ab_test_business_impact", {**labels, "metric_type": "net_business_value"}, 1.5 * index)


def fill_mlflow(truth: MlflowTruth) -> None:
    """`checkout` has the newer runs, so that it is the page's own experiment."""
    for age_hours, (experiment, variants) in zip((2, 30), VARIANTS.items(), strict=True):
        number = truth.experiment(experiment)
        for variant, accuracy in zip(variants, ACCURACY[experiment], strict=True):
            log(truth, number, variant, accuracy, age_hours=age_hours)


def log(truth: MlflowTruth, experiment: int, variant: str, accuracy: float, *, age_hours: float = 0.0) -> None:
    """A finished run with that accuracy of 5,000 rows."""
    ended = datetime.now(UTC) - timedelta(hours=age_hours)
    truth.run(experiment, variant, started=ended - timedelta(minutes=5), ended=ended, metrics={"accuracy": accuracy}, params={"test_size": 5000})
