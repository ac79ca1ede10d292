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


def _faults(summary: Mapping[str, Any], variant: str, wanted: Expected) -> Iterable[str]:
    shown = summary["variants"].get(variant)
    if shown is None:
        yield f"is not on the page, which knows {sorted(summary['variants'])}"
        return
    for what in ("requests", "errors"):
        if shown[what] != getattr(wanted, what):
            yield f"{what} {shown[what]} instead of {getattr(wanted, what)}"
    if wanted.mean_ms is not None and not _is_near(shown[MEAN], wanted.mean_ms):
        yield f"mean {shown[MEAN]} instead of {wanted.mean_ms}"
    if wanted.p95_bucket_ms is not None and not _is_within(shown[P95], wanted.p95_bucket_ms):
        yield f"p95 {shown[P95]} outside {wanted.p95_bucket_ms}"
    for name, known in ((MEAN, wanted.mean_ms), (P95, wanted.p95_bucket_ms)):
        if known is None:
            yield from _unless_missing(summary, variant, name)


def _is_near(shown: float | None, wanted: float) -> bool:
    return shown is not None and abs(shown - wanted) <= ROUNDING * wanted


def _is_within(shown: float | None, bucket: tuple[float, float]) -> bool:
    return shown is not None and bucket[0] <= shown <= bucket[1]


def _unless_missing(summary: Mapping[str, Any], variant: str, name: str) -> Iterable[str]:
    if summary["variants"][variant][name] is not None:
        yield f"{name} is {summary['variants'][variant][name]}, which the framework cannot tell"
    elif not any(each["name"] == name and each.get("variant") == variant and each.get("reason") for each in summary["measurements"]):
        yield f"{name} is missing without a reason"
