"""Every word of a picture passes here: made harmless, fitted to its width, and placed in inches.

Names come from outside. `$` stays a dollar sign, control and direction characters lose their power, and what
the font cannot draw becomes U+FFFD, so that no name can hide, reorder or break what stands beside it. Widths
are sums of the font's own advances, so measuring costs no rendering.

Numbers as words with their state: what is estimated, stale or cached is marked beside the number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.text import Text

from live_dashboards.draw.png.theme import INK
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import NOTHING, axis_decimals, format_number
from live_dashboards.model.presentation import state_words

ELLIPSIS = "…"
REPLACEMENT = "\ufffd"
_LEFT_TO_RIGHT = "\u200e"
_LONGEST = 2_000
_MEASURE_POINTS = 64
_PIXEL_SLACK = 1.01  # what rounding to pixels may add
_PLAIN = re.compile(r"[ -~]*")
_SPACES = re.compile(r" {2,}")
_RIGHT_TO_LEFT = {"R", "AL", "AN"}
_NEVER_DRAWN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_ASCENT_EM = 1_556 / 2_048  # the bundled font's own: accents and brackets end there
_BASELINE_BELOW_EM = {"baseline": 0.0, "center_baseline": _ASCENT_EM / 2, "top": _ASCENT_EM}
_BEFORE = {"left": 0.0, "center": 0.5, "right": 1.0}


@dataclass(frozen=True, slots=True)
class Look:
    """Size in points, colour and weight of a text."""

    points: float
    colour: str = INK
    is_bold: bool = False


@lru_cache(maxsize=2)
def _font(is_bold: bool) -> FT2Font:  # noqa: FBT001 the key of a cache
    """The font file that comes with matplotlib: the same on every machine, whatever else is installed."""
    font = FT2Font(_font_path(is_bold))
    font.set_size(_MEASURE_POINTS, 72)
    return font


def _font_path(is_bold: bool) -> str:  # noqa: FBT001 the key of a cache
    return str(
        Path(mpl.get_data_path()) / "fonts" / "ttf" / ("DejaVuSans-Bold.ttf" if is_bold else "DejaVuSans.ttf")
    )


@lru_cache(maxsize=64)
def font_properties(points: float, is_bold: bool = False) -> FontProperties:  # noqa: FBT001, FBT002 the key of a cache
    """The bundled font at that size."""
    return FontProperties(fname=_font_path(is_bold), size=points)


@lru_cache(maxsize=4_096)
def _advance(character: str, is_bold: bool) -> float:  # noqa: FBT001 the key of a cache
    """Width of a character in em, with the slack."""
    return (
        _font(is_bold).load_char(ord(character), flags=LoadFlags.NO_HINTING).linearHoriAdvance
        / 65_536
        / _MEASURE_POINTS
        * _PIXEL_SLACK
    )


@lru_cache(maxsize=4_096)
def _has_glyph(character: str) -> bool:
    return all(_font(is_bold).get_char_index(ord(character)) for is_bold in (False, True))


@lru_cache(maxsize=4_096)
def clean(text: str) -> str:
    """The text on one line, with nothing that could act: white space is a space, what cannot be drawn is
    U+FFFD.
    """
    if _PLAIN.fullmatch(text) and len(text) <= _LONGEST:
        return text
    text = text[:_LONGEST] + (ELLIPSIS if len(text) > _LONGEST else "")
    drawn = "".join(
        _drawable(character) for character in unicodedata.normalize("NFC", text.replace(_LEFT_TO_RIGHT, ""))
    )
    return _held_left_to_right(_SPACES.sub(" ", drawn))


def _drawable(character: str) -> str:
    if character.isspace():
        return " "
    if unicodedata.category(character) in _NEVER_DRAWN or not _has_glyph(character):
        return REPLACEMENT
    return character


def _held_left_to_right(text: str) -> str:
    """A mark before the text and after each run of right-to-left letters keeps the numbers beside a name in
    their places.
    """
    if not any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return text
    parts, was_right_to_left = [_LEFT_TO_RIGHT], False
    for character in text:
        is_right_to_left = unicodedata.bidirectional(character) in _RIGHT_TO_LEFT
        if was_right_to_left and not is_right_to_left:
            parts.append(_LEFT_TO_RIGHT)
        parts.append(character)
        was_right_to_left = is_right_to_left
    return "".join((*parts, _LEFT_TO_RIGHT))


def width_inches(text: str, look: Look) -> float:
    """How wide the text is drawn."""
    return sum(_advance(character, look.is_bold) for character in clean(text)) * look.points / 72


def fitted(text: str, look: Look, within_inches: float) -> str:
    """The text, cut with an ellipsis where it is wider than that; empty where not even the ellipsis fits."""
    shown = clean(text)
    if width_inches(shown, look) <= within_inches:
        return shown
    room = within_inches * 72 / look.points - _advance(ELLIPSIS, look.is_bold)
    kept = []
    for character in shown:
        room -= _advance(character, look.is_bold)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + ELLIPSIS if kept else ""


def fitted_name(text: str, look: Look, within_inches: float) -> str:
    """The name, cut in its middle where it is too wide: names of variants often differ only at their ends."""
    shown = clean(text)
    if width_inches(shown, look) <= within_inches:
        return shown
    half = (within_inches - width_inches(ELLIPSIS, look)) / 2
    start = fitted(shown, look, half + width_inches(ELLIPSIS, look)).removesuffix(ELLIPSIS)
    end = fitted(shown[::-1], look, half + width_inches(ELLIPSIS, look)).removesuffix(ELLIPSIS)[::-1]
    return fitted(f"{start}{ELLIPSIS}{end}", look, within_inches)


def wrapped(
    text: str,
    look: Look,
    within_inches: float,
    most_lines: int,
    *,
    indent_inches: float = 0.0,
    last_indent_inches: float = 0.0,
) -> list[str]:
    """The text in at most so many lines, broken at spaces, the first one shorter by the indent, the last one
    cut with an ellipsis where more follows.

    The last of so many lines is shorter by `last_indent_inches`.
    """
    words = clean(text).split()
    lines: list[str] = []
    while words and len(lines) < most_lines:
        is_last = len(lines) == most_lines - 1
        room = within_inches - (0.0 if lines else indent_inches) - (last_indent_inches if is_last else 0.0)
        count = len(words) if is_last else _words_that_fit(words, look, room)
        lines.append(fitted(" ".join(words[:count]), look, room))
        words = words[count:]
    return lines


def _words_that_fit(words: list[str], look: Look, within_inches: float) -> int:
    space, used = width_inches(" ", look), -width_inches(" ", look)
    for count, word in enumerate(words):
        used += space + width_inches(word, look)
        if used > within_inches:
            return max(1, count)
    return len(words)


def put(
    figure: Figure,
    at_inches: tuple[float, float],
    text: str,
    look: Look,
    *,
    within_inches: float,
    align: str = "left",
    stand: str = "baseline",
) -> Text | None:
    """Places the text on the page, from its lower left corner, no wider than that; None where nothing is left
    to place.
    """
    shown = fitted(text, look, within_inches)
    if not shown.strip():
        return None
    width, height = figure.get_size_inches()
    baseline = at_inches[1] - _BASELINE_BELOW_EM[stand] * look.points / 72
    words = WordsArtist(
        at_inches[0] / width,
        baseline / height,
        shown,
        color=look.colour,
        fontproperties=font_properties(look.points, look.is_bold),
        horizontalalignment=align,  # type: ignore[arg-type] # one of the three words
        parse_math=False,
        transform=figure.transFigure,
        figure=figure,
    )
    figure.texts.append(words)
    return words


class WordsArtist(Text):
    """One line standing on its baseline. In pixels it is drawn right there, as laying out each line before
    drawing it would take as long as the drawing.
    """

    def draw(self, renderer: RendererBase) -> None:
        """Draws the line, and what is behind it."""
        if (
            not isinstance(renderer, RendererAgg)
            or self.get_bbox_patch() is not None
            or not self.get_visible()
        ):
            super().draw(renderer)
            return
        words, font, before = (
            self.get_text(),
            self.get_fontproperties(),
            _BEFORE[str(self.get_horizontalalignment())],
        )
        x, y = self.get_transform().transform(self.get_position())
        if before:
            x -= before * renderer.get_text_width_height_descent(words, font, ismath=False)[0]  # type: ignore[no-untyped-call]
        context = renderer.new_gc()
        context.set_foreground(self.get_color())
        renderer.draw_text(context, x, renderer.height - y, words, font, 0.0, mtext=self)  # type: ignore[no-untyped-call]
        context.restore()


def value_words(
    measurement: Measurement,
    *,
    unit: str | None = None,
    show_unit: bool = True,
    decimals: int | None = None,
    digits: int = 3,
) -> str:
    """The value with its unit and state; a dash where there is none."""
    if measurement.value is None:
        return NOTHING
    own = measurement.unit if unit is None else unit
    words = format_number(measurement.value, own, digits, decimals=decimals, show_unit=show_unit)
    return words + state_words(measurement)


def fitting_value(measurement: Measurement, words: str, look: Look, room_inches: float) -> str:
    """These words of the value, or it in fewer digits where they have no room: a number that is cut is
    another one.
    """
    shorter = (value_words(measurement, show_unit=False, digits=digits) for digits in (2, 1))
    return next((each for each in (words, *shorter) if width_inches(each, look) <= room_inches), words)


def end_words(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    """Values of one axis without their unit, in the same decimals: three digits of the largest."""
    decimals = axis_decimals(
        [one.value for one in measurements], measurements[0].unit if measurements else ""
    )
    return tuple(
        value_words(one, show_unit=False, decimals=each)
        for one, each in zip(measurements, decimals, strict=True)
    )
