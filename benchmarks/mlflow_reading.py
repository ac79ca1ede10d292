"""One way to read MLflow, as a process: WAY COUNT NOW, where COUNT experiments are read as of NOW (RFC 3339). Prints what it took as JSON.

`query_seconds` counts from after the imports to the last row; for mlflow's client it starts once the client has connected and checked the schema.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from live_dashboards.model.snapshot import MlflowAnswer

Read = Callable[[], dict[str, Any]]


def main(way: str, count: int, now: datetime) -> None:
    """Reads once and prints the figures."""
    names = [f"ab-test-{number:02}" for number in range(1, count + 1)]
    read = WAYS[way](names, now)
    started, used = time.perf_counter(), time.process_time()
    found = read()
    sys.stdout.write(json.dumps({"query_seconds": time.perf_counter() - started, "query_cpu_seconds": time.process_time() - used, **found}))


def _source(names: list[str], now: datetime) -> Read:
    """The product's source, one read for each experiment; `own_seconds` are spent on the experiment, the rest on connecting and on all experiments."""
    from live_dashboards.settings import load_settings
    from live_dashboards.sources.asking import Deadline
    from live_dashboards.sources.mlflow.postgres import PostgresSource

    every = [load_settings(overrides={"AB_EXPERIMENT": name}) for name in names]

    def read() -> dict[str, Any]:
        chosen = Stopwatch()
        answers = []
        for settings in every:
            source = PostgresSource(settings)
            answers.append(source.read(at=now, window_seconds=settings.window_seconds, deadline=Deadline(60), on_experiment=chosen.start))
            chosen.stop()
        return {**_told(answers), "own_seconds": chosen.seconds}

    return read


def _together(names: list[str], now: datetime) -> Read:
    """The product's source, every A/B experiment at once."""
    from live_dashboards.settings import load_settings
    from live_dashboards.sources.asking import Deadline
    from live_dashboards.sources.mlflow.postgres import PostgresSource

    settings = load_settings()

    def read() -> dict[str, Any]:
        answers = [
            answer for answer in PostgresSource(settings).read_all(at=now, window_seconds=settings.window_seconds, deadline=Deadline(60)) if answer.experiment in names
        ]
        return _told(answers)

    return read


def _configured(names: list[str], now: datetime) -> Read:
    """The way that the settings name: PostgreSQL, SQLite or the REST API."""
    from live_dashboards.settings import load_settings
    from live_dashboards.sources.asking import Deadline
    from live_dashboards.sources.mlflow.ways import mlflow_source

    settings = load_settings(overrides={"AB_EXPERIMENT": names[0]})

    def read() -> dict[str, Any]:
        source = mlflow_source(settings)
        return _told([source.read(at=now, window_seconds=settings.window_seconds, deadline=Deadline(60), on_experiment=lambda _: None)])

    return read


def _told(answers: list[MlflowAnswer]) -> dict[str, Any]:
    """What was found, so that two ways can be compared."""
    accuracies = [value.value for answer in answers for value in answer.values if value.metric == "accuracy"]  # no data frame
    points = sum(len(series.points) for answer in answers for series in answer.history.series)
    return {"rows": sum(len(answer.runs) for answer in answers), "points": points, "accuracy_sum": _sum(accuracies)}


def _search_runs(names: list[str], _: datetime) -> Read:
    """MLflow's own client on the same database."""
    import mlflow

    mlflow.set_tracking_uri(_url("postgresql+psycopg2"))
    mlflow.get_experiment_by_name(names[0])

    def read() -> dict[str, Any]:
        return {"rows": len(mlflow.search_runs(experiment_names=names, max_results=50_000))}

    return read


def _join(names: list[str], _: datetime) -> Read:
    """The naive join of four tables into a data frame."""
    import warnings

    import pandas as pd
    import psycopg2

    warnings.simplefilter("ignore", UserWarning)  # pandas prefers SQLAlchemy, which the product does not have

    def read() -> dict[str, Any]:
        connection = psycopg2.connect(_url("postgresql"))
        frame = pd.read_sql(_JOIN, connection, params={"names": names})  # type: ignore[call-overload] # the stubs know SQLAlchemy only
        connection.close()
        return {"rows": len(frame)}

    return read


_JOIN = """
select e.name, r.run_uuid, r.status, r.start_time, m.key, m.value, m.timestamp, p.key as param, p.value as param_value
from experiments e
join runs r on r.experiment_id = e.experiment_id
join metrics m on m.run_uuid = r.run_uuid
join params p on p.run_uuid = r.run_uuid
where e.name = any(%(names)s)"""
WAYS: dict[str, Callable[[list[str], datetime], Read]] = {"configured": _configured, "source": _source, "together": _together, "search_runs": _search_runs, "join": _join}


class Stopwatch:
    """Adds up the time from the moment at which the source tells the experiment that it has chosen to the end of the read."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._started = 0.0

    def start(self, _: str | None) -> None:
        """Begins; given to the source as what it calls with the experiment's name."""
        self._started = time.perf_counter()

    def stop(self) -> None:
        """Adds what has passed."""
        self.seconds += time.perf_counter() - self._started


def _sum(accuracies: Iterable[float]) -> float:
    return round(math.fsum(accuracies), 9)


def _url(scheme: str) -> str:
    user, password, host, port, name = (os.environ[f"MLFLOW_DB_{part}"] for part in ("USER", "PASSWORD", "HOST", "PORT", "NAME"))
    return f"{scheme}://{user}:{password}@{host}:{port}/{name}"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), datetime.fromisoformat(sys.argv[3]))
