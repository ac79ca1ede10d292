"""What all panels share: the title that answers, the subtitle with the unit, tags, hatching, notes, the look
of a panel that has nothing, and the marks of a simulated page.
"""

from __future__ import annotations

import math

from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from live_dashboards.draw.png.frame import Frame
from live_dashboards.draw.png.text import Look, font_properties, width_inches, wrapped
from live_dashboards.draw.png.theme import (
    ALARM,
    BORDER_HATCH,
    CACHED,
    CAUTION,
    FAINT,
    HATCH,
    INK,
    MUTED,
    PAPER,
    SMALLEST_POINTS,
    WATERMARK_EDGE,
    WATERMARK_FILL,
    Sizes,
    line_inches,
)
from live_dashboards.model.measurement import Origin
from live_dashboards.model.presentation import CACHED_MARK
from live_dashboards.model.report import Head

_WORD = "SIMULATED"

_TAGS = {
    Origin.SIMULATED: ("SIMULATED", CAUTION),
    Origin.ESTIMATED: ("ESTIMATED", CAUTION),
    Origin.CACHED: (f"CACHED {CACHED_MARK}", CACHED),
    Origin.MISSING: ("MISSING", MUTED),
}
_HATCH_STEP_INCHES = 0.09
_GAP_INCHES = 0.06


def draw_simulation_marks(figure: Figure, sizes: Sizes, border_inches: float) -> None:
    """The border and the watermark, behind everything else."""
    width, height = (float(side) for side in figure.get_size_inches())
    page = Frame(figure, 0.0, 0.0, width, height, sizes)
    edges = (
        page.lower(border_inches),
        page.upper(border_inches),
        page.inner(right=width - border_inches),
        page.inner(left=width - border_inches),
    )
    for edge in edges:
        hatch(edge, BORDER_HATCH, 0.07, width_points=1.1, zorder=-1.0)
    _draw_watermark(figure, width, height)


def _draw_watermark(figure: Figure, width: float, height: float) -> None:
    """The word from corner to corner."""
    path = TextPath((0, 0), _WORD, size=72, prop=font_properties(72.0, is_bold=True))
    box, diagonal = path.get_extents(), math.hypot(width, height)
    size = 0.74 * diagonal / (box.width / 72) / 72
    place = (
        Affine2D()
        .translate(-box.x0 - box.width / 2, -box.y0 - box.height / 2)
        .scale(size)
        .rotate(math.atan2(height, width))
        .translate(width / 2, height / 2)
    )
    patch = PathPatch(
        path,
        facecolor=WATERMARK_FILL,
        edgecolor=WATERMARK_EDGE,
        linewidth=1.0,
        transform=place + figure.dpi_scale_trans,
        zorder=-1,
    )
    patch.set_gid("watermark")
    figure.add_artist(patch)


def open_panel(frame: Frame, head: Head, *, is_page_simulated: bool = False) -> Frame | None:
    """Draws the panel's head and note; the place left for the drawing, None where there is nothing to
    draw.
    """
    if head.is_alarm:
        frame.outline(ALARM, max(1.2, 1.8 * frame.sizes.scale))
        frame = frame.inner(left=0.1, right=0.1, bottom=0.05)
    frame.rule(frame.height)
    if head.origin is Origin.MISSING or (head.origin is Origin.SIMULATED and not is_page_simulated):
        hatch(frame, HATCH, _HATCH_STEP_INCHES)
        frame = frame.inner(left=0.08, right=0.08, bottom=0.05)
    body = _write_head(frame, head, is_page_simulated=is_page_simulated)
    if not head.is_drawn:
        _explain(body, head)
        return None
    return _write_note(body, head.note)


def _write_head(frame: Frame, head: Head, *, is_page_simulated: bool) -> Frame:
    sizes, y = frame.sizes, frame.height - 0.04
    indent = _tag(frame, head.origin)
    look = _title_look(head.title, sizes, frame.width - indent)
    for number, line in enumerate(wrapped(head.title, look, frame.width, 2, indent_inches=indent)):
        y -= line_inches(sizes.title, 1.22)
        frame.write(0.0 if number else indent, y + line_inches(sizes.title, 0.22), line, look)
    for words, colour in (
        (head.reason if head.origin is Origin.SIMULATED and not is_page_simulated else "", CAUTION),
        (head.subtitle, MUTED),
    ):
        if words:
            y -= line_inches(sizes.body, 1.35)
            frame.write(0.0, y + line_inches(sizes.body, 0.3), words, Look(sizes.body, colour))
    return frame.inner(top=frame.height - y + _GAP_INCHES)


def _title_look(title: str, sizes: Sizes, room: float) -> Look:
    """The title's size, up to a sixth smaller where that spares a second line."""
    looks = [
        Look(max(SMALLEST_POINTS, sizes.title * share), INK, is_bold=True) for share in (1.0, 0.92, 0.84)
    ]
    return next((look for look in looks if width_inches(title, look) <= room), looks[0])


def _tag(frame: Frame, origin: Origin) -> float:
    """The boxed word before the title that says what kind of values these are; how far it pushes the title,
    in inches.
    """
    if origin not in _TAGS:
        return 0.0
    word, colour = _TAGS[origin]
    look = Look(frame.sizes.note, PAPER, is_bold=True)
    height, width = line_inches(frame.sizes.title, 1.0), width_inches(word, look) + 0.1
    frame.upper(frame.sizes.title / 72 * 1.45).lower(height).inner(right=frame.width - width).fill(
        colour, zorder=0.5
    )
    frame.write(
        width / 2,
        frame.height - frame.sizes.title / 72 * 1.45 + height / 2,
        word,
        look,
        within=width,
        align="center",
        stand="center_baseline",
    )
    return width + 0.08


def say_nothing(body: Frame, words: str) -> None:
    """In a panel that could be drawn but has no row."""
    body.write(0.0, body.height / 2, words, Look(body.sizes.body, MUTED))


def _explain(body: Frame, head: Head) -> None:
    """In place of a drawing: what was asked, why there is nothing, when it was last good."""
    sizes = body.sizes
    rows = (("asked", head.asked), ("reason", head.reason), ("last good", head.last_good))
    y, label_width = body.height - 0.1, width_inches("last good  ", Look(sizes.body, FAINT))
    for label, words in rows:
        lines = wrapped(words, Look(sizes.body, INK), body.width - label_width, 4)
        for number, line in enumerate(lines):
            y -= line_inches(sizes.body, 1.4)
            if number == 0:
                body.write(0.0, y, label, Look(sizes.body, MUTED))
            body.write(label_width, y, line, Look(sizes.body, INK))
        y -= 0.04 if lines else 0.0


def _write_note(body: Frame, note: str) -> Frame:
    """The note below the drawing, at most two lines; the place above it."""
    sizes = body.sizes
    lines = wrapped(note, Look(sizes.note, FAINT), body.width, 2) if sizes.has_notes else []
    for number, line in enumerate(reversed(lines)):
        body.write(0.0, 0.03 + number * line_inches(sizes.note), line, Look(sizes.note, FAINT))
    return body.inner(bottom=0.03 + len(lines) * line_inches(sizes.note) + (0.05 if lines else 0.0))


def hatch(
    frame: Frame, colour: str, step_inches: float, *, width_points: float = 0.7, zorder: float = -1.0
) -> None:
    """Diagonal lines over the frame, as one artist."""
    page_width, page_height = frame.figure.get_size_inches()
    segments = []
    count = int((frame.width + frame.height) / step_inches) + 1
    for index in range(1, count):
        offset = index * step_inches
        start = (min(offset, frame.width), max(0.0, offset - frame.width))
        end = (max(0.0, offset - frame.height), min(offset, frame.height))
        segments.append(
            [((frame.left + x) / page_width, (frame.bottom + y) / page_height) for x, y in (start, end)]
        )
    frame.figure.add_artist(
        LineCollection(
            segments,
            colors=colour,
            linewidths=width_points,
            transform=frame.figure.transFigure,
            zorder=zorder,
        )
    )
