"""The product's command over that Prometheus, with one setting, and where its numbers differ from what it must show."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from live_dashboards.demo.servers import PostgresServer
from tests.frameworks.known import Framework
from tests.frameworks.raw import ROUNDING, Expected
from tests.pipeline.command import log_two_models
from tests.support.mlflow_database import MlflowDatabase
from tests.support.mlflow_tables import SCHEMA_OF_MLFLOW_3

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"
WINDOW = "30m"
MEAN, P95 = "mean_latency_ms", "p95_latency_ms"


@contextmanager
def mlflow() -> Iterator[dict[str, str]]:
    """The settings that make the product read an MLflow database with a run of each variant."""
    with PostgresServer() as server:
        server.create_database("mlflow")
        database = MlflowDatabase(server, "mlflow", server.user, server.password, 3)
        database.execute(SCHEMA_OF_MLFLOW_3.read_text(encoding="utf-8"))
        log_two_models(database, datetime.now(UTC), hours_before=2, accuracies=(0.78, 0.81))
        yield database.environment


def summary_of(framework: Framework, sources: Mapping[str, str]) -> dict[str, Any]:
    """The JSON of `live-dashboards ab`; the command's own words are raised where it fails."""
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "SOURCE_TIMEOUT_SECONDS": "60", **sources, **framework.settings}
    with tempfile.TemporaryDirectory() as folder:
        options = ["--window", WINDOW, "--on-missing", "mark", "--output", "ab.png", "--summary", "ab.json"]
        done = subprocess.run([PYTHON, "-P", "-m", "live_dashboards", "ab", *options], cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"the command ended with {done.returncode}: {done.stderr[-2000:]}")
        summary: dict[str, Any] = json.loads(Path(folder, "ab.json").read_text(encoding="utf-8"))
        return summary


def product_faults(summary: Mapping[str, Any], wanted: Mapping[str, Expected]) -> list[str]:
    """Where the page's numbers are not what the client counted and the framework measured; empty where all is well."""
    return [f"{variant}: {fault}" for variant, each in wanted.items() for fault in _faults(summary, variant, each)]


def measurement(summary: Mapping[str, Any], variant: str, name: str) -> Mapping[str, Any]:
    """What the summary says of a number: value, interval, reason; empty where it says nothing."""
    return next((each for each in summary["measurements"] if (each["name"], each["variant"]) == (name, variant)), {})


def _faults(summary: Mapping[str, Any], variant: str, wanted: Expected) -> Iterable[str]:
    if variant not in summary["variants"]:
        yield f"is not on the page, which knows {sorted(summary['variants'])}"
        return
    told = {name: measurement(summary, variant, name) for name in ("requests", "errors", MEAN, P95)}
    known: dict[str, float | None] = {"requests": wanted.requests, "errors": wanted.errors, MEAN: wanted.mean_ms}
    for name, value in known.items():
        if value is not None and not (_is_equal(told[name], value) or (wanted.unsure and _may_be(told[name], value))):
            yield f"{name} {told[name].get('value')} instead of {value}"
    least, most = told["requests"].get("interval") or (0, 0)
    if most - least > wanted.unsure:
        yield f"requests between {least} and {most}, though series began with {wanted.unsure:g}"
    if wanted.p95_bucket_ms is not None and not _is_within(told[P95].get("value"), wanted.p95_bucket_ms):
        yield f"{P95} {told[P95].get('value')} outside {wanted.p95_bucket_ms}"
    missing = [name for name, value in ((MEAN, wanted.mean_ms), (P95, wanted.p95_bucket_ms)) if value is None]
    yield from (fault for name in missing for fault in _unless_missing(name, told[name]))


def _is_equal(told: Mapping[str, Any], wanted: float) -> bool:
    return told.get("value") is not None and abs(told["value"] - wanted) <= ROUNDING * wanted


def _may_be(told: Mapping[str, Any], wanted: float) -> bool:
    least, most = told.get("interval") or (0.0, 0.0)
    return least - ROUNDING * wanted <= wanted <= most + ROUNDING * wanted


def _is_within(shown: float | None, bucket: tuple[float, float]) -> bool:
    return shown is not None and bucket[0] <= shown <= bucket[1]


def _unless_missing(name: str, told: Mapping[str, Any]) -> Iterable[str]:
    if told.get("value") is not None:
        yield f"{name} is {told['value']}, which the framework cannot tell"
    elif not told.get("reason"):
        yield f"{name} is missing without a reason"
