"""The latest names are real files with what the stamped ones hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from live_dashboards.errors import OutputError
from live_dashboards.outputs.files import latest_files, outdated, write_files

FILES = {".png": b"picture", ".json": b"{}"}


def write_latest(path: Path, files: dict[str, bytes]) -> None:
    write_files(latest_files(path, files), outdated(path, files))


def test_it_replaces_the_earlier_one_and_its_sidecars(tmp_path: Path) -> None:
    path = tmp_path / "live_ab_dashboard_latest.png"
    write_latest(path, {**FILES, ".csv": b"old", ".md": b"old"})
    write_latest(path, {**FILES, ".png": b"new"})
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {path.name: b"new", path.with_suffix(".json").name: b"{}"}


def test_a_link_is_replaced_by_a_file_and_its_target_stays(tmp_path: Path) -> None:
    path, old = tmp_path / "live_ab_dashboard_latest.png", tmp_path / "old.png"
    old.write_bytes(b"old")
    path.symlink_to(old.name)
    write_latest(path, FILES)
    assert (path.is_symlink(), path.read_bytes(), old.read_bytes()) == (False, b"picture", b"old")


def test_a_folder_in_its_place_is_told_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "live_ab_dashboard_latest.png"
    (path / "mine").mkdir(parents=True)
    with pytest.raises(OutputError, match="folder"):
        write_latest(path, FILES)
    assert (path / "mine").is_dir()
