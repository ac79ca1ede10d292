"""The database answers from indexes, and tables that were never analysed do not make it slow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.sources.mlflow_reading import NOW, ab_test, ago, ask
from tests.support.pace import ends_within

pytestmark = pytest.mark.mlflow_versions(2, 3)

TABLES = ("experiments", "runs", "params", "tags", "metrics", "latest_metrics")
NOW_MS = int(NOW.timestamp() * 1000)
MANY_RUNS = """
insert into experiments (name, lifecycle_stage) select 'many ' || i, 'active' from generate_series(1, %(experiments)s) i;
insert into runs (run_uuid, name, status, start_time, end_time, lifecycle_stage, experiment_id)
select md5(i::text), 'r', 'FINISHED', %(now)s - i * 1000, %(now)s, 'active', e.experiment_id
from generate_series(1, %(runs)s) i join experiments e on e.name = 'many ' || (1 + i %% %(experiments)s);
insert into params (key, value, run_uuid) select 'model_variant', 'v' || (run_uuid < '8'), run_uuid from runs where name = 'r';
insert into latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
select k, 0.5, %(now)s, 0, false, run_uuid from runs, unnest(array['accuracy', 'loss']) k where name = 'r';
"""
MANY_METRICS = """
insert into metrics (key, value, timestamp, run_uuid, step, is_nan)
select k, 0.5, %(now)s - i * 1000, md5((1 + i %% %(runs)s)::text), i, false from generate_series(1, %(points)s) i, unnest(array['accuracy', 'loss', 'system/cpu']) k;
"""
# every tenth run is the parent of the nine after it; `whose` says who has the variant
SEARCHES = """
insert into tags (key, value, run_uuid) select 'mlflow.parentRunId', md5((i - i %% 10)::text), md5(i::text) from generate_series(11, %(runs)s) i where i %% 10 <> 0;
insert into latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
select 'best_accuracy', 0.5, %(now)s, 0, false, md5(i::text) from generate_series(10, %(runs)s, 10) i;
delete from params p using generate_series(10, %(runs)s) i where p.run_uuid = md5(i::text) and (i %% 10 = 0) = (%(whose)s = 'trials');
delete from latest_metrics m using generate_series(10, %(runs)s, 10) i where m.run_uuid = md5(i::text) and m.key = 'accuracy';
delete from params p using generate_series(1, 9) i where p.run_uuid = md5(i::text);
"""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def plan_of(database, query: str) -> list[dict[str, Any]]:
    with closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"explain (format json) {query}")
        answer = cursor.fetchone()[0]
        return list(nodes((json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]))


def fill(database, statement: str, **amounts: int | str) -> None:
    with closing(database.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, {"now": NOW_MS, **amounts})


def test_history_reads_metrics_through_an_index_bounded_by_key(mlflow_database):
    fill(mlflow_database, MANY_RUNS + MANY_METRICS, runs=500, points=60_000, experiments=100)
    mlflow_database.execute("analyze")
    plan = plan_of(mlflow_database, ask(mlflow_database, window_seconds=3600).query("accuracy_history"))
    scans = {node["Node Type"] for node in plan if node.get("Relation Name") == "metrics"}
    conditions = [node["Index Cond"] for node in plan if node.get("Index Name") in {"metric_pk", "index_metrics_run_uuid_key_step"}]
    assert scans <= {"Index Only Scan", "Index Scan", "Bitmap Heap Scan"}
    assert conditions
    assert all("key" in condition and ("timestamp" in condition or "run_uuid" in condition) for condition in conditions)


def test_no_question_but_history_touches_the_table_of_all_metrics(mlflow_database):
    ab_test(mlflow_database.truth)
    answer = ask(mlflow_database)
    touched = {name for name, query in answer.queries if any(node.get("Relation Name") == "metrics" for node in plan_of(mlflow_database, query))}
    assert touched == {"accuracy_history"}


@pytest.mark.parametrize("experiments", [100, 1])
def test_tables_that_were_never_analysed_are_read_in_time(mlflow_database, experiments):
    mlflow_database.execute("".join(f"alter table {table} set (autovacuum_enabled = off);" for table in TABLES))
    fill(mlflow_database, MANY_RUNS + MANY_METRICS, runs=20_000, points=20_000, experiments=experiments)
    with ends_within(8):  # comparing every run with every row takes minutes
        answer = ask(mlflow_database)
    assert sum(experiment.is_ab_test for experiment in answer.experiments) == experiments
    assert len(answer.values) == 2
    assert len(answer.history.series) == 2


@pytest.mark.parametrize("experiments", [100, 2])
def test_a_choice_among_tests_without_values_is_made_in_time(mlflow_database, experiments):
    mlflow_database.execute("".join(f"alter table {table} set (autovacuum_enabled = off);" for table in TABLES))
    fill(mlflow_database, MANY_RUNS.replace("'accuracy'", "'roc'"), runs=20_000, experiments=experiments)
    ab_test(mlflow_database.truth, "with values", started=ago(days=30))
    with ends_within(8):
        answer = ask(mlflow_database)
    # no more are looked into than can be read in time
    assert answer.experiment == ("with values" if experiments == 2 else "many 100")


@pytest.mark.parametrize("whose", ["trials", "parents"])
def test_searches_in_tables_that_were_never_analysed_are_read_in_time(mlflow_database, whose):
    mlflow_database.execute("".join(f"alter table {table} set (autovacuum_enabled = off);" for table in TABLES))
    fill(mlflow_database, MANY_RUNS + SEARCHES, runs=20_000, experiments=1, whose=whose)
    with ends_within(8):
        answer = ask(mlflow_database)
    found = [value for value in answer.values if value.search]
    assert [(value.metric, value.value, value.is_child) for value in found] == [("accuracy", 0.5, True)] * 2
    assert [value.siblings for value in found] == ([9, 9] if whose == "parents" else [5, 4])
