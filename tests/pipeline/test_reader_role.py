"""The role of docs/security.md, made by the statements that stand there: it reads all that the tool needs, and PostgreSQL refuses it everything else."""

import json
import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from live_dashboards.app.cli import main
from live_dashboards.errors import SourceError
from tests.sources.mlflow_reading import ago, ask
from tests.sources.mlflow_ways import dataset, read
from tests.support.mlflow_database import DOCUMENTED_TABLES
from tests.support.waiting import LONGEST_SECONDS

ROOT = Path(__file__).parents[2]
PASSWORD = "p@ss'w/o%rd"


def statements(path):
    """The SQL block of a document that makes the role, as one runs it: indentation of a list taken away."""
    (block,) = re.findall(r"```sql\n(.*?)```", (ROOT / path).read_text(encoding="utf-8"), re.DOTALL)
    return re.sub(r"(?m)^ +", "", block)


def one_by_one(path):
    return [" ".join(statement.split()) for statement in statements(path).split(";") if statement.strip()]


@pytest.fixture
def reader(mlflow_database):
    """The database with two finished runs, and the role made by the document's own words; only its password and the database's name are put in."""
    database = mlflow_database
    experiment = database.truth.experiment("ab")
    for variant in ("baseline", "enhanced"):
        run = database.truth.run(
            experiment, variant, metrics={"accuracy": 0.8, "precision": 0.8, "recall": 0.8, "f1": 0.8}, params={"test_size": 5000}, started=ago(hours=5)
        )
        database.execute("insert into registered_models (name) values (%s)", (variant,))
        database.execute("insert into model_versions (name, version, run_id, creation_time, current_stage) values (%s, 1, %s, 1, 'None')", (variant, run))
        database.execute("insert into registered_model_aliases (name, alias, version) values (%s, 'live', 1)", (variant,))
    text = statements("docs/security.md").replace("'…'", "'" + PASSWORD.replace("'", "''") + "'").replace("database mlflow", f'database "{database.name}"')
    assert text.count(database.name) == 1
    database.execute(text)
    yield {**database.environment, "MLFLOW_DB_USER": "dashboard", "MLFLOW_DB_PASSWORD": PASSWORD, "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}
    database.execute("drop owned by dashboard; drop role dashboard")


def logged_in(reader):
    names = {"HOST": "host", "PORT": "port", "NAME": "dbname", "USER": "user", "PASSWORD": "password"}
    connection = psycopg2.connect(**{name: reader[f"MLFLOW_DB_{key}"] for key, name in names.items()})
    connection.autocommit = True
    return closing(connection)


def tables(reader, right):
    with logged_in(reader) as connection, connection.cursor() as cursor:
        cursor.execute("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and has_table_privilege(oid, %s)", (right,))
        return {name for (name,) in cursor}


def refused(cursor, statement):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(statement)


@pytest.mark.mlflow_versions(3, 2)
def test_the_documented_role_reads_what_is_needed_and_postgresql_refuses_it_the_rest(reader, mlflow_database, standard_prometheus, run_checks):
    assert set(one_by_one("README.md")) < set(one_by_one("docs/security.md"))
    assert tables(reader, "select") == DOCUMENTED_TABLES
    assert tables(reader, "insert, update, delete, truncate, references, trigger") == set()
    with logged_in(reader) as connection, connection.cursor() as cursor:
        cursor.execute("set default_transaction_read_only = off")  # a role may undo its own defaults: what refuses it are the rights it does not have
        for table in DOCUMENTED_TABLES:
            cursor.execute(f"select * from {table} limit 1")
            refused(cursor, f"insert into {table} select * from {table}")
            refused(cursor, f"delete from {table}")
        refused(cursor, "update runs set status = 'FAILED'")
        refused(cursor, "create table public.mine (a int)")
        refused(cursor, "select * from registered_models")
        if mlflow_database.version == 3:
            refused(cursor, "select * from secrets")
    found = run_checks({**reader, **standard_prometheus.environment})
    assert set(found.values()) == {"ok"}, found


@pytest.fixture
def run_checks(monkeypatch, capsys, tmp_path):
    def run(environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        main(["check", "--json"], base_folder=tmp_path)
        checks = json.loads(capsys.readouterr().out)["checks"]
        return {check["name"]: check["ok"] for check in checks if check["name"].startswith("MLflow")}

    return run


@pytest.mark.usefixtures("reader")
def test_no_table_is_granted_that_the_answer_does_not_need(mlflow_database):
    """Each right taken away alone is an error, or takes something from what is shown."""
    database = replace(mlflow_database, user="dashboard", password=PASSWORD)
    whole = shown(database)
    for table in DOCUMENTED_TABLES:
        database.execute(f"revoke select on {table} from dashboard")
        assert shown(database) != whole, table
        database.execute(f"grant select on {table} to dashboard")
    assert shown(database) == whole


def shown(database):
    try:
        answer = ask(database)
    except SourceError as error:
        return error.code
    return answer.values, answer.versions, answer.status.version


def test_without_the_right_to_read_data_sets_one_line_has_the_grant_and_the_page_stays(reader, mlflow_database):
    """They are looked at only where no run logs the number of its test rows."""
    made = mlflow_database.truth.experiment("rows")
    runs = [mlflow_database.truth.run(made, variant, metrics={"accuracy": share}, started=ago(hours=5)) for variant, share in (("baseline", 0.7), ("enhanced", 0.8))]
    for run in runs:
        dataset(mlflow_database, run)
    found = read(reader, AB_EXPERIMENT="rows")
    assert [(value.value, value.test_count) for value in found.values] == [(0.7, None), (0.8, None)]
    (told,) = found.status.warnings
    assert told.startswith("not every run logs how many test rows it had, and ")
    grant = re.search(r"grant select on inputs, datasets, input_tags to \"\w+\"", told)
    mlflow_database.execute(grant[0])
    again = read(reader, AB_EXPERIMENT="rows")
    assert ([value.test_count for value in again.values], again.status.warnings) == (["500", "500"], ())
