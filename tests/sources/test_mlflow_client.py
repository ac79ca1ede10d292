"""What MLflow's own client logs is what is read: nothing of the store is written by hand here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from tests.sources.mlflow_reading import ask, logged, value
from tests.support.mlflow_tables import tracking_uri

LOGS = """
import sys
from mlflow import MlflowClient

client = MlflowClient(tracking_uri=sys.argv[1])
made = client.create_experiment("client-ab")

def log(variant, accuracy, *, tagged=False, end="FINISHED", parent=None, **metrics):
    tags = {**({"model_variant": variant} if tagged else {}), **({"mlflow.parentRunId": parent} if parent else {})}
    run = client.create_run(made, tags=tags, run_name=f"{variant} {accuracy}").info.run_id
    if not tagged:
        client.log_param(run, "model_variant", variant)
        client.log_param(run, "test_size", 2000)
    for key, number in {"accuracy": accuracy, **metrics}.items():
        client.log_metric(run, key, number)
    if end:
        client.set_terminated(run, end)
    return run

log("baseline", 0.782, precision=0.7, recall=0.6, f1_score=0.65)
kept = log("enhanced", 0.818, tagged=True)
log("enhanced", float("nan"))
log("enhanced", float("inf"))
log("enhanced", float("-inf"))
log("enhanced", 0.99, end="FAILED")
log("enhanced", 0.98, end="KILLED")
log("enhanced", 0.97, end=None)
log("enhanced", 0.96, parent=kept)
client.delete_run(log("enhanced", 0.95))
client.rename_experiment(made, "client ab")
gone = client.create_experiment("gone")
for variant in ("a", "b"):
    client.log_param(client.create_run(gone).info.run_id, "model_variant", variant)
client.delete_experiment(gone)
model = client.create_registered_model("served").name
version = client.create_model_version(model, f"runs:/{kept}/model", kept)
client.set_registered_model_alias(model, "champion", version.version)
"""


@pytest.fixture(scope="module")
def no_warnings() -> Mapping[str, str]:
    return {"PYTHONWARNINGS": "ignore", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def test_the_clients_own_logging_is_read_with_all_its_odd_values(mlflow_database, no_warnings):
    uri = tracking_uri(mlflow_database.server, mlflow_database.name, mlflow_database.user, mlflow_database.password)
    subprocess.run([sys.executable, "-c", LOGS, uri], cwd="/", env=no_warnings, check=True, capture_output=True)
    answer = ask(mlflow_database, at=datetime.now(UTC))
    assert answer.experiment == "client ab"
    assert answer.known_experiments == ("client ab", "Default")
    assert {name: logged(answer, "baseline", name) for name in ("accuracy", "precision", "recall", "f1")} == {
        "accuracy": 0.782,
        "precision": 0.7,
        "recall": 0.6,
        "f1": 0.65,
    }
    assert logged(answer, "enhanced") == 0.818
    baseline = value(answer, "baseline")
    assert baseline is not None
    assert (baseline.test_count, baseline.run_name, baseline.key) == ("2000", "baseline 0.782", "accuracy")
    assert dict(answer.experiments[0].variants) == {"baseline": 1, "enhanced": 8}
    assert sum(count.runs for count in answer.status_counts if count.is_child) == 1
    assert {(count.status, count.runs) for count in answer.status_counts if count.variant == "enhanced" and not count.is_child} == {
        ("FINISHED", 4),
        ("FAILED", 1),
        ("KILLED", 1),
        ("RUNNING", 1),
    }
    assert answer.value_ranges[0] == ("accuracy", 0.782, 0.99)
    assert [(version.name, version.version, version.aliases) for version in answer.versions] == [("served", 1, ("champion",))]
    enhanced = next(series for series in answer.history.series if series.label("variant") == "enhanced")
    assert all(share is not None and 0.8 < share < 1 for _, share in enhanced.points)
