"""What a machine can see of a picture's quality, after drawing: the rules that every page has to keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from live_dashboards.draw.png.dashboard import page_settings
from live_dashboards.draw.png.frame import BARS_FROM_ZERO
from live_dashboards.draw.png.theme import PAPER, SMALLEST_POINTS, WATERMARK_FILL

LEAST_TEXT_CONTRAST = 4.5
LEAST_MARK_CONTRAST = 3.0
_TOUCHING_INCHES = 0.008


@dataclass(frozen=True, slots=True)
class _Word:
    """A text and its box in pixels, as plain numbers: there are many pairs of them."""

    artist: Text
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def middle(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2


def layout_faults(figure: Figure, panels: tuple[Bbox, ...] = ()) -> tuple[str, ...]:
    """What is wrong with a page, in words; `panels` are the panels' places in inches of the page."""
    with page_settings():
        FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
        words = _words(figure)
    checks = (
        _overlaps(words, figure.dpi),
        _outside(words, figure),
        _across_panels(words, panels, figure.dpi),
        _too_small(words),
        _too_faint(words, figure),
        _without_glyph(words),
        _parsed(words),
        _bars_off_zero(figure),
        _shared_axes(figure),
    )
    return tuple(fault for check in checks for fault in check)


def contrast(one: str, other: str) -> float:
    """The WCAG 2 contrast ratio of two colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _words(figure: Figure) -> tuple[_Word, ...]:
    shown = (artist for artist in figure.findobj(Text) if isinstance(artist, Text) and artist.get_visible() and artist.get_text().strip())
    return tuple(_Word(artist, *map(float, artist.get_window_extent().extents)) for artist in shown)


def _overlaps(words: tuple[_Word, ...], dpi: float) -> Iterator[str]:
    slack = _TOUCHING_INCHES * dpi
    for number, one in enumerate(words):
        for other in words[number + 1 :]:
            width = min(one.x1, other.x1) - max(one.x0, other.x0)
            height = min(one.y1, other.y1) - max(one.y0, other.y0)
            if width > slack and height > slack:
                yield (f"{one.artist.get_text()!r} and {other.artist.get_text()!r} overlap by {width / dpi:.2f} x {height / dpi:.2f} in")


def _outside(words: tuple[_Word, ...], figure: Figure) -> Iterator[str]:
    page = figure.bbox
    for word in words:
        if word.x0 < page.x0 or word.y0 < page.y0 or word.x1 > page.x1 or word.y1 > page.y1:
            yield f"{word.artist.get_text()!r} leaves the page"


def _across_panels(words: tuple[_Word, ...], panels: tuple[Bbox, ...], dpi: float) -> Iterator[str]:
    for word in words:
        box, middle, slack = (
            Bbox.from_extents(word.x0 / dpi, word.y0 / dpi, word.x1 / dpi, word.y1 / dpi),
            (word.middle[0] / dpi, word.middle[1] / dpi),
            3 * _TOUCHING_INCHES,
        )
        for panel in panels:
            is_inside = panel.x0 - slack <= box.x0 and box.x1 <= panel.x1 + slack and panel.y0 - slack <= box.y0 and box.y1 <= panel.y1 + slack
            if panel.contains(*middle) and not is_inside:
                yield f"{word.artist.get_text()!r} leaves its panel"


def _too_small(words: tuple[_Word, ...]) -> Iterator[str]:
    for word in words:
        if float(word.artist.get_fontsize()) < SMALLEST_POINTS - 1e-9:
            yield f"{word.artist.get_text()!r} has {float(word.artist.get_fontsize()):g} pt"


def _too_faint(words: tuple[_Word, ...], figure: Figure) -> Iterator[str]:
    has_watermark = any(isinstance(artist, PathPatch) for artist in figure.artists + figure.patches)
    for word in words:
        for ground in _grounds(word, figure, has_watermark=has_watermark):
            ratio = contrast(to_hex(word.artist.get_color()), ground)
            if ratio < LEAST_TEXT_CONTRAST:
                yield f"{word.artist.get_text()!r} has a contrast of {ratio:.2f} on {ground}"


def _grounds(word: _Word, figure: Figure, *, has_watermark: bool) -> tuple[str, ...]:
    """What may lie behind a word: the filled rectangle that it stands on, else the paper and the
    watermark.
    """
    fills = [artist for artist in figure.artists + figure.patches if isinstance(artist, Rectangle) and artist.get_fill() and artist is not figure.patch]
    under = [to_hex(fill.get_facecolor()) for fill in fills if fill.get_window_extent().contains(*word.middle)]
    return (under[-1],) if under else (PAPER, WATERMARK_FILL) if has_watermark else (PAPER,)


def _without_glyph(words: tuple[_Word, ...]) -> Iterator[str]:
    for path in {str(word.artist.get_fontproperties().get_file()) for word in words}:
        known = FT2Font(path).get_charmap()
        for word in words:
            if word.artist.get_fontproperties().get_file() == path and any(ord(character) not in known for character in word.artist.get_text()):
                yield f"{word.artist.get_text()!r} has characters that the font lacks"


def _parsed(words: tuple[_Word, ...]) -> Iterator[str]:
    for word in words:
        if word.artist.get_parse_math() or "\n" in word.artist.get_text():
            yield f"{word.artist.get_text()!r} may be read as a formula or as several lines"


def _bars_off_zero(figure: Figure) -> Iterator[str]:
    for artist in figure.findobj(LineCollection):
        if isinstance(artist, LineCollection) and artist.get_gid() == BARS_FROM_ZERO:
            starts = [float(segment[0][0]) for segment in artist.get_segments()]
            if any(starts) or artist.axes is None or artist.axes.get_xlim()[0] != 0:
                yield (f"bars start at {starts} on an axis from {artist.axes.get_xlim()[0] if artist.axes else None}")


def _shared_axes(figure: Figure) -> Iterator[str]:
    for number, one in enumerate(figure.axes):
        if any(one.bbox.overlaps(other.bbox) for other in figure.axes[number + 1 :]):
            yield (f"the axes at {one.get_position().bounds} share their place with others: one quantity an axis")
