"""What belongs to a picture is written beside it."""

from __future__ import annotations

from pathlib import Path

from live_dashboards.outputs.sidecars import csv_text, markdown_text
from live_dashboards.outputs.summary import summary_text
from live_dashboards.request import Request
from live_dashboards.settings import load_settings
from live_dashboards.writing import write
from tests.outputs.reports import live_report

REPORT = live_report()


def test_summary_table_and_words_lie_beside_the_picture_in_a_folder_that_is_made(tmp_path: Path) -> None:
    image = tmp_path / "new" / "page.png"
    outcome = write(REPORT, load_settings(environment={}), Request(output=image, sidecars=True, dpi=50))
    texts = {each.suffix: each.read_text(encoding="utf-8") for each in image.parent.iterdir() if each != image}
    assert texts == {".json": summary_text(REPORT), ".csv": csv_text(REPORT), ".md": markdown_text(REPORT)}
    assert (outcome.image, image.read_bytes()[:4]) == (image, b"\x89PNG")
