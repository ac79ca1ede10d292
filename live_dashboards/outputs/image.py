"""Writes the figure as PNG, PDF or SVG: exactly as large as it was drawn, with title, alt text and
provenance, and the same bytes for the same report.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from live_dashboards.model.dashboards import DASHBOARD_TITLES, Report, dashboard_name
from live_dashboards.model.moment import format_moment
from live_dashboards.outputs.files import write_file
from live_dashboards.outputs.output_path import check_output_path
from live_dashboards.outputs.png_file import write_png
from live_dashboards.outputs.provenance import provenance_text

_SOFTWARE = "live-dashboards"
_STRIP_ROWS = 50  # few enough to stay in the processor's cache


def write_image(figure: Figure, path: Path, *, dpi: int, report: Report) -> None:
    """Writes the figure as a whole or not at all."""
    content = image_content(figure, path, dpi=dpi, report=report)
    write_file(path, lambda stream: stream.write(content))


def image_content(figure: Figure, path: Path, *, dpi: int, report: Report) -> memoryview:
    """The bytes of the file that the path's suffix asks for; nothing in them depends on when, where or how
    fast they were made.
    """
    check_output_path(path)
    kind = path.suffix.lower().removeprefix(".")
    content = BytesIO()
    with mpl.rc_context(_settings()):
        if kind == "png":
            page = _drawn(figure, dpi)
            write_png(content, page.size, _strips(page), dpi=dpi, texts=_png_texts(report))
        else:
            figure.savefig(
                content,
                format=kind,
                dpi=dpi,
                bbox_inches=None,
                facecolor="auto",
                metadata=_metadata(kind, report),
            )
    return content.getbuffer()


def image_title(report: Report) -> str:
    """What the picture is called in its metadata."""
    where = f" of {report.experiment}" if report.experiment else ""
    return (
        f"{DASHBOARD_TITLES[dashboard_name(report)]}{where} at {format_moment(report.at)}: "
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


def _png_texts(report: Report) -> dict[str, str]:
    title, description = _writable(image_title(report)), _writable(report.alt_text)
    return {
        "Title": title,
        "Description": description,
        "Software": _SOFTWARE,
        "Provenance": provenance_text(report),
    }


def _metadata(kind: str, report: Report) -> dict[str, str | None]:
    title, description = _writable(image_title(report)), _writable(report.alt_text)
    if kind == "pdf":
        return {"Title": title, "Subject": description, "Creator": _SOFTWARE, "CreationDate": None}
    return {"Title": title, "Description": description, "Creator": _SOFTWARE, "Date": None}


def _writable(text: str) -> str:
    """The text without what no file format holds: NUL and other control characters, halves of characters."""
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in whole)
