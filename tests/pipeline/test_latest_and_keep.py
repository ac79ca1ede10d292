"""`--latest`, `--keep`, `--keep-days` and the run's one line, by the real command on real servers."""

import json
from datetime import timedelta

import pytest

from tests.pipeline.command import at
from tests.support.ports import closed_port

SMALL = ("--dpi", "50")
DEAD = {"MLFLOW_DB_PORT": "1", "PROMETHEUS_URL": "http://127.0.0.1:1"}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def minutes_before(worlds, minutes):
    return ("--at", f"{(worlds.at - timedelta(minutes=minutes)).timestamp():.0f}")


def test_the_latest_picture_is_a_copy_of_the_stamped_one_with_its_files(run, worlds, tmp_path):
    code, out, err = run("ab", "--latest", "--sidecars", *SMALL, *at(worlds))
    image = tmp_path / out.strip()
    assert (code, err, out.count("\n")) == (0, "", 1)
    for suffix in (".png", ".json", ".csv", ".md"):
        latest = image.with_name(f"live_ab_dashboard_latest{suffix}")
        assert latest.read_bytes() == image.with_suffix(suffix).read_bytes()
        assert not latest.is_symlink()
    assert len(names(image.parent)) == 8


def test_a_simulated_picture_leaves_the_latest_one_and_says_so(run, worlds, tmp_path):
    run("business", "--latest", *SMALL, *at(worlds))
    before = (tmp_path / "output/business_impact_dashboard_latest.png").read_bytes()
    code, _, err = run("business", "--latest", *SMALL, *at(worlds), **DEAD)
    assert code == 0
    assert "simulated: the latest picture is written as business_impact_dashboard_latest-SIMULATED.png" in err
    assert (tmp_path / "output/business_impact_dashboard_latest.png").read_bytes() == before
    assert json.loads((tmp_path / "output/business_impact_dashboard_latest-SIMULATED.json").read_text())["badge"] == "SIMULATED DATA"


def test_what_require_refuses_is_not_the_latest_and_removes_nothing(run, worlds, tmp_path):
    run("ab", "--latest", *SMALL, *minutes_before(worlds, 1))
    before = (tmp_path / "output/live_ab_dashboard_latest.json").read_bytes()
    code, out, err = run("ab", "--latest", "--keep", "1", "--require", "live", *SMALL, *at(worlds), MLFLOW_DB_PORT=str(closed_port()))
    assert (code, out.count("\n")) == (3, 1)
    assert "live_ab_dashboard_latest.png stays as it was" in err
    assert (tmp_path / "output/live_ab_dashboard_latest.json").read_bytes() == before
    assert len(list((tmp_path / "output").glob("live_ab_dashboard_2*.png"))) == 2


def test_keep_leaves_the_newest_pictures_of_both_dashboards_and_the_latest(run, worlds, tmp_path):
    for minutes in (3, 2, 1):
        code, out, err = run("all", "--latest", "--keep", "2", "--keep-days", "30", *SMALL, *minutes_before(worlds, minutes))
        assert (code, err) == (0, "")
    found = names(tmp_path / "output")
    assert len([name for name in found if "_2" in name]) == 2 * 2 * 2
    assert len([name for name in found if "_latest." in name]) == 4
    assert {line.rpartition("/")[2] for line in out.splitlines()} <= set(found)


def test_every_experiment_has_its_own_latest_and_its_own_pictures_kept(run, worlds, tmp_path):
    others = {f"live_ab_dashboard_20260101_100000{part}.png" for part in ("", "_gone", "_base-2", "_latest")}
    (tmp_path / "output").mkdir()
    for name in {"live_ab_dashboard_20260101_100000_base.png", "business_impact_dashboard_20260101_100000_slower.json", *others}:
        (tmp_path / "output" / name).touch()
    assert run("all", "--all-experiments", "--latest", "--keep", "1", *SMALL, *at(worlds))[0] == 0
    found = {name for name in names(tmp_path / "output") if name.endswith(".png")}
    assert {"live_ab_dashboard_latest_base.png", "business_impact_dashboard_latest_slower.png", *others} <= found
    assert len(found) == 4 * len(worlds.truths) + len(others)


@pytest.mark.parametrize("option", [("--latest",), ("--keep", "3"), ("--keep-days", "3")])
@pytest.mark.parametrize("command", [("ab", "--output", "page.png"), ("all", "--output", "page.png"), ("business", "--output", "folder")])
def test_with_a_named_file_they_are_refused_and_say_why(run, tmp_path, option, command):
    code, out, err = run(*command, *option)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"{option[0]} is for stamped names" in err
    assert names(tmp_path) == [".env.live-dashboards"]


@pytest.mark.parametrize("option", [("--keep", "0"), ("--keep", "-1"), ("--keep", "2.5"), ("--keep-days", "0"), ("--keep-days", "nan"), ("--keep-days", "x")])
def test_a_limit_that_keeps_nothing_is_refused(run, option):
    code, out, err = run("ab", *option)
    assert (code, out) == (2, "")
    assert option[0] in err


def test_with_v_the_run_is_told_in_one_line_and_a_healthy_one_is_no_warning(run, worlds):
    _, out, err = run("all", "-v", *SMALL, *at(worlds))
    (line,) = [line for line in err.splitlines() if " s" in line and "values live" in line]
    assert line.startswith("INFO: ")
    assert all(path in line for path in out.splitlines())


def test_what_is_wrong_is_told_without_v_and_not_with_q(run, worlds):
    stale = ("--at", f"{worlds.end + 720:.0f}")
    code, _, err = run("ab", *SMALL, *stale)
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("WARNING: ")
    assert err.endswith("wrong: stale values\n")
    assert run("ab", "-q", *SMALL, *stale)[2] == ""
