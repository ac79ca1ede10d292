"""The three ways to ask MLflow for one experiment of 1,000 runs: its PostgreSQL, a SQLite file with the same rows, and its server over that PostgreSQL."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import MLFLOW_PYTHON, Cost, in_turns, median, megabytes, module, ratio, seconds, table
from benchmarks.mlflow_rows import KEYS, SERVER
from live_dashboards.demo.mlflow_rows import schema_statements
from live_dashboards.demo.servers import PostgresServer
from tests.support.mlflow_database import MlflowDatabase
from tests.support.mlflow_server import copy_to_sqlite, mlflow_server

RUNS = 1_000
_DATABASE = "mlflow_ways"
_FIRST = "PostgreSQL"
_ROWS = f"""
insert into experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
values (1, 'ab-test-01', 'artifacts', 'active', %(now_ms)s, %(now_ms)s);
insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id)
select md5('run ' || i), 'run-' || i, 'UNKNOWN', '', '', 'trainer', 'FINISHED',
       %(now_ms)s - i * 2592000::bigint, %(now_ms)s - i * 2592000::bigint + 60000, 'active', 'artifacts', 1
from generate_series(1, {RUNS}) i;
insert into params (key, value, run_uuid)
select key, value, md5('run ' || i) from generate_series(1, {RUNS}) i,
  lateral (values ('model_variant', case when i %% 2 = 0 then 'baseline' else 'enhanced' end), ('test_size', '20000'), ('epochs', '9')) p(key, value);
insert into tags (key, value, run_uuid)
select key, value, md5('run ' || i) from generate_series(1, {RUNS}) i, lateral (values ('mlflow.runName', 'run-' || i), ('mlflow.user', 'trainer')) t(key, value);
insert into metrics (key, value, timestamp, run_uuid, step, is_nan)
select k, 0.5 + 0.0001 * i, %(now_ms)s - i * 2592000::bigint + 30000, md5('run ' || i), 1, false from generate_series(1, {RUNS}) i, unnest(%(keys)s) k;
insert into latest_metrics (key, value, timestamp, run_uuid, step, is_nan) select key, value, timestamp, run_uuid, step, is_nan from metrics"""


def measure(rounds: int) -> str:
    """The section of the report."""
    now = datetime.now(UTC)
    with PostgresServer(settings=SERVER) as server, tempfile.TemporaryDirectory(prefix="live-dashboards-benchmark-") as folder:
        _fill(server, round(now.timestamp() * 1000))
        path = Path(folder) / "mlflow.db"
        subprocess.run([MLFLOW_PYTHON, "-W", "ignore", "-m", "mlflow", "db", "upgrade", f"sqlite:///{path}"], check=True, capture_output=True)
        copy_to_sqlite(MlflowDatabase(server, _DATABASE, server.user, server.password, 3), path)
        tracking = mlflow_server(f"postgresql+psycopg2://{server.user}:{server.password}@{server.host}:{server.port}/{_DATABASE}", Path(folder))
        try:
            tracking.start()
            database = {"HOST": server.host, "PORT": str(server.port), "NAME": _DATABASE, "USER": server.user, "PASSWORD": server.password}
            settings = {
                _FIRST: {f"MLFLOW_DB_{name}": value for name, value in database.items()},
                "SQLite": {"MLFLOW_TRACKING_URI": f"sqlite:///{path}"},
                "REST API": {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{tracking.port}"},
            }
            costs = in_turns([module(way, "mlflow_reading", "configured", "1", now.isoformat(), environment=own) for way, own in settings.items()], rounds)
        finally:
            tracking.stop()
    return f"## The ways to ask MLflow: one experiment of {RUNS:,} runs\n\n{_table(costs)}"


def _fill(server: PostgresServer, now_ms: int) -> None:
    server.create_database(_DATABASE)
    with closing(server.connect(_DATABASE)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(schema_statements())
        cursor.execute("set search_path to public")
        cursor.execute(_ROWS, {"now_ms": now_ms, "keys": list(KEYS)})
    server.execute("vacuum analyze", database=_DATABASE)


def _table(costs: Mapping[str, Sequence[Cost]]) -> str:
    """Every way must find the same."""
    found = {(told["rows"], told["points"], told["accuracy_sum"]) for told in (own[0].told for own in costs.values())}
    if len(found) != 1:
        raise ValueError(f"the ways differ: {found}")
    rows = []
    for way, own in costs.items():
        wall = median(own, "query_seconds")
        figures = (seconds(wall), str(ratio(own, costs[_FIRST], "query_seconds")), f"{RUNS / wall:,.0f}")
        rows.append([way, *figures, seconds(median(own, "query_cpu_seconds")), megabytes(median(own, "peak_bytes"))])
    return table(["way", "query, wall", "ratio to PostgreSQL", "runs a second", "client CPU in it", "peak memory"], rows)
