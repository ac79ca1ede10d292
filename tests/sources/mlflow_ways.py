"""One truth with everything that is ugly in MLflow, and the three ways to ask for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
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
    _write_scores(truth)
    _write_searches(truth)
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
    for name, days, metrics in (("measured", 118, {"accuracy_score_X_test": 0.7}), ("half measured", 117, {"loss": 0.3}), ("begun", 116, {"accuracy": math.nan})):
        made = truth.experiment(name)
        for variant in ("baseline", "enhanced"):
            truth.run(made, variant, metrics=metrics, started=ago(days=days))
        if name == "half measured":
            truth.run(made, "enhanced", metrics={"accuracy": 0.8}, started=ago(days=days))
            truth.run(made, "baseline", metrics={"accuracy": 0.8}, status="FAILED", started=ago(days=days))
            truth.run(made, "baseline", metrics={"accuracy": 0.8}, started=ago(days=110))


def _write_scores(truth: MlflowTruth) -> None:
    """What autolog logs of model.score: the class in front makes the keys of variants differ."""
    made, of_class = truth.experiment("scored"), "{}_score_X_test".format
    log = partial(_log, truth, made)
    log("baseline", {of_class("LogisticRegression"): 0.7, "training_accuracy_score": 0.9}, days=100)
    log("baseline", {of_class("DecisionTreeClassifier"): 0.6}, days=101)
    log("enhanced", {of_class("RandomForestClassifier"): 0.8, "training_accuracy_score": 0.99}, days=100)
    log("enhanced", {of_class("RandomForestClassifier"): 0.1, of_class("LogisticRegression"): 0.2}, days=99)
    log("enhanced", {"RandomForestClassifier_score_X_val": 0.95}, days=99)
    log("enhanced", {"RandomForestClassifier_score_X_train": 0.96}, days=99)
    log("both alike", {of_class("SVC"): 0.55, of_class("Pipeline"): 0.55}, days=100)
    log("plain first", {of_class("SVC"): 0.5, "accuracy_score_X_test": 0.51}, days=100)
    log("of a pipeline", {of_class("Pipeline"): 0.65}, days=101)
    log("of a pipeline", {of_class("Pipeline"): 0.66, "training_r2_score": 0.9}, days=100)
    log("of a search", {of_class("GridSearchCV"): 0.75}, days=102, params={"scoring": "None"})
    log("of a search", {of_class("GridSearchCV"): 0.76}, days=101, params={"scoring": "f1"})
    log("of a search", {of_class("OwnModel"): 42.0}, days=100)
    log("of a regressor", {of_class("Lasso"): 0.85, of_class("LinearRegression"): 0.86, of_class("KMeans"): 0.9}, days=100)
    many = truth.experiment("of many keys")
    for variant, name in (("baseline", "SVC"), ("enhanced", "GaussianNB"), ("later", "SVC")):
        keys = {**{f"metric {number:03}": 1.0 for number in range(210)}, **({of_class(name): 0.7, "f1_score_X_test": 0.6} if variant != "later" else {})}
        _log(truth, many, variant, keys, days=120)
    parent = log(None, {"best_cv_score": 0.9, "mean_test_score": 0.9}, days=100)
    for number, name in enumerate(("SVC", "RandomForestClassifier", "GaussianNB")):
        log("by trials", {of_class(name): 0.7 + 0.05 * (number % 2), "mean_test_score": 0.9}, days=99 - number / 24, parent=parent)


def _log(
    truth: MlflowTruth, experiment: int, variant: str | None, metrics: Mapping[str, float], *, days: float, parent: str | None = None, status: str = "FINISHED", **own
) -> str:
    """A run that began so many days ago."""
    started = ago(days=days)
    return truth.run(
        experiment, variant, metrics=metrics, started=started, ended=started + timedelta(minutes=9), name=f"run of {days:.3f}", parent=parent, status=status, **own
    )


TRIALS = (0.75, 0.83, 0.71)
SEARCHES: dict[str, tuple[dict[str, object], bool, bool, float | None, str | None, str | None]] = {
    "best of the parent": ({"metrics": {"best_accuracy": 0.83 + 1e-12}}, False, True, 0.83 + 1e-12, "1001", "parent"),
    "another one is best by the parent": ({"metrics": {"best_accuracy": 0.75}}, False, True, 0.75, "1000", "parent"),
    "no trial has it": ({"metrics": {"best_accuracy": 0.9}}, False, True, 0.83, "1001", None),
    "the parent logs none": ({"metrics": {"best_f1": 0.75}}, False, True, 0.83, "1001", None),
    "the parent logs no number": ({"metrics": {"best_accuracy": math.nan}}, False, True, 0.83, "1001", None),
    "the parent failed": ({"metrics": {"best_accuracy": 0.75}, "status": "FAILED"}, False, True, 0.83, "1001", None),
    "the parent was killed": ({"metrics": {"best_accuracy": 0.75}, "status": "KILLED"}, False, True, 0.83, "1001", None),
    "the parent is running": ({"metrics": {"best_accuracy": 0.75}, "status": "RUNNING"}, False, True, 0.75, "1000", "parent"),
    "the parent is deleted": ({"metrics": {"best_accuracy": 0.75}, "lifecycle": "deleted"}, False, True, 0.83, "1001", None),
    "both have the variant": ({"metrics": {"best_accuracy": 0.75}}, True, True, 0.75, "1000", "parent"),
    "both, and no trial has it": ({"metrics": {"best_accuracy": 0.9}}, True, True, 0.83, "1001", None),
    "the parent alone": ({"metrics": {"best_accuracy": 0.83}, "params": {"test_size": 5}}, True, False, 0.83, "1001", "parent"),
    "the parent alone, and no trial has it": ({"metrics": {"best_accuracy": 0.9}, "params": {"test_size": 5}}, True, False, 0.9, "5", "parent"),
    "the parent alone, which failed": ({"metrics": {"best_accuracy": 0.83}, "status": "FAILED"}, True, False, None, None, None),
    "the parent has a plain one": ({"metrics": {"best_accuracy": 0.83, "accuracy": 0.6}, "params": {"test_size": 7}}, True, False, 0.6, "7", None),
    "a plain one beside trials": ({"metrics": {"best_accuracy": 0.83, "accuracy": 0.6}}, True, True, 0.6, None, None),
}
"""What each variant's parent run has, whether it and its three trials have the variant, and what is to be read: value, test rows and whose best."""


def _write_searches(truth: MlflowTruth) -> None:
    """Searches by hand, a variant each; lower errors where accuracies are higher."""
    made = truth.experiment("searched")
    for variant, (own, has_parent, has_trials, *_) in SEARCHES.items():
        parent = truth.run(made, variant if has_parent else None, started=ago(days=110), name="parent", **own)
        for number, share in enumerate(TRIALS):
            _log(
                truth,
                made,
                variant if has_trials else None,
                {"accuracy": share, "rmse": 10 - 10 * share},
                days=109 - number / 24,
                parent=parent,
                params={"test_size": 1000 + number},
            )
    truth.run(made, "no trials", metrics={"best_accuracy": 0.99}, started=ago(days=110))
    elsewhere = truth.run(truth.experiment("elsewhere"), None, metrics={"best_accuracy": 0.75}, started=ago(days=110))
    several = truth.run(made, None, metrics={"best_accuracy": 0.78, "best_rmse": 1.9}, started=ago(days=110), name="several")
    silent = truth.run(made, "of silent trials", metrics={"best_accuracy": 0.64}, started=ago(days=110), name="silent")
    _log(truth, made, None, {"loss": 0.2}, days=109, parent=silent)
    for variant, parent, share, days in (
        ("parent elsewhere", elsewhere, 0.75, 109.0),
        ("parent elsewhere", elsewhere, 0.76, 108.0),
        ("first of several", several, 0.78, 109.0),
        ("first of several", several, 0.72, 108.0),
        ("second of several", several, 0.74, 107.0),
        ("second of several", several, 0.70, 106.0),
    ):
        _log(truth, made, variant, {"accuracy": share, "rmse": 9 - 10 * share}, days=days, parent=parent)
    outer = truth.run(made, None, started=ago(days=110), name="outer")
    nested = truth.run(made, "nested", parent=outer, metrics={"best_accuracy": 0.78}, started=ago(days=109), name="nested search")
    for number, share in enumerate((0.75, 0.78, 0.74)):
        _log(truth, made, None, {"accuracy": share}, days=108 - number / 24, parent=nested, params={"test_size": 1000 + number})
    epochs = truth.run(made, None, metrics={"best_accuracy": 0.88}, started=ago(days=110), name="epochs")
    trial = _log(truth, made, "of epochs", {}, days=109, parent=epochs)
    truth.history(trial, "accuracy", [(ago(days=109, minutes=-step), step, 0.8 + step / 50) for step in range(1, 5)])
    truth.history(trial, "accuracy", [(ago(days=108), 0, 0.81)])


def _write_versions(database: MlflowDatabase, *runs: str) -> None:
    database.execute("insert into registered_models (name) values ('model')")
    for number, (run, stage) in enumerate([(runs[0], "None"), (runs[1], "Production"), (runs[1], "Deleted_Internal"), ("0" * 32, "None")], 1):
        made_ms = round(ago(hours=number).timestamp() * 1000)
        row = ("model", number, made_ms, run, stage)
        database.execute("insert into model_versions (name, version, creation_time, run_id, current_stage) values (%s, %s, %s, %s, %s)", row)
    for alias in ("champion", "a"):
        database.execute("insert into registered_model_aliases (name, version, alias) values ('model', 2, %s)", (alias,))
