"""Stored moments."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from live_dashboards.errors import OutputError, UsageError
from live_dashboards.outputs.snapshot_files import load_snapshot, save_snapshot
from tests.support import snapshots


@pytest.mark.parametrize("name", ["moment.json", "moment.json.gz"])
def test_a_snapshot_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    save_snapshot(snapshots.live(), tmp_path / name)
    assert load_snapshot(tmp_path / name) == snapshots.live()


@pytest.mark.parametrize("name", ["moment.json", "moment.json.gz"])
def test_the_same_snapshot_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    save_snapshot(snapshots.live(), tmp_path / name)
    before = (tmp_path / name).read_bytes()
    save_snapshot(snapshots.live(), tmp_path / name)
    assert (tmp_path / name).read_bytes() == before


def test_gz_is_compressed(tmp_path: Path) -> None:
    save_snapshot(snapshots.live(), tmp_path / "moment.json")
    save_snapshot(snapshots.live(), tmp_path / "moment.json.gz")
    assert (tmp_path / "moment.json.gz").stat().st_size < 0.5 * (tmp_path / "moment.json").stat().st_size


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        load_snapshot(path)
    return str(caught.value)


def stored(folder: Path) -> Any:
    save_snapshot(snapshots.live(), folder / "moment.json")
    return json.loads((folder / "moment.json").read_text(encoding="utf-8"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "moment.json cannot be read: No such file" in refusal(tmp_path / "moment.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_json_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "moment.json").write_bytes(content)
    assert "moment.json is not JSON" in refusal(tmp_path / "moment.json")


@pytest.mark.parametrize("content", [b"{}", b"", gzip.compress(b"x" * 9_000, mtime=0)[:-30], gzip.compress(b"{}", mtime=0)[:12] + b"garbage of some length"])
def test_what_is_no_whole_gzip_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "moment.json.gz").write_bytes(content)
    assert "moment.json.gz" in refusal(tmp_path / "moment.json.gz")


@pytest.mark.parametrize("document", [[], {}, {"schema_version": 2}])
def test_another_schema_version_is_refused(tmp_path: Path, document: Any) -> None:
    (tmp_path / "moment.json").write_text(json.dumps(document), encoding="utf-8")
    assert "this version reads 1; take a new one" in refusal(tmp_path / "moment.json")


def test_the_place_that_does_not_fit_is_named(tmp_path: Path) -> None:
    document = stored(tmp_path)
    document["prometheus"]["status"]["state"] = "sleepy"
    (tmp_path / "moment.json").write_text(json.dumps(document), encoding="utf-8")
    assert "moment.json cannot be used: prometheus.status.state must be one of" in refusal(tmp_path / "moment.json")


def test_a_folder_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="it is a folder"):
        save_snapshot(snapshots.live(), tmp_path)
