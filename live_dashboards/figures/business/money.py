"""Axes in USD."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from live_dashboards.figures.frame import Frame, base_line, tick_height, x_ticks, y_ticks
from live_dashboards.figures.text import Look, width_inches
from live_dashboards.figures.theme import INK, TICK_PAD_POINTS, line_inches
from live_dashboards.model.axis import number_labels, round_ticks
from live_dashboards.model.number import USD


def money_axes(
    body: Frame,
    x_limits: tuple[float, float],
    y_limits: tuple[float, float],
    x_positions: Sequence[float],
    x_labels: Sequence[str],
) -> Axes:
    """Axes with money upwards and the given ticks along."""
    sizes = body.sizes
    room = body.inner(bottom=tick_height(sizes), top=line_inches(sizes.tick) * 0.45)
    ticks = round_ticks(*y_limits, max(2, min(5, int(room.height / line_inches(sizes.tick, 2.0)))))
    labels = number_labels(ticks, USD)
    left = (
        max((width_inches(label, Look(sizes.tick)) for label in labels), default=0.0)
        + (TICK_PAD_POINTS + 1) / 72
    )
    axes = room.inner(left=left, right=0.1 * sizes.scale).axes()
    axes.set_xlim(*x_limits)
    axes.set_ylim(*y_limits)
    x_ticks(axes, sizes, x_positions, x_labels, has_grid=False)
    y_ticks(axes, sizes, ticks, labels)
    base_line(axes)
    return axes


def zero_line(axes: Axes, *, is_upright: bool) -> None:
    """Where the value is nothing."""
    low, high = axes.get_xlim() if is_upright else sorted(axes.get_ylim())
    if low <= 0 <= high:
        (axes.axvline if is_upright else axes.axhline)(0.0, color=INK, linewidth=1.0, zorder=2)


def place(axes: Axes, frame: Frame, x: float, y: float) -> tuple[float, float]:
    """Inches from the frame's lower left corner to a point of linear axes."""
    box, (width, height) = axes.get_position(), frame.figure.get_size_inches()
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    across, up = (x - left) / (right - left), (y - bottom) / (top - bottom)
    return float((box.x0 + across * box.width) * width - frame.left), float(
        (box.y0 + up * box.height) * height - frame.bottom
    )
