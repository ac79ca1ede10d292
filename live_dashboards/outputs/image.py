"""Writes the figure as PNG, PDF or SVG: exactly as large as it was drawn, with title, alt text and
provenance, and the same bytes for the same report.

A page's pixels are written as 24-bit colour in rows without a filter, which for a page of text and thin lines
is quicker and smaller.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from live_dashboards.model.dashboards import DASHBOARD_TITLES
from live_dashboards.model.moment import format_moment
from live_dashboards.model.report import Report
from live_dashboards.outputs.files import check_output_path, write_file
from live_dashboards.outputs.summary_parts import lineage, rows

_SOFTWARE = "live-dashboards"
_STRIP_ROWS = 50  # few enough to stay in the processor's cache

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR, _BITS = 2, 8
_COMPRESS_LEVEL = 3  # 6 is twice the time for an eighth less
_NO_FILTER = b"\0"
_LONGEST_COMPRESSED = 1_000_000  # readers refuse a compressed text that grows beyond 2**20 characters
_SHORTEST_COMPRESSED = 2_000


def write_image(figure: Figure, path: Path, *, dpi: int, report: Report) -> None:
    """Writes the figure as a whole or not at all."""
    content = image_content(figure, path, dpi=dpi, report=report)
    write_file(path, lambda stream: stream.write(content))


def image_content(figure: Figure, path: Path, *, dpi: int, report: Report) -> memoryview:
    """The bytes of the file that the path's suffix asks for; nothing in them depends on when, where or how
    fast they were made.
    """
    said = ImageTexts(image_title(report), report.alt_text, provenance_text(report))
    return content_with(figure, path, dpi=dpi, said=said)


@dataclass(frozen=True, slots=True)
class ImageTexts:
    """What a picture says of itself in its metadata; `provenance` is JSON."""

    title: str
    description: str
    provenance: str


def content_with(figure: Figure, path: Path, *, dpi: int, said: ImageTexts) -> memoryview:
    """The same of any figure, with these texts."""
    check_output_path(path)
    kind = path.suffix.lower().removeprefix(".")
    content = BytesIO()
    with mpl.rc_context(_settings()):
        if kind == "png":
            page = _drawn(figure, dpi)
            write_png(content, page.size, _strips(page), dpi=dpi, texts=_metadata(kind, said))
        else:
            figure.savefig(
                content,
                format=kind,
                dpi=dpi,
                bbox_inches=None,
                facecolor="auto",
                metadata=_metadata(kind, said),
            )
    return content.getbuffer()


def image_title(report: Report) -> str:
    """What the picture is called in its metadata."""
    where = f" of {report.experiment}" if report.experiment else ""
    return (
        f"{DASHBOARD_TITLES[report.dashboard]}{where} at {format_moment(report.at)}: "
        f"{report.badge.kind.value}"
    )


def _settings() -> Any:
    """Matplotlib's own defaults whatever matplotlibrc says, fonts embedded as fonts, and names in SVG that do
    not change from run to run.
    """
    plain: dict[str, Any] = {
        name: value
        for name, value in mpl.rcParamsDefault.items()
        if not name.startswith(("backend", "toolbar", "tk.", "webagg.", "macosx."))
    }
    return plain | {"svg.hashsalt": _SOFTWARE, "pdf.fonttype": 42, "text.parse_math": False}


def _drawn(figure: Figure, dpi: float) -> Image.Image:
    """The figure's pixels at that resolution; it keeps its own."""
    own_dpi, figure.dpi = figure.dpi, dpi
    try:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        size = canvas.get_width_height()
    finally:
        figure.dpi = own_dpi
    return Image.frombuffer("RGBA", size, canvas.buffer_rgba(), "raw", "RGBA", 0, 1)  # type: ignore[no-untyped-call]


def _strips(page: Image.Image) -> Iterator[bytes]:
    """The page's rows without alpha, which an opaque page does not need, with a zero byte after each."""
    for top in range(0, page.height, _STRIP_ROWS):
        strip = page.crop((0, top, page.width, min(page.height, top + _STRIP_ROWS)))
        yield strip.tobytes("raw", "RGB", 3 * page.width + 1, 1)


def _metadata(kind: str, said: ImageTexts) -> dict[str, Any]:
    title, description = _writable(said.title), _writable(said.description)
    if kind == "png":
        return {
            "Title": title,
            "Description": description,
            "Software": _SOFTWARE,
            "Provenance": said.provenance,
        }
    if kind == "pdf":
        return {"Title": title, "Subject": description, "Creator": _SOFTWARE, "CreationDate": None}
    return {"Title": title, "Description": description, "Creator": _SOFTWARE, "Date": None}


def _writable(text: str) -> str:
    """The text without what no file format holds: NUL and other control characters, halves of characters."""
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in whole)


def provenance_text(report: Report) -> str:
    """Badge, moment, variants and every measurement with its queries: a function of the sources' answers,
    without clocks, durations and addresses.
    """
    document = {
        "schema_version": 1,
        "dashboard": report.dashboard,
        "data_source": report.badge.kind.data_source,
        "badge": report.badge.kind.value,
        "at": format_moment(report.at),
        "window_seconds": report.window_seconds,
        "experiment": report.experiment,
        "baseline": report.baseline,
        "challenger": report.challenger,
        "sources": {status.source: status.state.value for status in report.sources},
        "measurements": rows(report.measurements),
        "lineage": rows(lineage(report.measurements)),
    }
    return json.dumps(document, allow_nan=False)


def write_png(
    stream: BinaryIO, size: tuple[int, int], strips: Iterable[bytes], *, dpi: float, texts: Mapping[str, str]
) -> None:
    """Writes the texts and the picture of that width and height; a strip is whole rows of red, green and blue
    bytes with a zero byte after each row.
    """
    stream.write(_SIGNATURE)
    _write_chunk(stream, b"IHDR", struct.pack(">IIBBBBB", *size, _BITS, _TRUE_COLOUR, 0, 0, 0))
    dots_per_metre = round(dpi / 0.0254)
    _write_chunk(stream, b"pHYs", struct.pack(">IIB", dots_per_metre, dots_per_metre, 1))
    for keyword, text in texts.items():
        _write_chunk(stream, b"iTXt", _text(keyword, text))
    _write_chunk(stream, b"IDAT", b"".join(_compressed(strips)))
    _write_chunk(stream, b"IEND", b"")


def _write_chunk(stream: BinaryIO, kind: bytes, content: bytes) -> None:
    stream.write(struct.pack(">I", len(content)) + kind)
    stream.write(content)
    stream.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))))


def _text(keyword: str, text: str) -> bytes:
    """Keyword, whether compressed, two empty fields for language and translated keyword, and the text."""
    content = text.encode("utf-8")
    is_compressed = _SHORTEST_COMPRESSED < len(text) < _LONGEST_COMPRESSED
    return (
        keyword.encode("latin-1")
        + bytes((0, is_compressed, 0, 0, 0))
        + (zlib.compress(content) if is_compressed else content)
    )


def _compressed(strips: Iterable[bytes]) -> Iterator[bytes]:
    """All rows as one stream, each after the byte that names its filter: the zero after the row before it."""
    packer = zlib.compressobj(_COMPRESS_LEVEL)
    for strip in strips:
        yield packer.compress(_NO_FILTER)
        yield packer.compress(memoryview(strip)[:-1])
    yield packer.flush()
