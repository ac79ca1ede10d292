"""Asks MLflow as the product does, at a fixed moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from live_dashboards.model.snapshot import Experiment, MlflowAnswer, VariantValue
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.postgres import PostgresSource
from tests.support.waiting import LONGEST_SECONDS

DAY_SECONDS = 86_400.0
NOW = datetime.now(UTC).replace(microsecond=0)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def ask(database, *, at=NOW, window_seconds=DAY_SECONDS, seconds=LONGEST_SECONDS, on_experiment=None, **settings: str) -> MlflowAnswer:
    source = PostgresSource(load_settings(environment={**database.environment, **settings}))
    return source.read(at=at, window_seconds=window_seconds, deadline=Deadline(seconds), on_experiment=on_experiment or (lambda _: None))


def value(answer: MlflowAnswer, variant: str, metric: str = "accuracy") -> VariantValue | None:
    return next((found for found in answer.values if (found.variant, found.metric) == (variant, metric)), None)


def logged(answer: MlflowAnswer, variant: str, metric: str = "accuracy") -> float | None:
    found = value(answer, variant, metric)
    return found.value if found else None


def experiment(answer: MlflowAnswer, name: str) -> Experiment:
    return next(found for found in answer.experiments if found.name == name)


def ab_test(truth, name: str = "ab", *, baseline: float = 0.75, enhanced: float = 0.8, started: datetime | None = None) -> int:
    """An experiment with one finished run of each of two variants."""
    made = truth.experiment(name)
    truth.run(made, "baseline", metrics={"accuracy": baseline}, started=started or ago(hours=5))
    truth.run(made, "enhanced", metrics={"accuracy": enhanced}, started=started or ago(hours=5))
    return made
