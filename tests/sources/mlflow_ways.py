"""One truth with everything that is ugly in MLflow, and the three ways to ask for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from live_dashboards.model.snapshot import Answer, MlflowAnswer
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.ways import mlflow_source
from tests.sources.mlflow_reading import DAY_SECONDS, NOW, ab_test, ago
from tests.support.mlflow_database import MlflowDatabase
from tests.support.mlflow_truth import MlflowTruth
from tests.support.waiting import LONGEST_SECONDS

HOSTILE = "ab'; drop table runs; -- \"%_\\ {ü} $1 :name 😀"


@dataclass(frozen=True)
class Ways:
    """The settings for each way to ask for the same rows."""

    database: MlflowDatabase
    server_url: str
    path: Path

    @property
    def environments(self) -> dict[str, dict[str, str]]:
        return {
            "PostgreSQL": self.database.environment,
            "REST": {"MLFLOW_TRACKING_URI": self.server_url},
            "SQLite": {"MLFLOW_TRACKING_URI": f"sqlite:///{str(self.path).replace(' ', '%20')}"},
        }


def read(environment, *, at=NOW, window_seconds=DAY_SECONDS, deadline: Deadline | None = None, on_experiment=None, **settings: str) -> MlflowAnswer:
    source = mlflow_source(load_settings(environment={**environment, **settings}))
    given = deadline or Deadline(LONGEST_SECONDS)
    return source.read(at=at, window_seconds=window_seconds, deadline=given, on_experiment=on_experiment or (lambda _: None))


def read_all(environment, *, at=NOW, window_seconds=DAY_SECONDS) -> tuple[MlflowAnswer, ...]:
    source = mlflow_source(load_settings(environment=environment))
    return source.read_all(at=at, window_seconds=window_seconds, deadline=Deadline(LONGEST_SECONDS))


def facts(answer: MlflowAnswer) -> MlflowAnswer:
    """All but who was asked, how, and how long it took; the history is compared apart, as sums of floats depend on their order."""
    status = replace(answer.status, version=None, address=None, duration_seconds=0.0, clock_difference_seconds=None)
    return replace(answer, status=status, queries=(), history=Answer("", "", ""))


def history(answer: MlflowAnswer) -> dict[str, tuple[tuple[float, float | None], ...]]:
    return {series.label("variant"): series.points for series in answer.history.series}


def write_truth(database: MlflowDatabase) -> None:
    truth = database.truth
    made = truth.experiment("ab main")
    parent = truth.run(
        made,
        "baseline",
        metrics={"accuracy": 0.75, "precision": 0.7, "recall": 0.6, "f1_score": 0.65, "true_positives": 70, "false_positives": 30, "false_negatives": 40},
        params={"test_size": 2000},
        started=ago(hours=6),
    )
    newest = truth.run(made, " enhanced\n", variant_in="tags", metrics={"accuracy": 0.82, "f1": 0.8, "test_size": 2500}, started=ago(hours=5))
    truth.run(made, "enhanced", metrics={"accuracy": 0.99}, status="RUNNING", started=ago(hours=1))
    truth.run(made, "enhanced", metrics={"accuracy": 0.98}, status="FAILED", started=ago(hours=2))
    truth.run(made, "enhanced", metrics={"accuracy": math.nan, "loss": math.inf}, started=ago(hours=3), name="diverged")
    truth.run(made, "baseline", metrics={"accuracy": -math.inf, "precision": math.inf}, started=ago(hours=2, minutes=30), name="infinite")
    truth.run(made, "baseline", metrics={"accuracy": 0.01}, lifecycle="deleted", started=ago(hours=1))
    truth.run(made, "  ", tags={"model_variant": "only by its tag"}, metrics={"accuracy": 0.5}, name="", started=ago(hours=4))
    truth.run(made, None, name="without a variant", metrics={"accuracy": 0.4, "system/cpu": 3.0}, started=ago(minutes=50))
    truth.run(made, "later", metrics={"accuracy": 0.9}, started=NOW + timedelta(days=2), name="of the future")
    for number in range(3):
        truth.run(made, "baseline", parent=parent, metrics={"accuracy": 0.1 * number}, started=ago(hours=5, minutes=number))
        truth.run(made, "swept", parent=parent, metrics={"accuracy": 0.2 * number}, started=ago(hours=5, minutes=number))
    for run, level in ((parent, 0.7), (newest, 0.8)):
        points = [(ago(minutes=7 * step), -step, level + step / 1000) for step in range(60)]
        truth.history(run, "accuracy", [*points, (ago(minutes=31), 5, math.nan), (ago(minutes=32), 6, 1e301), (ago(days=3), 7, 0.3), (ago(minutes=7), 8, 0.33)])
    other = truth.experiment(HOSTILE)
    for variant in ("'; select 1; --", "two\u2028lines", "two"):
        truth.run(other, variant, metrics={"accuracy": 81.5, "val_precision": 0.4, "val_true_positives": 4, "val_false_positives": 6}, started=ago(days=2))
    truth.run(truth.experiment("one variant"), "lonely", started=ago(days=1))
    _write_as_clients_log(truth)
    _write_autologged(database)
    _write_own_ways(truth)
    _write_by_alias(database)
    _write_models(database)
    _write_begun(truth)
    ab_test(truth, "ab of long ago", started=ago(days=40))
    deleted = truth.experiment("deleted", "deleted")
    truth.run(deleted, "baseline", metrics={"accuracy": 0.3})
    truth.run(deleted, "enhanced", metrics={"accuracy": 0.3})
    _write_versions(database, parent, newest)


def _write_as_clients_log(truth: MlflowTruth) -> None:
    """What mlflow.models.evaluate logs beside an accuracy of one variant alone, and epochs with steps before a final value that has none."""
    made = truth.experiment("as clients log")
    for variant, share in (("baseline", 0.7), ("enhanced", 0.8)):
        metrics = {"accuracy_score": share, "precision_score": share, "example_count": 500, **({"accuracy": 0.1} if variant == "baseline" else {})}
        run = truth.run(made, variant, metrics=metrics, started=ago(days=60))
        truth.history(run, "f1_score", [(ago(days=60, minutes=-step), step, 0.9 + step / 1000) for step in range(1, 6)])
        truth.history(run, "f1_score", [(ago(days=59, hours=23), 0, share)])


def dataset(database: MlflowDatabase, run: str, *, name: str = "dataset", context: str = "", profile: str | None = '{"num_rows": 500}') -> None:
    """A data set of a run, for evaluation, for training or without a context."""
    made, used = uuid4().hex, uuid4().hex
    database.execute(
        "insert into datasets (dataset_uuid, experiment_id, name, digest, dataset_source_type, dataset_source, dataset_profile) "
        "select %s, r.experiment_id, %s, %s, 'code', '{}', %s from runs r where r.run_uuid = %s",
        (made, name, made[:8], profile, run),
    )
    database.execute("insert into inputs (input_uuid, source_type, source_id, destination_type, destination_id) values (%s, 'DATASET', %s, 'RUN', %s)", (used, made, run))
    if context:
        database.execute("insert into input_tags (input_uuid, name, value) values (%s, 'mlflow.data.context', %s)", (used, context))


def _write_autologged(database: MlflowDatabase) -> None:
    """What autolog logs of training rows and, after the run, of test rows, with its data sets."""
    made = database.truth.experiment("autologged")
    for variant, share in (("baseline", 0.7), ("enhanced", 0.8)):
        run = database.truth.run(made, variant, metrics={"training_accuracy_score": 0.99, "accuracy_score_X_test": share}, started=ago(days=70))
        dataset(database, run, context="train", profile='{"num_rows": 1500}')
        dataset(database, run, context="eval", profile='{"features_shape": [250, 4], "features_size": 1000}')


def _write_own_ways(truth: MlflowTruth) -> None:
    """Variants under names of their own: a param, a tag of another name, and a blank param before it."""
    made = truth.experiment("own ways")
    for lane, role, share in (("a-b/c d", None, 0.7), (" ", "new", 0.8), ("a-b/c d", "old", 0.6)):
        tags = {} if role is None else {"my role": role}
        truth.run(made, None, params={"lane.x": lane}, tags=tags, metrics={"accuracy": share}, started=ago(days=80 + round(10 * share)))


def _write_by_alias(database: MlflowDatabase) -> None:
    """Runs without a variant whose models' versions have aliases, several of one of them; and a trial that has none."""
    made = database.truth.experiment("by alias")
    starts = ((0.774, ago(days=90)), (0.796, ago(days=91)), (0.99, ago(days=89)))
    runs = [database.truth.run(made, None, metrics={"accuracy": share}, params={"test_size": 500}, started=started) for share, started in starts]
    database.execute("insert into registered_models (name) values ('fraud')")
    for version, run in enumerate(runs[:2], 1):
        database.execute("insert into model_versions (name, version, creation_time, run_id, current_stage) values ('fraud', %s, %s, %s, 'None')", (version, version, run))
    for alias, version in (("blue", 1), ("champion", 1), ("challenger", 2)):
        database.execute("insert into registered_model_aliases (name, version, alias) values ('fraud', %s, %s)", (version, alias))


def logged_model(
    database: MlflowDatabase, experiment: int, *, source: str | None = None, params: Mapping[str, str] | None = None, tags: Mapping[str, str] | None = None
) -> str:
    """A LoggedModel as MLflow 3 keeps it; its id."""
    model = f"m-{uuid4().hex}"
    columns = "model_id, experiment_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status, lifecycle_stage, source_run_id"
    database.execute(f"insert into logged_models ({columns}) values (%s, %s, 'm', '/a', 1, 1, 2, 'active', %s)", (model, experiment, source))
    for key, value in (params or {}).items():
        database.execute("insert into logged_model_params (model_id, experiment_id, param_key, param_value) values (%s, %s, %s, %s)", (model, experiment, key, value))
    for key, value in (tags or {}).items():
        database.execute("insert into logged_model_tags (model_id, experiment_id, tag_key, tag_value) values (%s, %s, %s, %s)", (model, experiment, key, value))
    return model


def measured(database: MlflowDatabase, run: str, model: str, key: str, value: float, *, at: datetime, step: int = 0) -> None:
    """A metric that a run logged with a model_id, as MLflow 3 keeps it: by run, and by model, where NaN is 0."""
    database.truth.metric(run, key, value, at, step)
    database.execute(
        "insert into logged_model_metrics (model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, experiment_id, run_id) "
        "select %s, %s, %s, %s, %s, g.experiment_id, %s from logged_models g where g.model_id = %s",
        (model, key, round(at.timestamp() * 1000), step, 0.0 if math.isnan(value) else value, run, model),
    )


def _write_models(database: MlflowDatabase) -> None:
    """Models measured by other runs than those that trained them: two by one run, one each by two, and such as no run trained."""
    truth = database.truth
    compared, evaluated, external = (truth.experiment(name) for name in ("compared", "evaluated", "external"))
    both = truth.run(compared, None, params={"test_size": 900}, started=ago(days=95), name="compare")
    outside = truth.run(external, None, started=ago(days=95), name="both")
    for variant, value in (("baseline", 0.80), ("enhanced", 0.86)):
        at = ago(days=94, minutes=-round(100 * value))
        model = logged_model(database, compared, source=truth.run(compared, variant, started=ago(days=96)), params={"model_variant": variant})
        measured(database, both, model, "accuracy", value, at=at)
        measured(database, both, model, "f1", math.nan if variant == "baseline" else value, at=at)
        measured(database, both, model, "recall", value, at=at)
        measured(database, both, model, "true_positives", 1000 * value, at=at)
        trained = truth.run(evaluated, variant, started=ago(days=96), metrics={"accuracy_score": 0.5})
        model = logged_model(database, evaluated, source=trained)
        run = truth.run(evaluated, None, started=ago(days=95), name=f"evaluate {value}")
        for key, found in {"accuracy_score": value, "example_count": 500.0, "f1_score": math.nan}.items():
            measured(database, run, model, key, found, at=at)
            measured(database, run, model, key, found, at=at + timedelta(seconds=1))
        model = logged_model(database, external, tags={"model_variant": f" {variant}"})
        measured(database, outside, model, "accuracy", value / 2, at=at, step=1)
        measured(database, outside, model, "accuracy", value, at=at, step=2)
    measured(database, outside, logged_model(database, external), "accuracy", 0.99, at=ago(days=93), step=3)


def _write_begun(truth: MlflowTruth) -> None:
    """Tests of long ago: one that autolog measured, then one of whose variants only one has a value, then one that has none."""
    for name, days, metrics in (("measured", 130, {"accuracy_score_X_test": 0.7}), ("half measured", 125, {"loss": 0.3}), ("begun", 120, {"accuracy": math.nan})):
        made = truth.experiment(name)
        for variant in ("baseline", "enhanced"):
            truth.run(made, variant, metrics=metrics, started=ago(days=days))
        if name == "half measured":
            truth.run(made, "enhanced", metrics={"accuracy": 0.8}, started=ago(days=days))
            truth.run(made, "baseline", metrics={"accuracy": 0.8}, status="FAILED", started=ago(days=days))
            truth.run(made, "baseline", metrics={"accuracy": 0.8}, started=ago(days=110))


def _write_versions(database: MlflowDatabase, *runs: str) -> None:
    database.execute("insert into registered_models (name) values ('model')")
    for number, (run, stage) in enumerate([(runs[0], "None"), (runs[1], "Production"), (runs[1], "Deleted_Internal"), ("0" * 32, "None")], 1):
        made_ms = round(ago(hours=number).timestamp() * 1000)
        row = ("model", number, made_ms, run, stage)
        database.execute("insert into model_versions (name, version, creation_time, run_id, current_stage) values (%s, %s, %s, %s, %s)", row)
    for alias in ("champion", "a"):
        database.execute("insert into registered_model_aliases (name, version, alias) values ('model', 2, %s)", (alias,))
