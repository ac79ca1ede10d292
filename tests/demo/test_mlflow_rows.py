"""The demo's rows, in tables that MLflow made, read back by MLflow; and the packaged tables against MLflow's own."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from live_dashboards.demo.mlflow_rows import demo_experiments, fill_tables, make_tables
from live_dashboards.demo.servers import PostgresServer
from live_dashboards.demo.world import EXPERIMENT
from tests.support.mlflow_database import MlflowDatabase, drop_database
from tests.support.mlflow_tables import SCHEMA_OF_MLFLOW_3, tracking_uri

KEYS = ("accuracy", "precision", "recall", "f1", "true_positives", "false_positives", "false_negatives", "true_negatives")
READ_BACK = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
columns = ["run_id", "status", "params.model_variant", "params.test_size", *(f"metrics.{key}" for key in sys.argv[3:])]
print(mlflow.search_runs(experiment_names=[sys.argv[2]])[columns].to_json(orient="records", double_precision=15))
"""
COLUMNS = """
select table_name, column_name, data_type, character_maximum_length, is_nullable, column_default
from information_schema.columns where table_schema = 'public' order by 1, 2"""
INDEXES = "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' order by 1, 2"


def rows(server: PostgresServer, database: str, query: str) -> list[tuple[Any, ...]]:
    with closing(server.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@pytest.mark.parametrize("query", [COLUMNS, INDEXES], ids=["columns", "indexes"])
def test_the_packaged_tables_are_those_that_mlflow_makes(postgres: PostgresServer, mlflow_3_template: str, query: str) -> None:
    postgres.create_database("packaged")
    with closing(postgres.connect("packaged")) as connection:
        make_tables(connection)
    packaged = rows(postgres, "packaged", query)
    drop_database(postgres, "packaged")
    assert packaged
    assert packaged == rows(postgres, mlflow_3_template, query)


def test_the_packaged_tables_say_how_they_were_made() -> None:
    assert "pg_dump" in SCHEMA_OF_MLFLOW_3.read_text(encoding="utf-8")[:600]


def test_mlflow_reads_the_demo_back_with_equal_numbers(mlflow_database: MlflowDatabase) -> None:
    now = datetime.now(UTC)
    with closing(mlflow_database.connect()) as connection:
        fill_tables(connection, now)
    uri = tracking_uri(mlflow_database.server, mlflow_database.name, mlflow_database.user, mlflow_database.password)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", READ_BACK, uri, EXPERIMENT, *KEYS], cwd="/", capture_output=True, text=True, check=True)
    read = {row["run_id"]: row for row in json.loads(done.stdout.splitlines()[-1])}
    written = {run.run_id: run for run in demo_experiments(now)[0].runs}
    assert read.keys() == written.keys()
    with closing(mlflow_database.connect()) as connection, connection.cursor() as cursor:
        for run_id, run in written.items():
            assert (read[run_id]["status"], read[run_id]["params.model_variant"]) == (run.status, run.variant)
            cursor.execute("select key, value from metrics where run_uuid = %s and step = %s", (run_id, run.epochs - 1))
            assert {key: read[run_id][f"metrics.{key}"] for key in KEYS} == pytest.approx(dict(cursor.fetchall()))


def test_every_accuracy_is_a_whole_number_of_test_rows(mlflow_database: MlflowDatabase) -> None:
    with closing(mlflow_database.connect()) as connection:
        fill_tables(connection, datetime.now(UTC))
    query = """
    select m.value * p.value::int from metrics m join params p using (run_uuid) where m.key = 'accuracy' and p.key = 'test_size'"""
    right = [float(row[0]) for row in rows(mlflow_database.server, mlflow_database.name, query)]
    assert len(right) > 100
    assert right == pytest.approx([round(value) for value in right], abs=1e-6)


def test_precision_and_recall_are_the_shares_of_the_counts_beside_them(mlflow_database: MlflowDatabase) -> None:
    with closing(mlflow_database.connect()) as connection:
        fill_tables(connection, datetime.now(UTC))
    query = """
    select s.value * (t.value + f.value), t.value from metrics s join metrics t using (run_uuid, step) join metrics f using (run_uuid, step)
    where (s.key, t.key, f.key) in (('precision', 'true_positives', 'false_positives'), ('recall', 'true_positives', 'false_negatives'))"""
    found = rows(mlflow_database.server, mlflow_database.name, query)
    assert len(found) > 200
    assert [float(share) for share, _ in found] == pytest.approx([float(hits) for _, hits in found], abs=1e-6)
