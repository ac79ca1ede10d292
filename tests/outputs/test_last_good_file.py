"""What a source answered last is kept from one run to the next, and never costs a picture."""

import gzip
import logging
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from live_dashboards import __version__
from live_dashboards.model.codec import LastGood
from live_dashboards.model.measurement import Origin
from live_dashboards.model.snapshot import SourceState
from live_dashboards.outputs.snapshot_files import MOST_FILES, LastGoodFile
from live_dashboards.settings import load_settings
from tests.support.snapshots import live, without_mlflow, without_prometheus

BOTH = live()


def kept_in(folder: Path, **values: str):
    return load_settings(environment={"DASHBOARD_CACHE_DIR": str(folder), **values})


def with_last_good(snapshot, settings):
    """A run of a script."""
    return LastGoodFile(settings).fill(snapshot)


def later(snapshot, seconds):
    return replace(snapshot, at=BOTH.at + timedelta(seconds=seconds))


def test_a_source_that_fails_in_the_next_run_is_shown_as_it_last_was(tmp_path):
    assert with_last_good(BOTH, kept_in(tmp_path)) == BOTH
    found = with_last_good(later(without_mlflow(BOTH), 600), kept_in(tmp_path))
    assert (found.mlflow.values, found.mlflow.origin, found.mlflow.status.state) == (BOTH.mlflow.values, Origin.CACHED, SourceState.CACHED)
    assert found.mlflow.status.answered_at == BOTH.at


def test_each_source_keeps_its_own_newest_answer(tmp_path):
    with_last_good(BOTH, kept_in(tmp_path))
    with_last_good(later(without_mlflow(BOTH), 600), kept_in(tmp_path))
    found = with_last_good(later(without_prometheus(without_mlflow(BOTH)), 900), kept_in(tmp_path))
    moments = found.mlflow.status.answered_at, found.prometheus.status.answered_at
    assert moments == (BOTH.at, BOTH.at + timedelta(seconds=600))


def test_an_answer_older_than_its_limit_is_not_shown(tmp_path):
    settings = kept_in(tmp_path, DASHBOARD_CACHE_MAX_AGE="10m")
    with_last_good(BOTH, settings)
    found = with_last_good(later(without_prometheus(BOTH), 601), settings)
    assert (found.prometheus.status.state, found.prometheus.status.answered_at, found.prometheus.instants) == (SourceState.FAILED, None, ())


@pytest.mark.parametrize(
    "changed", [{"AB_EXPERIMENT": "other"}, {"AB_WINDOW": "1h"}, {"PROMETHEUS_URL": "http://127.0.0.1:1"}, {"MLFLOW_DB_URL": "postgresql://a:b@127.0.0.1/c"}]
)
def test_another_question_has_an_answer_of_its_own(tmp_path, changed):
    with_last_good(BOTH, kept_in(tmp_path))
    assert with_last_good(later(without_mlflow(BOTH), 1), kept_in(tmp_path, **changed)).mlflow.values == ()


def test_a_file_named_from_the_current_folder_is_another_one_in_another_folder(tmp_path, monkeypatch):
    relative, absolute = (kept_in(tmp_path, MLFLOW_TRACKING_URI=uri) for uri in ("sqlite:///mlflow.db", f"sqlite:///{tmp_path}/mlflow.db"))
    for settings in (relative, absolute):
        with_last_good(BOTH, settings)
    monkeypatch.chdir(tmp_path)
    silent = later(without_mlflow(BOTH), 1)
    assert with_last_good(silent, relative).mlflow.values == ()
    assert with_last_good(silent, absolute).mlflow.values == BOTH.mlflow.values


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b broken", b"{}", "gzip of [1]"])
def test_a_damaged_file_is_told_and_written_anew(tmp_path, caplog, content):
    with_last_good(BOTH, kept_in(tmp_path))
    (path,) = tmp_path.iterdir()
    path.write_bytes(content if isinstance(content, bytes) else gzip.compress(f'{{"version": "{__version__}", "kept": [1]}}'.encode()))
    assert with_last_good(later(BOTH, 5), kept_in(tmp_path)) == later(BOTH, 5)
    assert "cannot be read" in caplog.text
    assert with_last_good(later(without_mlflow(BOTH), 10), kept_in(tmp_path)).mlflow.origin is Origin.CACHED


def test_a_folder_that_cannot_be_written_costs_the_memory_and_nothing_else(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        assert with_last_good(BOTH, kept_in(tmp_path / "file" / "folder")) == BOTH
    assert "DASHBOARD_CACHE_DIR" in caplog.text


def test_no_secret_is_in_the_file_or_its_name(tmp_path):
    with_last_good(BOTH, kept_in(tmp_path, MLFLOW_DB_URL="postgresql://u:hunter2@127.0.0.1/db"))
    (path,) = tmp_path.iterdir()
    assert b"hunter2" not in gzip.decompress(path.read_bytes())
    assert "hunter2" not in path.name


def test_of_very_many_questions_the_newest_answers_stay_and_other_files_too(tmp_path):
    others = [tmp_path / "last-good-notes.json.gz", tmp_path / "page.png"]
    for path in others:
        path.touch()
    for number in range(MOST_FILES + 5):
        LastGoodFile(kept_in(tmp_path, AB_EXPERIMENT=f"test {number}")).keep(LastGood(BOTH.mlflow, BOTH.at))
        oldest = min(tmp_path.glob("last-good-*.json.gz"), key=lambda path: path.stat().st_mtime)
        os.utime(oldest, (0, 0))
    assert all(path.exists() for path in others)
    assert len(list(tmp_path.iterdir())) == MOST_FILES + len(others)
    kept = [LastGoodFile(kept_in(tmp_path, AB_EXPERIMENT=f"test {number}")).kept.mlflow for number in range(MOST_FILES + 5)]
    assert kept[-1] == BOTH.mlflow
    assert kept[0] is None
