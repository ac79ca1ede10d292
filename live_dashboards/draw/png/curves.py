"""How a curve of money looks: the line over its band or shade, its points, and words above it."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from live_dashboards.draw.png.frame import Frame, base_line, tick_height, x_ticks, y_ticks
from live_dashboards.draw.png.text import Look, width_inches
from live_dashboards.draw.png.theme import BAND, INK, PAPER, TICK_PAD_POINTS, line_inches
from live_dashboards.model.axis import number_labels, round_ticks
from live_dashboards.model.chart import Curve, Spot, Words
from live_dashboards.model.number import USD
from live_dashboards.model.presentation import RESULT

_BELOW_ZERO_SHARE = 0.16


def draw_curve(body: Frame, chart: Curve) -> None:
    """The line with all that belongs to it."""
    sizes = body.sizes
    axes = _axes(body.inner(top=line_inches(sizes.note, 1.4) if chart.above else 0.0), chart)
    if chart.shade is not None:
        axes.axvspan(*chart.shade, color=BAND, linewidth=0, zorder=0.2, gid="shade")
    if chart.band:
        xs, lows, highs = zip(*chart.band, strict=True)
        axes.fill_between(xs, lows, highs, color=BAND, linewidth=0, zorder=1, gid="band")
    _zero_line(axes)
    axes.plot(*zip(*chart.points, strict=True), color=RESULT, linewidth=sizes.line, zorder=3, gid="curve")
    for x in chart.guides:
        axes.axvline(x, color=INK, linewidth=0.9, dashes=(3, 2), zorder=2, gid="guide")
    for spot in chart.spots:
        _draw_spot(axes, body, spot)
    _write_above(axes, body, chart.above)


def _axes(body: Frame, chart: Curve) -> Axes:
    """Axes with money upwards, and room below zero for words beside a point."""
    sizes, (low, high) = body.sizes, chart.y_limits
    room = body.inner(bottom=tick_height(sizes), top=line_inches(sizes.tick) * 0.45)
    if any(spot.beside for spot in chart.spots):
        # at least a line of words, on a low panel too
        line_share = min(0.5, line_inches(sizes.tick, 1.65) / room.height)
        low = min(low, -_BELOW_ZERO_SHARE * (high - low), -line_share / (1 - line_share) * high)
    ticks = round_ticks(low, high, max(2, min(5, int(room.height / line_inches(sizes.tick, 2.0)))))
    labels = number_labels(ticks, USD)
    left = max((width_inches(label, Look(sizes.tick)) for label in labels), default=0.0)
    axes = room.inner(left=left + (TICK_PAD_POINTS + 1) / 72, right=0.1 * sizes.scale).axes()
    axes.set_xlim(*chart.x_limits)
    axes.set_ylim(low, high)
    x_ticks(axes, sizes, [x for x, _ in chart.x_ticks], [label for _, label in chart.x_ticks], has_grid=False)
    y_ticks(axes, sizes, ticks, labels)
    base_line(axes)
    return axes


def _zero_line(axes: Axes) -> None:
    """Where the value is nothing."""
    low, high = axes.get_ylim()
    if low <= 0 <= high:
        axes.axhline(0.0, color=INK, linewidth=1.0, zorder=2)


def _place(axes: Axes, frame: Frame, x: float, y: float) -> tuple[float, float]:
    """Inches from the frame's lower left corner to a point of linear axes."""
    box, (width, height) = axes.get_position(), frame.figure.get_size_inches()
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    across, up = (x - left) / (right - left), (y - bottom) / (top - bottom)
    return float((box.x0 + across * box.width) * width - frame.left), float(
        (box.y0 + up * box.height) * height - frame.bottom
    )


def _draw_spot(axes: Axes, body: Frame, spot: Spot) -> None:
    """The point, and its words at its lower right."""
    axes.plot(
        [spot.x],
        [spot.y_usd],
        marker="o",
        markersize=body.sizes.marker * spot.size,
        color=spot.colour,
        markerfacecolor=spot.colour if spot.is_filled else PAPER,
        markeredgewidth=spot.edge_points,
        zorder=5,
        gid=spot.name,
    )
    if spot.beside:
        look = Look(body.sizes.tick, spot.colour, is_bold=True)
        (x, y), width = _place(axes, body, spot.x, spot.y_usd), width_inches(spot.beside, look)
        left, below = min(x + 0.12, body.width - width), y - line_inches(body.sizes.tick, 1.5)
        body.write(left, below, spot.beside, look, within=width + 0.02)


def _write_above(axes: Axes, body: Frame, above: Sequence[tuple[float, Words]]) -> None:
    """Each over its place as far as all have room; the next one keeps clear of those before."""
    look, y, taken = Look(body.sizes.note), body.height - line_inches(body.sizes.note), 0.0
    ordered = sorted(above, key=lambda each: each[0])
    widths = [width_inches(words.text, look) for _, words in ordered]
    for index, (x, words) in enumerate(ordered):
        after = sum(widths[index + 1 :]) + 0.12 * (len(ordered) - index - 1)
        centre = _place(axes, body, x, 0.0)[0] - widths[index] / 2
        left = max(taken, min(centre, body.width - after - widths[index]))
        shown = Look(body.sizes.note, words.colour)
        body.write(left, y, words.text, shown, within=max(0.0, body.width - left))
        taken = left + widths[index] + 0.12
