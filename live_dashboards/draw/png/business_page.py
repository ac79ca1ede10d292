"""The business page: its own strips, and its panels on a grid, the answer top left; how both models do is
drawn by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from live_dashboards.draw.png.compose import Layout
from live_dashboards.draw.png.frame import Frame, base_line, tick_height, x_ticks
from live_dashboards.draw.png.panel import open_panel
from live_dashboards.draw.png.rows import dot, draw_dots
from live_dashboards.draw.png.strips import answer_height, draw_answer, draw_header
from live_dashboards.draw.png.text import Look, fitted, width_inches, wrapped
from live_dashboards.draw.png.theme import (
    ALARM,
    AXIS,
    CALM,
    CAUTION,
    FAINT,
    INK,
    MUTED,
    PAPER,
    TINT,
    Sizes,
    line_inches,
)
from live_dashboards.model.axis import finite_ends, number_labels, padded, round_ticks
from live_dashboards.model.business_case import BusinessReport, SharePart
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.metrics import Metric
from live_dashboards.model.number import format_number, unit_suffix
from live_dashboards.model.presentation import ASSUMED, MEASURED, colour_of, drawn_interval, style_of
from live_dashboards.panels import performance
from live_dashboards.panels.business import BUSINESS_PANELS

_NAMES_INCHES, _NUMBERS_SHARE, _APART = 1.0, 0.22, 0.24

_MARKS = {
    "deploy": (CALM, "^", True),
    "deploy with monitoring": (CALM, "^", False),
    "keep testing": (MUTED, "o", False),
    "do not deploy": (ALARM, "X", True),
}
_LEFT_SHARE = 1 / 3
_HOW_DRAWN = "dot: measured; line: 95 % interval; hollow: none; title: interval of the difference"
_LOOKS = {
    "measured": (MEASURED, MEASURED, None),
    "assumed": (PAPER, ASSUMED, None),
    "simulated": (PAPER, CAUTION, "/////"),
    "missing": (PAPER, AXIS, None),
}
_PAD = 0.12


def draw_performance(frame: Frame, report: BusinessReport) -> None:
    """Three small charts under each other: a dot and its interval for each variant."""
    head = replace(performance.head(report), note=_HOW_DRAWN)
    body = open_panel(frame, head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    found = performance.quantities(report)
    height = body.height / len(found)
    for index, (metric, *sides) in enumerate(found):
        place = body.inner(top=index * height, bottom=body.height - (index + 1) * height)
        _draw_row(place, metric, sides, report)


def _draw_row(frame: Frame, metric: Metric, sides: Sequence[Measurement], report: BusinessReport) -> None:
    sizes, unit = frame.sizes, unit_suffix(metric.unit).strip()
    names, numbers = sizes.room(_NAMES_INCHES), frame.width * _NUMBERS_SHARE
    plot = frame.inner(left=names, right=numbers, bottom=tick_height(sizes), top=0.03)
    limits = padded(
        finite_ends([side.value for side in sides], [drawn_interval(side) for side in sides]),
        0.1,
        floor=0.0,
        ceiling=100.0 if metric.is_share else None,
    )
    axes = plot.axes()
    axes.set_xlim(*limits)
    axes.set_ylim(0.5, -0.5)
    middle = plot.bottom - frame.bottom + plot.height / 2
    way = metric.better_words if metric.is_direction_known else "better: unknown"
    arrow = f"{unit}, {way}" if unit else way
    name, small = Look(sizes.tick, INK), Look(sizes.note, FAINT)
    above, below = middle + line_inches(sizes.note) * 0.5, middle - line_inches(sizes.note) * 0.6
    frame.write(0.0, above, metric.title, name, within=names - 0.08, stand="center_baseline")
    frame.write(0.0, below, arrow, small, within=names - 0.04, stand="center_baseline")
    if all(side.value is None for side in sides):
        reason, room = sides[0].reason or "not measured", frame.width - names
        frame.write(names, middle, reason, small, within=room, stand="center_baseline")
        return
    _write_ticks(frame, plot, axes, limits, unit)
    for side, y in zip(sides, (-_APART, _APART), strict=True):
        style = style_of(report.variant_names, side.variant)
        draw_dots(axes, plot, [dot(side, y)], style, colour_of(style, side.origin))
        _write_value(frame, plot, side, y, style.text_colour)


def _write_ticks(frame: Frame, plot: Frame, axes: Axes, limits: tuple[float, float], unit_label: str) -> None:
    look = Look(frame.sizes.tick)
    choices = [
        (ticks, number_labels(ticks, "percent" if unit_label == "%" else "ms"))
        for ticks in (round_ticks(*limits, most) for most in (5, 4, 3, 2))
    ]
    positions, labels = next(
        (
            each
            for each in choices
            if sum(width_inches(label, look) + 0.12 for label in each[1]) <= plot.width
        ),
        choices[-1],
    )
    x_ticks(axes, frame.sizes, positions, labels)
    base_line(axes)


def _write_value(frame: Frame, plot: Frame, side: Measurement, y: float, colour: str) -> None:
    # on a low panel further apart than the dots, so that both can be read
    lift = max(plot.height * abs(y), line_inches(frame.sizes.tick, 1.1) / 2)
    height = plot.bottom - frame.bottom + plot.height / 2 + (lift if y < 0 else -lift)
    text, shade = (
        (format_number(side.value, side.unit), colour) if side.value is not None else ("not measured", MUTED)
    )
    frame.write(
        frame.width,
        height,
        text,
        Look(frame.sizes.tick, shade),
        within=frame.right - plot.right - 0.08,
        align="right",
        stand="center_baseline",
    )


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
    place, size = (_PAD + 0.07, y + sizes.answer * 0.36 / 72), sizes.answer * 0.8
    frame.mark(place, marker, colour, size=size, edge=1.6, is_filled=is_filled, gid="recommendation")
    look = Look(sizes.answer, INK, is_bold=True)
    frame.write(_PAD + 0.24, y, advice.verdict, look, within=frame.width - _PAD - 0.24)
    small, y = Look(sizes.note, MUTED), y - line_inches(sizes.note, 0.35)
    for line in wrapped("; ".join(advice.reasons), small, frame.width - _PAD, 2):
        y -= line_inches(sizes.note, 1.2)
        frame.write(_PAD, y, line, small, within=frame.width - _PAD)


def _draw_number(frame: Frame, label: str, value: str, beside: str) -> None:
    sizes = frame.sizes
    y = frame.height - 0.06 - line_inches(sizes.note, 0.9)
    frame.write(0.0, y, label, Look(sizes.note, FAINT), within=frame.width)
    y -= line_inches(sizes.page_title, 1.1)
    look = next(
        look
        for look in (Look(points, INK, is_bold=True) for points in (sizes.page_title, sizes.answer))
        if look.points == sizes.answer or fitted(value, look, frame.width) == value
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


def _strips(sizes: Sizes) -> tuple[tuple[Callable[[Frame, BusinessReport], None], float], ...]:
    """The strips above the panels with their heights in inches."""
    return (
        (draw_header, line_inches(sizes.page_title, 1.1) + line_inches(sizes.body, 2.1)),
        (draw_answer, answer_height(sizes)),
        (draw_headline, 0.14 + line_inches(sizes.note, 3.5) + line_inches(sizes.page_title, 1.1)),
        (draw_shares, line_inches(sizes.note, 3.0) + 0.12 * sizes.scale),
    )


def _row_shares(_: BusinessReport) -> tuple[float, ...]:
    return 0.95, 1.05, 1.06


PAGE = Layout(_strips, BUSINESS_PANELS, {"performance": draw_performance}, _row_shares, "business")
