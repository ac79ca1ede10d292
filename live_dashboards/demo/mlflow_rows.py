"""The demo's experiments in MLflow's own tables: training runs of the same two variants that serve the demo's
traffic, over the last weeks.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from random import Random

from psycopg2.extensions import connection as Connection  # noqa: N812 # a class under a lower-case name
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from psycopg2.extras import execute_values

from live_dashboards.demo.world import BASELINE, ENHANCED, EXPERIMENT
from live_dashboards.model.metrics import METRICS

TEST_ROWS = 20_000
_POSITIVES = 9_200  # of the test rows
_EPOCHS = 12
_EPOCH = timedelta(hours=2)
_WEEKS = 5

_ADD_EXPERIMENT = """
insert into experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time)
values (%s, 'demo-artifacts', 'active', %s, %s) returning experiment_id"""
_ADD_RUNS = """
insert into runs (run_uuid, name, source_type, source_name, entry_point_name, source_version, user_id,
  lifecycle_stage, artifact_uri,
                  status, start_time, end_time, experiment_id) values %s"""
_ADD_METRICS = "insert into metrics (key, value, timestamp, run_uuid, step, is_nan) values %s"
_ADD_LATEST = "insert into latest_metrics (key, value, timestamp, run_uuid, step, is_nan) values %s"
_ADD_PARAMS = "insert into params (key, value, run_uuid) values %s"
_ADD_TAGS = "insert into tags (key, value, run_uuid) values %s"


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A run to be: `epochs` histories end at `accuracy_ratio`; a run that has not ended has no `ended_at`."""

    run_id: str
    name: str
    variant: str | None
    status: str
    started_at: datetime
    ended_at: datetime | None
    epochs: int
    accuracy_ratio: float
    test_rows: int = TEST_ROWS


@dataclass(frozen=True, slots=True)
class DemoExperiment:
    """An experiment to be, with its runs."""

    name: str
    runs: tuple[TrainingRun, ...]


@dataclass
class _Writer:
    """Makes runs from one seeded stream, so that the same moment gives the same tables."""

    now: datetime
    chance: Random = field(default_factory=lambda: Random(11))  # noqa: S311 # a reproducible demo, no secret

    def run(
        self,
        name: str,
        variant: str | None,
        age: timedelta,
        accuracy_ratio: float,
        *,
        status: str = "FINISHED",
        epochs: int = _EPOCHS,
        test_rows: int = TEST_ROWS,
    ) -> TrainingRun:
        """A run that ended (or, while RUNNING, logged last) `age` ago."""
        last = self.now - age
        run_id = uuid.UUID(int=self.chance.getrandbits(128)).hex
        return TrainingRun(
            run_id,
            name,
            variant,
            status,
            last - _EPOCH * epochs,
            None if status == "RUNNING" else last,
            epochs,
            accuracy_ratio,
            test_rows,
        )

    def weekly(self, variant: str, final_ratio: float) -> Iterator[TrainingRun]:
        """One finished run a week, each a little better than the one before."""
        for weeks_before in reversed(range(_WEEKS)):
            # the newest serve for more than half of the test, whose evidence is of them
            age = timedelta(days=7 * weeks_before + 4.5, hours=self.chance.uniform(0, 30))
            yield self.run(
                f"{variant}-v{_WEEKS - weeks_before}",
                variant,
                age,
                final_ratio - 0.004 * weeks_before + self.chance.gauss(0, 0.001),
            )


def demo_experiments(now: datetime) -> tuple[DemoExperiment, ...]:
    """The A/B test that the demo serves, two smaller ones that ended in the last hours, and a study that is
    none.
    """
    make = _Writer(now)
    hours = timedelta(hours=1)
    named = {
        EXPERIMENT: (
            *make.weekly("baseline", BASELINE.accuracy_ratio),
            *make.weekly("enhanced", ENHANCED.accuracy_ratio),
            make.run("enhanced-v4-wide", "enhanced", timedelta(days=6), 0.71, status="FAILED", epochs=3),
            make.run(
                f"enhanced-v{_WEEKS + 1}",
                "enhanced",
                timedelta(seconds=50),
                0.802,
                status="RUNNING",
                epochs=6,
            ),
        ),
        "demo-ab-ranking": (
            make.run("control-v1", "control", 7 * hours, 0.641, test_rows=5000),
            make.run("treatment-v1", "treatment", 6 * hours, 0.652, test_rows=5000),
        ),
        "demo-ab-churn": (
            make.run("control-v1", "control", 5 * hours, 0.873, test_rows=8000),
            make.run("boosted-v1", "boosted", 4 * hours, 0.871, test_rows=8000),
        ),
        "demo-feature-study": (
            make.run("all-features", None, 30 * hours, 0.74),
            make.run("few-features", None, 3 * hours, 0.75),
        ),
    }
    return tuple(DemoExperiment(name, runs) for name, runs in named.items())


@cache
def schema_statements() -> str:
    """The statements that make MLflow's tables, as MLflow itself made them."""
    return resources.files("live_dashboards.demo").joinpath("mlflow_schema.sql").read_text(encoding="utf-8")


def make_tables(connection: Connection) -> None:
    """Make MLflow's tables in an empty database."""
    with connection, connection.cursor() as cursor:
        cursor.execute(schema_statements())


def fill_tables(connection: Connection, now: datetime) -> None:
    """Write the demo's experiments as of that moment, in one transaction."""
    with connection, connection.cursor() as cursor:
        for experiment in demo_experiments(now):
            _write(cursor, experiment)
        cursor.execute("analyze")


def _write(cursor: Cursor, experiment: DemoExperiment) -> None:
    created_ms = _milliseconds(min(run.started_at for run in experiment.runs))
    cursor.execute(_ADD_EXPERIMENT, (experiment.name, created_ms, created_ms))
    (experiment_id,) = cursor.fetchone() or (None,)
    execute_values(cursor, _ADD_RUNS, [_run_row(run, experiment_id) for run in experiment.runs])
    points = {run.run_id: list(_points(run)) for run in experiment.runs}
    execute_values(cursor, _ADD_METRICS, [row for rows in points.values() for row in rows])
    execute_values(
        cursor,
        _ADD_LATEST,
        [row for run in experiment.runs for row in points[run.run_id] if row[4] == run.epochs - 1],
    )
    execute_values(
        cursor, _ADD_PARAMS, [(*pair, run.run_id) for run in experiment.runs for pair in _params(run)]
    )
    execute_values(cursor, _ADD_TAGS, [(*pair, run.run_id) for run in experiment.runs for pair in _tags(run)])


def _run_row(run: TrainingRun, experiment_id: int) -> tuple[object, ...]:
    ended_ms = None if run.ended_at is None else _milliseconds(run.ended_at)
    source = ("UNKNOWN", "", "", "", "demo", "active", f"demo-artifacts/{run.run_id}/artifacts")
    return (run.run_id, run.name, *source, run.status, _milliseconds(run.started_at), ended_ms, experiment_id)


def _params(run: TrainingRun) -> list[tuple[str, str]]:
    variant = [("model_variant", run.variant)] if run.variant else []
    return [*variant, ("test_size", str(run.test_rows)), ("epochs", str(_EPOCHS)), ("learning_rate", "0.001")]


def _tags(run: TrainingRun) -> list[tuple[str, str]]:
    return [
        ("mlflow.runName", run.name),
        ("mlflow.user", "demo"),
        ("mlflow.source.name", "demo"),
        ("mlflow.source.type", "LOCAL"),
    ]


def _points(run: TrainingRun) -> Iterator[tuple[str, float, int, str, int, bool]]:
    """Rows of `metrics`: after each epoch the scores of one table of hits and misses on the test rows, and
    that table.
    """
    chance = Random(run.run_id)  # noqa: S311 # a reproducible demo, no secret
    for step in range(run.epochs):
        at_ms = _milliseconds(run.started_at + _EPOCH * (step + 1))
        learnt = 1 - 0.5 ** (1 + step) if step < run.epochs - 1 else 1.0
        for key, value in _scores(run, 0.5 + (run.accuracy_ratio - 0.5) * learnt, chance).items():
            yield key, value, at_ms, run.run_id, step, False


def _scores(run: TrainingRun, accuracy_ratio: float, chance: Random) -> dict[str, float]:
    """Scores that belong together, of every metric of the catalogue, and the counts that they come from, as
    mlflow.evaluate logs them: whole test rows, right and wrong.
    """
    positives = _POSITIVES * run.test_rows // TEST_ROWS
    negatives = run.test_rows - positives
    hits = round(positives * (accuracy_ratio - 0.012) + chance.gauss(0, (positives * 0.17) ** 0.5))
    rejections = round(negatives * (accuracy_ratio + 0.010) + chance.gauss(0, (negatives * 0.17) ** 0.5))
    precision, recall = hits / (hits + negatives - rejections), hits / positives
    counts = {
        "true_positives": hits,
        "false_positives": negatives - rejections,
        "false_negatives": positives - hits,
        "true_negatives": rejections,
    }
    accuracy = (hits + rejections) / run.test_rows
    counted = {
        "accuracy": accuracy,
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall),
    }
    scores = {
        metric.keys[0]: counted.get(metric.name, metric.simulated(accuracy)) for metric in METRICS.values()
    }
    return {**scores, **counts}


def _milliseconds(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1000)
