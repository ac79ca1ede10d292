"""The business page's own strips: the recommendation beside the large numbers, and how much of it all is
measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.text import Look, fitted, width_inches, wrapped
from live_dashboards.figures.theme import (
    ALARM,
    AXIS,
    CALM,
    CAUTION,
    FAINT,
    INK,
    MUTED,
    PAPER,
    TINT,
    line_inches,
)
from live_dashboards.model.business_report import BusinessReport, SharePart
from live_dashboards.model.presentation import ASSUMED, MEASURED

_MARKS = {
    "deploy": (CALM, "^", True),
    "deploy with monitoring": (CALM, "^", False),
    "keep testing": (MUTED, "o", False),
    "do not deploy": (ALARM, "X", True),
}
_LEFT_SHARE = 1 / 3
_LOOKS = {
    "measured": (MEASURED, MEASURED, None),
    "assumed": (PAPER, ASSUMED, None),
    "simulated": (PAPER, CAUTION, "/////"),
    "missing": (PAPER, AXIS, None),
}
_PAD = 0.12


def draw_headline(frame: Frame, report: BusinessReport) -> None:
    """What to do and why on the left; net value, ROI, payback and chance on the right."""
    frame.fill(TINT)
    _draw_recommendation(frame.inner(right=frame.width * (1 - _LEFT_SHARE)), report)
    columns = frame.inner(left=frame.width * _LEFT_SHARE + 0.1, right=_PAD).columns(
        max(1, len(report.headline_words)), 0.18
    )
    for column, (label, value, beside) in zip(columns, report.headline_words, strict=True):
        _draw_number(column, label, value, beside)


def _draw_recommendation(frame: Frame, report: BusinessReport) -> None:
    sizes, advice = frame.sizes, report.recommendation
    y = frame.height - 0.06 - line_inches(sizes.note, 0.9)
    frame.write(_PAD, y, "RECOMMENDATION", Look(sizes.note, FAINT))
    y -= line_inches(sizes.page_title, 1.1)
    colour, marker, is_filled = _MARKS.get(advice.verdict, (MUTED, "s", False))
    _mark(frame, _PAD + 0.07, y + sizes.verdict * 0.36 / 72, colour, marker, is_filled=is_filled)
    look = Look(sizes.verdict, INK, is_bold=True)
    frame.write(_PAD + 0.24, y, advice.verdict, look, within=frame.width - _PAD - 0.24)
    small, y = Look(sizes.note, MUTED), y - line_inches(sizes.note, 0.35)
    for line in wrapped("; ".join(advice.reasons), small, frame.width - _PAD, 2):
        y -= line_inches(sizes.note, 1.2)
        frame.write(_PAD, y, line, small, within=frame.width - _PAD)


def _mark(frame: Frame, x: float, y: float, colour: str, marker: str, *, is_filled: bool) -> None:
    width, height = frame.figure.get_size_inches()
    place = [(frame.left + x) / width], [(frame.bottom + y) / height]
    face = colour if is_filled else PAPER
    size = frame.sizes.verdict * 0.8
    artist = Line2D(
        *place,
        marker=marker,
        markersize=size,
        color=colour,
        markerfacecolor=face,
        markeredgewidth=1.6,
        linestyle="none",
        transform=frame.figure.transFigure,
    )
    artist.set_gid("recommendation")
    frame.figure.add_artist(artist)


def _draw_number(frame: Frame, label: str, value: str, beside: str) -> None:
    sizes = frame.sizes
    y = frame.height - 0.06 - line_inches(sizes.note, 0.9)
    frame.write(0.0, y, label, Look(sizes.note, FAINT), within=frame.width)
    y -= line_inches(sizes.page_title, 1.1)
    look = next(
        look
        for look in (Look(points, INK, is_bold=True) for points in (sizes.page_title, sizes.verdict))
        if look.points == sizes.verdict or fitted(value, look, frame.width) == value
    )
    frame.write(0.0, y, value, look, within=frame.width)
    y -= line_inches(sizes.note, 0.35)
    for line in wrapped(beside, Look(sizes.note, MUTED), frame.width, 2):
        y -= line_inches(sizes.note, 1.2)
        frame.write(0.0, y, line, Look(sizes.note, MUTED), within=frame.width)


def draw_shares(frame: Frame, report: BusinessReport) -> None:
    """One thin bar of all inputs, each kind as wide as it has inputs, and named below; then what is told of
    the sources and inputs.
    """
    sizes, whole = frame.sizes, sum(len(part.names) for part in report.shares) or 1
    thick, x = 0.1 * sizes.scale, 0.0
    for part in report.shares:
        width = frame.width * len(part.names) / whole
        _draw_part(frame, part, (x, width - 0.04), thick)
        x += width
    _write_notices(frame, report.notices)


def _write_notices(frame: Frame, notices: Sequence[str]) -> None:
    """The weightiest in one line, the second one too where both fit, with how many there are."""
    look = Look(frame.sizes.note, INK)
    for shown in (2, 1):
        ending = f" · {len(notices)} notices in all: summary file" if len(notices) > shown else ""
        words = " ".join(f"• {notice}" for notice in notices[:shown])
        room = frame.width - width_inches(ending, look)
        if len(notices) >= shown and (shown == 1 or fitted(words, look, room) == words):
            frame.write(0.0, 0.03, fitted(words, look, room) + ending, look)
            return


def _draw_part(frame: Frame, part: SharePart, span: tuple[float, float], thick: float) -> None:
    face, edge, pattern = _LOOKS[part.kind]
    (page_width, page_height), (x, width) = frame.figure.get_size_inches(), span
    corner = (frame.left + x) / page_width, (frame.top - thick) / page_height
    dashes = (0, (3, 2)) if part.kind == "missing" else "solid"
    box = Rectangle(
        corner,
        width / page_width,
        thick / page_height,
        facecolor=face,
        edgecolor=edge,
        hatch=pattern,
        linestyle=dashes,
        transform=frame.figure.transFigure,
    )
    box.set_gid(f"share-{part.kind}")
    frame.figure.add_artist(box)
    words = f"{len(part.names)} {part.kind}: {', '.join(part.names)}"
    frame.write(
        x,
        frame.height - thick - line_inches(frame.sizes.note, 1.3),
        words,
        Look(frame.sizes.note, MUTED),
        within=width,
    )
