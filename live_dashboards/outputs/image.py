"""Writes the figure as PNG, PDF or SVG: exactly as large as it was drawn, with title, alt text and provenance, and the same bytes for the same report."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL.PngImagePlugin import PngInfo

from live_dashboards.errors import UsageError
from live_dashboards.model.moment import format_moment
from live_dashboards.model.report import AbReport
from live_dashboards.outputs.files import write_file
from live_dashboards.outputs.provenance import provenance_text

SUFFIXES = (".png", ".pdf", ".svg")
_SOFTWARE = "live-dashboards"
_COMPRESS_LEVEL = 3  # a fifth larger than the usual 6, for a third less time
_LONGEST_COMPRESSED = 1_000_000  # readers refuse a compressed text that grows beyond 2**20 characters


def check_output_path(path: Path) -> None:
    """UsageError where the path's suffix is of no kind of picture that can be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{str(path)!r} does not end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}; choose one of these suffixes")


def write_image(figure: Figure, path: Path, *, dpi: int, report: AbReport) -> None:
    """Writes the figure as a whole or not at all; nothing in the file depends on when, where or how fast it was made."""
    check_output_path(path)
    kind = path.suffix.lower().removeprefix(".")
    content = BytesIO()
    with mpl.rc_context(_settings()):
        figure.savefig(content, format=kind, dpi=dpi, bbox_inches=None, facecolor="auto", **_metadata(kind, report))
    write_file(path, lambda stream: stream.write(content.getbuffer()))


def image_title(report: AbReport) -> str:
    """What the picture is called in its metadata."""
    where = f" of {report.experiment}" if report.experiment else ""
    return f"A/B testing dashboard{where} at {format_moment(report.at)}: {report.badge.kind.value}"


def _settings() -> Any:
    """Matplotlib's own defaults whatever matplotlibrc says, fonts embedded as fonts, and names in SVG that do not change from run to run."""
    plain: dict[str, Any] = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith(("backend", "toolbar", "tk.", "webagg.", "macosx."))}
    return plain | {"svg.hashsalt": _SOFTWARE, "pdf.fonttype": 42, "text.parse_math": False}


def _metadata(kind: str, report: AbReport) -> dict[str, Any]:
    title, description = _writable(image_title(report)), _writable(report.alt_text)
    if kind == "png":
        return {"pil_kwargs": {"pnginfo": _png_texts(title, description, provenance_text(report)), "compress_level": _COMPRESS_LEVEL}}
    if kind == "pdf":
        return {"metadata": {"Title": title, "Subject": description, "Creator": _SOFTWARE, "CreationDate": None}}
    return {"metadata": {"Title": title, "Description": description, "Creator": _SOFTWARE, "Date": None}}


def _png_texts(title: str, description: str, provenance: str) -> PngInfo:
    texts = PngInfo()
    texts.add_itxt("Title", title)
    texts.add_itxt("Description", description)
    texts.add_itxt("Software", _SOFTWARE)
    texts.add_itxt("Provenance", provenance, zip=len(provenance) < _LONGEST_COMPRESSED)
    return texts


def _writable(text: str) -> str:
    """The text without what no file format holds: NUL and other control characters, halves of characters."""
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in whole)
