"""No two files of a run are one: it is refused with both options before anything is asked, and every file stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from live_dashboards.app.cli import main
from live_dashboards.app.options import Request
from live_dashboards.app.writing import check_apart
from live_dashboards.errors import SharedOutputError

SNAPSHOT, SUMMARY = "--save-snapshot", "--summary"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "a.json", "a.csv", "a-business.json", "moment.json"):
        (tmp_path / name).write_text("old")
    (tmp_path / "link.json").symlink_to("a.png")
    (tmp_path / "there").symlink_to(".")
    return tmp_path


def held(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "uses"),
    [
        (("ab", "--output", "a.png", SUMMARY, "there/a.png"), ("--output", SUMMARY)),
        (("ab", "--output", "a.png", SUMMARY, "link.json"), ("--output", SUMMARY)),
        (("ab", "--output", "a.png", SUMMARY, "a.png/x.json"), ("--output", SUMMARY)),
        (("ab", "--output", "a.png", "--sidecars", SUMMARY, "a.csv"), ("--sidecars", SUMMARY)),
        (("ab", "--output", "a.png", SNAPSHOT, "a.png"), ("--output", SNAPSHOT)),
        (("ab", "--output", "a.png", SNAPSHOT, "a.json"), ("the summary beside the picture", SNAPSHOT)),
        (("ab", "--output", "a.png", "--from-snapshot", "a.json"), ("the summary beside the picture", "--from-snapshot")),
        (("ab", "--output", "a.png", "--metrics-file", "a.png"), ("--output", "--metrics-file")),
        (("business", SUMMARY, "moment.json", SNAPSHOT, "moment.json"), (SUMMARY, SNAPSHOT)),
        (("ab", "--latest", SUMMARY, "output/live_ab_dashboard_latest-SIMULATED.png"), ("--latest", SUMMARY)),
        (("all", "--output", "a.png", SNAPSHOT, "a-business.json"), ("the summary beside the picture", SNAPSHOT)),
    ],
)
def test_two_outputs_that_are_one_file_are_refused_and_both_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], uses: tuple[str, str]
) -> None:
    before = held(folder)
    assert main([*arguments, "--simulate", "--dpi", "50"]) == 2
    said, (one, other) = capsys.readouterr(), uses
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.index(one) < said.err.index(other) < said.err.index("choose another path for one of them")
    assert held(folder) == before
    assert not (folder / "output").exists()


def test_a_refused_run_is_a_failure_in_a_metrics_file_of_its_own(folder: Path) -> None:
    assert main(["ab", "--output", "a.png", SUMMARY, "a.png", "--metrics-file", "run.prom"]) == 2
    assert 'live_dashboards_run_success{dashboard="ab"} 0\n' in (folder / "run.prom").read_text()


def test_what_was_stamped_just_now_is_looked_at_before_it_is_written(folder: Path) -> None:
    with pytest.raises(SharedOutputError):
        check_apart(Request(summary="live_ab_dashboard_latest.png", latest=True), [folder / "stamped.png"], [folder / "live_ab_dashboard_latest.png"])


@pytest.mark.parametrize(
    ("request_", "image"),
    [
        (Request(summary="a.csv", save_snapshot=Path("moment.json"), metrics_file=Path("a.prom")), "a.png"),
        (Request(compare=Path("a.json")), "a.png"),
        (Request(summary="-", save_snapshot=Path("a.json")), "a.png"),
        (Request(save_snapshot=Path("moment.json"), from_snapshot=Path("moment.json")), "a.png"),
        (Request(summary="a.pn"), "a.png"),
        (Request(summary="a\0.png"), "a.png"),
    ],
)
def test_what_keeps_apart_is_let_through(folder: Path, request_: Request, image: str) -> None:
    (folder / "latest.png").symlink_to(image)  # which is replaced, and not followed
    check_apart(request_, [Path(image)], [Path("latest.png")])
