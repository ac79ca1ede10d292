"""What belongs to a picture is written beside it, and what cannot be written is told with the option that chooses its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from live_dashboards.cli import main
from live_dashboards.model.last_good import LastGood
from live_dashboards.outputs.last_good_file import LastGoodFile
from live_dashboards.outputs.sidecars import csv_text, markdown_text
from live_dashboards.outputs.summary import summary_text
from live_dashboards.request import Request
from live_dashboards.settings import load_settings
from live_dashboards.writing import write
from tests.outputs.reports import live_report

REPORT = live_report()
DRAW = ("ab", "--simulate", "--dpi", "50", "--output")


def test_summary_table_and_words_lie_beside_the_picture_in_a_folder_that_is_made(tmp_path: Path) -> None:
    image = tmp_path / "new" / "page.png"
    outcome = write(REPORT, load_settings(environment={}), Request(output=image, sidecars=True, dpi=50))
    texts = {each.suffix: each.read_text(encoding="utf-8") for each in image.parent.iterdir() if each != image}
    assert texts == {".json": summary_text(REPORT), ".csv": csv_text(REPORT), ".md": markdown_text(REPORT)}
    assert (outcome.image, image.read_bytes()[:4]) == (image, b"\x89PNG")


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
