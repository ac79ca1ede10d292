"""MLflow's tables with 40 A/B experiments of 200 runs each, in databases that differ in nothing but the number of metric rows.

Row n of the history is counted backwards: first the last value of every key of every run, then the one before. So a larger database holds a smaller one's
rows and older ones, latest_metrics is the same in all, and rows of one run are spread over the whole table, which is the worst case for a look-up by run.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from live_dashboards.demo.mlflow_rows import schema_statements
from live_dashboards.demo.servers import PostgresServer

EXPERIMENTS = 40
RUNS = 200
KEYS = ("accuracy", "precision", "recall", "f1", "loss", "val_loss", "learning_rate", "system/cpu_utilization_percentage")
SERVER = {"shared_buffers": "1GB", "maintenance_work_mem": "1GB", "max_wal_size": "8GB", "effective_cache_size": "4GB", "work_mem": "4MB", "max_parallel_workers": "2"}
_SPAN_DAYS = 30
_STEP_MS = 45_000
_LAST_STEP = 10_000_000 // (EXPERIMENTS * RUNS * len(KEYS)) + 1

_RUNS = f"""
create temporary table numbered as
select e * {RUNS} + i as number, md5('run ' || e || ' ' || i) as run_uuid, e + 1 as experiment_id, i,
       case when i %% 2 = 0 then 'baseline' else 'enhanced' end as variant,
       %(now_ms)s - ({RUNS - 1} - i) * {_SPAN_DAYS * 86_400_000 // RUNS}::bigint - e * 1000 as end_ms,
       case when i %% 20 = 7 then 'FAILED' when i %% 50 = 9 then 'RUNNING' else 'FINISHED' end as status
from generate_series(0, {EXPERIMENTS - 1}) e, generate_series(0, {RUNS - 1}) i;
insert into experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
select e, 'ab-test-' || to_char(e, 'FM00'), 'artifacts', 'active', %(now_ms)s, %(now_ms)s from generate_series(1, {EXPERIMENTS}) e;
insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id)
select run_uuid, variant || '-' || i, 'UNKNOWN', '', '', 'trainer', status, end_ms - {_LAST_STEP * _STEP_MS}, case when status <> 'RUNNING' then end_ms end,
       case when i %% 50 = 3 then 'deleted' else 'active' end, 'artifacts/' || run_uuid, experiment_id
from numbered;
insert into params (key, value, run_uuid)
select key, value, run_uuid from numbered,
  lateral (values ('model_variant', variant), ('test_size', '20000'), ('learning_rate', '0.001'), ('epochs', '{_LAST_STEP}')) p(key, value);
insert into tags (key, value, run_uuid)
select key, value, run_uuid from numbered,
  lateral (values ('mlflow.runName', variant || '-' || i), ('mlflow.user', 'trainer'), ('mlflow.source.name', 'train.py'), ('mlflow.source.type', 'LOCAL')) t(key, value);
create table benchmark_runs as select number, run_uuid, end_ms from numbered"""
_POINT = f"""
select k.key, 0.5 + 0.4 / (1 + n.back) + 0.001 * (r.number %% 97), r.end_ms - n.back * {_STEP_MS}, r.run_uuid, {_LAST_STEP} - n.back, false
from (select s / {EXPERIMENTS * RUNS * len(KEYS)} as back, s / {EXPERIMENTS * RUNS} %% {len(KEYS)} as key_number, s %% {EXPERIMENTS * RUNS} as number
      from generate_series(%(first)s::bigint, %(last)s::bigint) s) n
join benchmark_runs r on r.number = n.number
join unnest(%(keys)s) with ordinality k(key, place) on k.place = n.key_number + 1"""
_ADD_LATEST = f"insert into latest_metrics (key, value, timestamp, run_uuid, step, is_nan) {_POINT}"
_ADD_METRICS = f"insert into metrics (key, value, timestamp, run_uuid, step, is_nan) {_POINT}"
_INDEXES = """
select coalesce(c.conname, i.indexrelid::regclass::text),
       coalesce('alter table metrics add ' || 'constraint ' || c.conname || ' ' || pg_get_constraintdef(c.oid), pg_get_indexdef(i.indexrelid)),
       c.oid is not null
from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.conrelid = i.indrelid
where i.indrelid = 'metrics'::regclass"""


def fill(server: PostgresServer, database_of: dict[int, str], now_ms: int) -> None:
    """Make a database for each number of metric rows, each a copy of the next smaller one with more rows; then vacuum and analyse them."""
    before_rows, before = 0, None
    for rows, database in sorted(database_of.items()):
        server.create_database(database, template=before)
        if before is None:
            _make(server, database, now_ms)
        _add_metrics(server, database, before_rows, rows)
        server.execute("vacuum analyze", database=database)
        before_rows, before = rows, database
    server.execute("checkpoint")


def _make(server: PostgresServer, database: str, now_ms: int) -> None:
    with closing(server.connect(database)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(schema_statements())
        cursor.execute("set search_path to public")
        cursor.execute(_RUNS, {"now_ms": now_ms})
        cursor.execute(_ADD_LATEST, _points(0, EXPERIMENTS * RUNS * len(KEYS)))


def _add_metrics(server: PostgresServer, database: str, first: int, beyond: int) -> None:
    """More rows at once, with the indexes built afterwards; the references are right by construction and not checked row by row."""
    with closing(server.connect(database)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(_INDEXES)
        indexes: Sequence[tuple[str, str, bool]] = cursor.fetchall()
        for name, _, is_constraint in indexes:
            cursor.execute(f"alter table metrics drop constraint {name}" if is_constraint else f"drop index {name}")
        cursor.execute("set session_replication_role = replica")
        cursor.execute(_ADD_METRICS, _points(first, beyond))
        for _, definition, _ in indexes:
            cursor.execute(definition)


def _points(first: int, beyond: int) -> dict[str, object]:
    return {"first": first, "last": beyond - 1, "keys": list(KEYS)}
