"""What belongs to a picture is written beside it, all of it or nothing, and what cannot be written is told with the option that chooses its path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from live_dashboards.app.cli import main
from live_dashboards.app.options import Request
from live_dashboards.app.writing import write
from live_dashboards.errors import OutputError
from live_dashboards.model.codec import LastGood
from live_dashboards.outputs.sidecars import csv_text, markdown_text
from live_dashboards.outputs.snapshot_files import LastGoodFile
from live_dashboards.outputs.summary import summary_text
from live_dashboards.settings import load_settings
from tests.outputs.reports import live_report

REPORT = live_report()
DRAW = ("ab", "--simulate", "--dpi", "50", "--output")


def test_summary_table_and_words_lie_beside_the_picture_in_a_folder_that_is_made(tmp_path: Path) -> None:
    image = tmp_path / "new" / "page.png"
    outcome = write(REPORT, load_settings(environment={}), Request(output=image, sidecars=True, dpi=50))
    texts = {each.suffix: each.read_text(encoding="utf-8") for each in image.parent.iterdir() if each != image}
    assert texts == {".json": summary_text(REPORT), ".csv": csv_text(REPORT), ".md": markdown_text(REPORT)}
    assert (outcome.image, image.read_bytes()[:4]) == (image, b"\x89PNG")


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("in_the_way", ["write-protected", "no such folder", "a latest table that is a folder", "a name that is too long"])
def test_one_file_that_cannot_be_written_leaves_all_of_them_as_they_were(tmp_path: Path, in_the_way: str) -> None:
    image, request = tmp_path / "page.png", Request(output=tmp_path / "page.png", sidecars=True, latest=True, dpi=50)
    for suffix in (".png", ".json", ".csv", ".md"):
        image.with_suffix(suffix).write_bytes(b"old")
        (tmp_path / f"live_ab_dashboard_latest{suffix}").write_bytes(b"old")
    if in_the_way == "write-protected":
        image.with_suffix(".md").chmod(0o444)
    elif in_the_way == "no such folder":
        request = replace(request, summary="/proc/no/x.json")
    elif in_the_way == "a latest table that is a folder":
        (tmp_path / "live_ab_dashboard_latest.md").unlink()
        (tmp_path / "live_ab_dashboard_latest.md").mkdir()
    else:
        request = replace(request, output=tmp_path / f"{'x' * 251}.png")
    before = held(tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        write(REPORT, load_settings(environment={}), request)
    assert held(tmp_path) == before
    assert len(before) >= 7


def test_what_cannot_be_written_is_told_with_the_option_that_chooses_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*arguments: str) -> list[str]:
        assert main([*DRAW, str(tmp_path / "page.png"), *arguments]) == 1
        lines = [line for line in capsys.readouterr().err.splitlines() if "cannot be written" in line]
        assert not any("--output" in line for line in lines)
        return [line.rpartition(" ")[2] for line in lines]

    assert told("--summary", "/proc/no/x.json", "--metrics-file", "/proc/no/x.prom") == ["--metrics-file", "--summary"]
    assert told("--save-snapshot", "/proc/no/x.json") == ["--save-snapshot"]
    LastGoodFile(load_settings(environment={"DASHBOARD_CACHE_DIR": "/proc/no"})).keep(LastGood())
    said = capsys.readouterr().err
    assert said.startswith("WARNING: the last good answers are not kept: /proc/no/last-good-")
    assert said.endswith("; choose another path with DASHBOARD_CACHE_DIR\n")
