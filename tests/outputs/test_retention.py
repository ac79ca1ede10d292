"""Only this tool's own stamped files of one dashboard and experiment are ever removed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from live_dashboards.outputs.output_folder import Limits, remove_older

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def name(hours: float, part: str = "", suffix: str = ".png", stem: str = "live_ab_dashboard") -> str:
    return f"{stem}_{NOW - timedelta(hours=hours):%Y%m%d_%H%M%S}{part}{suffix}"


def fill(folder: Path, *names: str) -> None:
    for each in names:
        (folder / each).touch()


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def remove(folder: Path, count: int | None = None, days: float | None = None, *, part: str = "", newest: str | None = None) -> tuple[Path, ...]:
    return remove_older(folder / (newest or name(0, part)), "ab", part, Limits(count, days), NOW)


def test_the_newest_stay_with_their_summary_and_sidecars(tmp_path: Path) -> None:
    fill(tmp_path, *(name(hours, suffix=suffix) for hours in range(4) for suffix in (".png", ".json", ".csv", ".md")))
    assert len(remove(tmp_path, 2)) == 8
    assert left(tmp_path) == {name(hours, suffix=suffix) for hours in range(2) for suffix in (".png", ".json", ".csv", ".md")}


def test_days_count_from_the_moment_in_the_name(tmp_path: Path) -> None:
    fill(tmp_path, name(0), name(23.9), name(24.1))
    remove(tmp_path, days=1)
    assert left(tmp_path) == {name(0), name(23.9)}


def test_what_either_limit_excludes_goes(tmp_path: Path) -> None:
    fill(tmp_path, *map(name, (0, 1, 2, 30)))
    remove(tmp_path, 2, 1)
    assert left(tmp_path) == {name(0), name(1)}
    fill(tmp_path, name(30))
    remove(tmp_path, 3, 1)
    assert left(tmp_path) == {name(0), name(1)}


def test_nothing_but_the_exact_names_is_touched(tmp_path: Path) -> None:
    foreign = {
        "live_ab_dashboard_latest.png",
        "live_ab_dashboard_latest.json",
        "live_ab_dashboard_latest-SIMULATED.png",
        "live_ab_dashboard_20260231_100000.png",
        "live_ab_dashboard_99999999_999999.png",
        name(90, "_fraud"),
        name(90, suffix=".svg"),
        name(90, suffix=".png.bak"),
        name(90, " copy"),
        "my_" + name(90),
        name(90, stem="business_impact_dashboard"),
        "page.png",
        "last-good.json",
    }
    fill(tmp_path, *foreign, name(0), name(1))
    remove(tmp_path, 1, 1)
    assert left(tmp_path) == foreign | {name(0)}


def test_an_experiment_s_pictures_are_its_own_also_with_signs_of_patterns_in_its_name(tmp_path: Path) -> None:
    fill(tmp_path, *(name(hours, part) for hours in (0, 1) for part in ("", "_a.b", "_aXb")))
    remove(tmp_path, 1, part="_a.b")
    assert left(tmp_path) == {*(name(0, part) for part in ("", "_a.b", "_aXb")), name(1), name(1, "_aXb")}


def test_simulated_pictures_push_out_no_real_one(tmp_path: Path) -> None:
    fill(tmp_path, name(5), name(6), *(name(hours, "-SIMULATED") for hours in range(4)))
    remove(tmp_path, 1, newest=name(0, "-SIMULATED"))
    assert left(tmp_path) == {name(5), name(0, "-SIMULATED")}


def test_the_picture_of_this_run_stays_however_old_its_moment_is(tmp_path: Path) -> None:
    fill(tmp_path, name(500), name(500, suffix=".json"), name(1))
    remove(tmp_path, 1, 1, newest=name(500))
    assert left(tmp_path) == {name(500), name(500, suffix=".json"), name(1)}


def test_links_and_folders_with_such_a_name_stay(tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    (tmp_path / name(5)).symlink_to("target")
    (tmp_path / name(6)).mkdir()
    fill(tmp_path, name(0), name(1))
    remove(tmp_path, 1)
    assert left(tmp_path) == {"target", name(5), name(6), name(0)}


def test_a_file_that_cannot_be_removed_is_told_and_the_others_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    fill(tmp_path, name(0), name(1), name(2))
    unlink = os.unlink

    def refuse(path: Path, **more: int) -> None:
        if Path(path).name == name(2):
            raise PermissionError(1, "Operation not permitted")
        unlink(path, **more)

    monkeypatch.setattr(os, "unlink", refuse)
    assert [path.name for path in remove(tmp_path, 1)] == [name(1)]
    assert f"{name(2)} is too old but cannot be removed: Operation not permitted" in caplog.text


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert remove(tmp_path / "gone", 1) == ()
    assert "nothing older was removed" in caplog.text
