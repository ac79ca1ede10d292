"""Pictures: exact size, words and provenance inside, the same bytes for the same report."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from live_dashboards.draw.png.dashboard import _create_dashboard_panels
from live_dashboards.errors import OutputError, UsageError
from live_dashboards.model.report import AbReport
from live_dashboards.outputs.files import check_output_path
from live_dashboards.outputs.image import image_title, write_image
from tests.outputs.reports import live_report

REPORT = live_report()


def figure(width_inches: float = 4.0, height_inches: float = 3.0) -> Figure:
    made = Figure((width_inches, height_inches))
    made.add_subplot().plot([1, 2, 3], [1, 4, 9], "o-", label="−3.6 pt")
    made.axes[0].set_title("Requests per second")
    made.axes[0].fill_between([1, 2], [1, 1], hatch="//")
    return made


def written(path: Path, report: AbReport = REPORT, *, dpi: int = 100) -> bytes:
    write_image(figure(), path, dpi=dpi, report=report)
    return path.read_bytes()


def texts(path: Path) -> dict[str, Any]:
    with Image.open(path) as image:
        image.load()
        return dict(image.info)


@pytest.mark.parametrize(("size", "dpi", "pixels"), [((4, 3), 100, (400, 300)), ((16, 10), 300, (4800, 3000)), ((12.8, 7.2), 100, (1280, 720))])
def test_a_png_has_exactly_the_size_asked_for(tmp_path: Path, size: tuple[float, float], dpi: int, pixels: tuple[int, int]) -> None:
    write_image(figure(*size), tmp_path / "picture.png", dpi=dpi, report=REPORT)
    with Image.open(tmp_path / "picture.png") as image:
        assert image.size == pixels
        assert image.info["dpi"] == pytest.approx((dpi, dpi), rel=1e-3)


@pytest.fixture
def odd_matplotlibrc() -> Iterator[None]:
    with mpl.rc_context({"savefig.bbox": "tight", "savefig.transparent": True, "savefig.facecolor": "red", "svg.fonttype": "none", "pdf.fonttype": 3}):
        yield


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_matplotlibrc_does_not_change_the_file(tmp_path: Path, suffix: str, request: pytest.FixtureRequest) -> None:
    drawn = figure()
    write_image(drawn, tmp_path / f"before.{suffix}", dpi=100, report=REPORT)
    request.getfixturevalue("odd_matplotlibrc")
    write_image(drawn, tmp_path / f"after.{suffix}", dpi=100, report=REPORT)
    assert (tmp_path / f"after.{suffix}").read_bytes() == (tmp_path / f"before.{suffix}").read_bytes()


def test_a_png_holds_title_and_alt_text(tmp_path: Path) -> None:
    written(tmp_path / "picture.png")
    found = texts(tmp_path / "picture.png")
    assert (found["Title"], found["Description"]) == (image_title(REPORT), REPORT.alt_text)
    assert "LIVE DATA" in found["Title"]


def test_a_png_holds_every_number_with_its_query(tmp_path: Path) -> None:
    written(tmp_path / "picture.png")
    rows = {(row["name"], row["variant"]): row for row in json.loads(texts(tmp_path / "picture.png")["Provenance"])["measurements"]}
    assert set(rows) == {(each.name, each.variant) for each in REPORT.measurements}
    facts = REPORT.variants[0]
    row = rows["requests", facts.variant]
    assert (row["value"], row["origin"], row["query"]) == (facts.requests.value, "live", facts.requests.query)


def test_a_very_long_provenance_can_still_be_read(tmp_path: Path) -> None:
    many = tuple(replace(REPORT.measurements[0], name=f"number_{index}", query="x" * 1000) for index in range(2000))
    written(tmp_path / "picture.png", replace(REPORT, measurements=many))
    assert len(json.loads(texts(tmp_path / "picture.png")["Provenance"])["measurements"]) == 2000


def other_run(report: AbReport) -> AbReport:
    """The same moment, asked and drawn later, slower, on another machine."""
    sources = tuple(replace(status, duration_seconds=9.0, clock_difference_seconds=3.0, address="elsewhere:9090") for status in report.sources)
    return replace(report, generated_at=report.generated_at + timedelta(hours=3), sources=sources)


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_same_report_gives_the_same_bytes_in_every_run(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    os.utime(tmp_path, (1, 1))
    assert written(tmp_path / f"one.{suffix}") == written(tmp_path / "elsewhere" / f"two.{suffix}", other_run(REPORT))


def test_another_number_gives_other_bytes(tmp_path: Path) -> None:
    first = replace(REPORT.measurements[0], value=99.0)
    changed = replace(REPORT, measurements=(first, *REPORT.measurements[1:]))
    assert written(tmp_path / "one.png") != written(tmp_path / "two.png", changed)


def test_a_pdf_holds_title_and_alt_text_but_no_date(tmp_path: Path) -> None:
    content = written(tmp_path / "picture.pdf")
    assert content.startswith(b"%PDF")
    assert b"/Title" in content
    assert b"/Subject" in content
    assert b"CreationDate" not in content


def test_an_svg_holds_title_and_alt_text_but_no_date(tmp_path: Path) -> None:
    tree = ET.fromstring(written(tmp_path / "picture.svg"))  # noqa: S314 our own file
    description = tree.find(".//{http://purl.org/dc/elements/1.1/}description")
    assert tree.findtext("{http://www.w3.org/2000/svg}title") == image_title(REPORT)
    assert description is not None
    assert description.text == REPORT.alt_text
    assert not any(element.tag.endswith("}date") for element in tree.iter())


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_odd_letters_in_the_words_are_no_obstacle(tmp_path: Path, suffix: str) -> None:
    odd = replace(REPORT, experiment="a\0b\x07\ud800 <&> 模型 ✓", alt_text="line\nline \x1b[31m")
    assert len(written(tmp_path / f"picture.{suffix}", odd)) > 1000
    if suffix == "svg":
        ET.parse(tmp_path / "picture.svg")  # noqa: S314 our own file


@pytest.mark.parametrize("name", ["picture", "picture.jpg", "picture.png.gz", "png"])
def test_another_suffix_is_refused_before_anything_else(name: str) -> None:
    with pytest.raises(UsageError, match=r"does not end in \.png, \.pdf or \.svg"):
        check_output_path(Path(name))


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.b.pdf", "a.svg"])
def test_the_three_suffixes_are_taken(name: str) -> None:
    check_output_path(Path(name))


def test_a_failed_drawing_leaves_the_old_picture(tmp_path: Path) -> None:
    before = written(tmp_path / "picture.png")
    broken = figure()
    broken.text(0, 0, r"$\frac{$", parse_math=True)
    with pytest.raises(ValueError, match="frac"):
        write_image(broken, tmp_path / "picture.png", dpi=100, report=REPORT)
    assert (tmp_path / "picture.png").read_bytes() == before


def test_a_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "picture.png").mkdir()
    with pytest.raises(OutputError, match="it is a folder"):
        written(tmp_path / "picture.png")


def test_the_real_page_at_300_dpi_is_below_two_and_a_half_megabytes(tmp_path: Path) -> None:
    write_image(_create_dashboard_panels(REPORT), tmp_path / "picture.png", dpi=300, report=REPORT)
    assert (tmp_path / "picture.png").stat().st_size < 2_500_000
    with Image.open(tmp_path / "picture.png") as image:
        assert image.size == (4800, 3000)
        assert len(np.unique(np.asarray(image.convert("L").resize((480, 300))))) > 20, "the page is not empty"
