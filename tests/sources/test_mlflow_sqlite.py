"""A SQLite file of MLflow is read and nothing else: not made, not changed, not locked for long; what is none says why."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import tracemalloc
from contextlib import closing
from datetime import UTC, datetime

import pytest

from live_dashboards.errors import SourceError
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.sqlite import texts
from live_dashboards.sources.mlflow.sqlite.database import SqliteDatabase
from live_dashboards.sources.mlflow.sqlite.source import sqlite_path
from tests.sources.hand_clock import HandClock
from tests.sources.mlflow_reading import ago
from tests.sources.mlflow_ways import facts, history, read
from tests.support.other_account import as_somebody_else
from tests.support.pace import ends_within
from tests.support.waiting import LONGEST_SECONDS


@pytest.fixture
def file(ways, tmp_path):
    return shutil.copy(ways.path, tmp_path / "mlflow.db")


def environment(path) -> dict[str, str]:
    return {"MLFLOW_TRACKING_URI": f"sqlite:///{path}"}


def failure(path, deadline: Deadline | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(environment(path), deadline=deadline)
    assert str(path) in caught.value.reason
    assert caught.value.fix
    return caught.value


def test_what_is_no_database_of_mlflow_says_so_and_is_not_made(tmp_path):
    missing, text, empty, other = (tmp_path / name for name in ("missing.db", "text.db", "empty.db", "other.db"))
    text.write_text("this is no database, and long enough to be looked at as one " * 20, encoding="utf-8")
    empty.touch()
    with closing(sqlite3.connect(other)) as made:
        made.execute("create table experiments (id)")
    assert [failure(path).code for path in (missing, tmp_path, text, empty, other)] == ["no_file", "no_file", "not_sqlite", "no_tables", "no_tables"]
    assert not missing.exists()


def test_a_path_that_can_be_none_is_told_before_anything_is_asked(tmp_path):
    (tmp_path / "file").touch()
    odd = {tmp_path / "file" / "mlflow.db": "no file", tmp_path / ("a" * 300): "can be no file", tmp_path / "zero%00byte": "can be no file"}
    for path, words in odd.items():
        with pytest.raises(SourceError, match=words) as caught:
            read(environment(path))
        assert (caught.value.code, "MLFLOW_TRACKING_URI" in caught.value.fix) == ("no_file", True)


def test_a_folder_that_this_account_may_not_enter_is_told(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with as_somebody_else():
        found = failure(closed / "mlflow.db")
    assert (found.code, "right to enter its folder" in found.fix) == ("rights", True)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_reading_changes_nothing_and_leaves_no_file(file, mode):
    with closing(sqlite3.connect(file)) as made:
        made.execute(f"pragma journal_mode = {mode}")
    before = (file.read_bytes(), file.stat().st_mtime_ns, sorted(file.parent.iterdir()))
    assert read(environment(file)).status.has_answered
    assert (file.read_bytes(), file.stat().st_mtime_ns, sorted(file.parent.iterdir())) == before


def test_a_file_that_stays_locked_is_told_at_the_deadline(file):
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("begin exclusive")
        still = HandClock().deadline(0.5)
        with ends_within(0.5):
            assert failure(file, still).code == "locked"
        with SqliteDatabase(file, deadline=still) as database:
            assert database.rows("patience", "pragma busy_timeout") == [(500,)]


def test_a_writer_in_wal_mode_disturbs_nobody_and_what_it_commits_is_read(file, ways):
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("pragma journal_mode = wal")
        writer.execute("begin immediate")
        writer.execute("update latest_metrics set value = 0.5 where key = 'accuracy'")
        assert facts(read(environment(file))) == facts(read(environment(ways.path)))
        writer.execute("commit")
        assert {value.value for value in read(environment(file)).values if value.metric == "accuracy"} == {0.5}


def test_a_file_that_begins_to_be_written_while_it_is_taken_for_quiet_is_not_believed(file):
    with closing(sqlite3.connect(file)) as made:
        made.execute("pragma journal_mode = wal")
    with SqliteDatabase(file, deadline=Deadline(LONGEST_SECONDS)) as database, closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("update runs set name = 'renamed'")
        with pytest.raises(SourceError, match="was written to while it was read"):
            database.rows("runs", "select name from runs")


def test_a_reader_does_not_keep_a_writer_waiting(file):
    with SqliteDatabase(file, deadline=Deadline(LONGEST_SECONDS)) as database, closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as writer:
        assert database.rows("runs", "select count(*) from runs")[0][0] > 10
        writer.execute("update runs set name = 'renamed'")
        assert database.rows("runs", "select distinct name from runs") == [("renamed",)]


ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"


def test_a_statement_ends_at_the_deadline_or_when_it_is_aborted(file):
    with SqliteDatabase(file, deadline=Deadline(0.3)) as database, ends_within(0.3), pytest.raises(SourceError, match="did not answer"):
        database.rows("endless", ENDLESS)
    with SqliteDatabase(file, deadline=Deadline(LONGEST_SECONDS)) as database:
        threading.Timer(0.2, database.abort).start()
        with ends_within(0.2), pytest.raises(SourceError, match="did not answer"):
            database.rows("endless", ENDLESS)


def test_a_relative_path_begins_in_the_current_folder_and_may_be_quoted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = {uri: sqlite_path(load_settings(environment={"MLFLOW_TRACKING_URI": uri})) for uri in ("sqlite:///mlflow.db", "sqlite:////a%20b/m.db?x=1")}
    assert [str(path) for path in paths.values()] == [str(tmp_path / "mlflow.db"), "/a b/m.db"]
    (tmp_path / "as%20written.db").touch()
    assert sqlite_path(load_settings(environment={"MLFLOW_TRACKING_URI": "sqlite:///as%20written.db"})).name == "as%20written.db"


MANY = """
with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)
insert into runs (run_uuid, experiment_id, name, status, lifecycle_stage, start_time) select 'many-' || i, :made, 'n', 'FINISHED', 'active', :at - i from n;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200)
insert into latest_metrics (key, value, timestamp, step, is_nan, run_uuid) select 'm/' || n.i, 0.5, :at + n.i, 0, 0, r.run_uuid from runs r, n where r.name = 'n'"""


def test_of_runs_with_hundreds_of_metrics_only_what_is_needed_is_kept_in_memory(file):
    before = read(environment(file), AB_EXPERIMENT="ab of long ago")
    at_ms = round(ago(minutes=20).timestamp() * 1000)
    with closing(sqlite3.connect(file)) as made, made:
        for statement in MANY.split(";"):
            made.execute(statement, {"made": before.experiments[0].experiment_id, "at": at_ms})
    tracemalloc.start()
    try:
        answer = read(environment(file), AB_EXPERIMENT="ab of long ago")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 5_000_000
    assert (answer.values, len(answer.runs)) == (before.values, 200)
    assert answer.runs[5].last_sign_at == answer.newest_at == datetime.fromtimestamp(at_ms / 1000 + 0.2, UTC)


CUT = {"MAX_RUNS": "5 runs", "MAX_MARKED_RUNS": "5 runs with a variant", "MAX_POINTS": "5 values of accuracy in the window"}


@pytest.mark.parametrize("limit", CUT)
def test_where_a_limit_cuts_something_off_it_is_said(file, monkeypatch, limit):
    whole, before = read(environment(file), AB_EXPERIMENT="ab main"), f"limit {getattr(texts, limit)}"
    for name, text in [(name, text) for name, text in vars(texts).items() if name.isupper() and isinstance(text, str)]:
        monkeypatch.setattr(texts, name, text.replace(before, "limit 5"))
    monkeypatch.setattr(texts, limit, 5)
    answer = read(environment(file), AB_EXPERIMENT="ab main")
    (told,) = answer.status.warnings
    assert f"only the newest {CUT[limit]}" in told
    assert (len(answer.runs) < len(whole.runs), answer.experiments != whole.experiments, len(points(answer)) < len(points(whole))) == (
        limit == "MAX_RUNS",
        limit != "MAX_POINTS",
        limit != "MAX_MARKED_RUNS",
    )


def points(answer) -> list[object]:
    return [point for of_variant in history(answer).values() for point in of_variant]


def test_tables_without_workspaces_versions_and_revision_are_read_too(file):
    with closing(sqlite3.connect(file, isolation_level=None)) as older:
        for table in ("registered_model_aliases", "model_versions", "alembic_version"):
            older.execute(f"drop table {table}")
        older.execute("alter table experiments rename column workspace to workspace_later")
    answer = read(environment(file))
    assert (answer.versions, len(answer.values) > 3, answer.status.warnings) == ((), True, ())
    assert answer.status.version == f"SQLite {sqlite3.sqlite_version}"


def test_the_queries_are_the_statements(ways):
    answer = read(environment(ways.path))
    assert all(text.startswith("SQLite: ") and "select" in text for _, text in answer.queries)
    assert "from latest_metrics" in answer.query("values") or "join latest_metrics" in answer.query("values")
    assert answer.status.address == f"sqlite:///{ways.path}"
