"""The curves of the business page, drawn by hand: net value over the improvement, and cumulative value over
the months.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from live_dashboards.draw.png.frame import Frame, base_line, tick_height, x_ticks, y_ticks
from live_dashboards.draw.png.panel import open_panel
from live_dashboards.draw.png.text import Look, width_inches
from live_dashboards.draw.png.theme import BAND, INK, MUTED, PAPER, TICK_PAD_POINTS, line_inches
from live_dashboards.model.axis import number_labels, padded, round_ticks
from live_dashboards.model.business_case import CashPoint
from live_dashboards.model.business_report import BreakEvenPanel, BusinessReport, PaybackPanel
from live_dashboards.model.number import USD, format_signed
from live_dashboards.model.presentation import MEASURED, RESULT


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


def draw_break_even(frame: Frame, report: BusinessReport) -> None:
    """A line through all improvements, a dot at the measured one, a tick where it crosses zero."""
    panel = report.break_even
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None or panel.measured is None or panel.net_at_zero_usd is None or panel.usd_per_point is None:
        return
    low, high = panel.limits
    nets = [panel.net_usd(x) for x in (low, high)]
    ticks = round_ticks(low, high, 5)
    heading = line_inches(body.sizes.note, 1.4)
    axes = money_axes(
        body.inner(top=heading), (low, high), padded([*nets, 0.0]), ticks, number_labels(ticks, "points")
    )
    if panel.shaded is not None:
        axes.axvspan(*panel.shaded, color=BAND, linewidth=0, zorder=0.2, gid="measured-interval")
    zero_line(axes, is_upright=False)
    axes.plot([low, high], nets, color=RESULT, linewidth=body.sizes.line, zorder=3)
    _mark(axes, body, panel)


def _mark(axes: Axes, body: Frame, panel: BreakEvenPanel) -> None:
    """The measured improvement and the break-even, named above the drawing."""
    assert panel.measured is not None  # noqa: S101 drawn only where there is one
    measured = panel.measured.value or 0.0
    net = panel.net_usd(measured)
    hollow = panel.shade is None
    axes.plot(
        [measured],
        [net],
        marker="o",
        markersize=body.sizes.marker * 1.2,
        color=MEASURED,
        markerfacecolor=PAPER if hollow else MEASURED,
        zorder=5,
        gid="measured",
    )
    words = [(measured, f"measured {format_signed(measured, 'points')}", MEASURED)]
    near = panel.near_points
    if near is not None:
        axes.axvline(near, color=INK, linewidth=0.9, dashes=(3, 2), zorder=2, gid="break-even")
        words.append((near, f"break-even {format_signed(near, 'points')}", INK))
    elif panel.break_even_points is not None:
        words.append(
            (
                axes.get_xlim()[0],
                f"break-even {format_signed(panel.break_even_points, 'points')}, off the axis",
                MUTED,
            )
        )
    _name(axes, body, words)


def _name(axes: Axes, body: Frame, words: list[tuple[float, str, str]]) -> None:
    """Each word over its place as far as both have room; the second keeps clear of the first."""
    look, y, taken = Look(body.sizes.note), body.height - line_inches(body.sizes.note), 0.0
    ordered = sorted(words, key=lambda each: each[0])
    widths = [width_inches(text, look) for _, text, _ in ordered]
    for index, (x, text, colour) in enumerate(ordered):
        after = sum(widths[index + 1 :]) + 0.12 * (len(ordered) - index - 1)
        centre = place(axes, body, x, 0.0)[0] - widths[index] / 2
        left = max(taken, min(centre, body.width - after - widths[index]))
        body.write(left, y, text, Look(body.sizes.note, colour), within=max(0.0, body.width - left))
        taken = left + widths[index] + 0.12


def draw_payback(frame: Frame, report: BusinessReport) -> None:
    """A line from the cost of the infrastructure on; a dot where it crosses zero."""
    panel = report.payback
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None or not panel.points:
        return
    months = [point.month for point in panel.points]
    ends = [
        end
        for point in panel.points
        for end in (point.value_usd, point.low_usd, point.high_usd)
        if end is not None
    ]
    ticks = [month for month in (0.0, 3.0, 6.0, 9.0, 12.0) if months[0] <= month <= months[-1]]
    labels = [f"{month:g}" if month else "month 0" for month in ticks]
    heading = line_inches(body.sizes.note, 1.4) if panel.words else 0.0
    axes = money_axes(body.inner(top=heading), (months[0], months[-1]), _limits(ends), ticks, labels)
    _draw_band(axes, panel.points)
    zero_line(axes, is_upright=False)
    axes.plot(
        months,
        [point.value_usd for point in panel.points],
        color=RESULT,
        linewidth=body.sizes.line,
        zorder=3,
        gid="cash",
    )
    if panel.words:
        body.write(
            0.0, body.height - line_inches(body.sizes.note), panel.words, Look(body.sizes.note, MEASURED)
        )
    _mark_payback(axes, body, panel)


def _limits(ends: Sequence[float]) -> tuple[float, float]:
    """Room below zero for the payback's words."""
    low, high = padded([*ends, 0.0])
    return min(low, -0.16 * (high - low)), high


def _draw_band(axes: Axes, points: Sequence[CashPoint]) -> None:
    known = [point for point in points if point.low_usd is not None and point.high_usd is not None]
    if known:
        months, lows, highs = (
            [getattr(point, name) for point in known] for name in ("month", "low_usd", "high_usd")
        )
        axes.fill_between(months, lows, highs, color=BAND, linewidth=0, zorder=1, gid="band")


def _mark_payback(axes: Axes, body: Frame, panel: PaybackPanel) -> None:
    """The point at which the cost has come back, where that is within the year."""
    month = panel.month
    if month is None:
        return
    axes.plot(
        [month],
        [0.0],
        marker="o",
        markersize=body.sizes.marker * 1.3,
        color=INK,
        markerfacecolor=PAPER,
        markeredgewidth=1.4,
        zorder=5,
        gid="payback",
    )
    text, look = panel.head.title.replace("Paid back in ", ""), Look(body.sizes.tick, INK, is_bold=True)
    x, y = place(axes, body, month, 0.0)
    x, width = x + 0.12, width_inches(text, look)
    body.write(
        min(x, body.width - width), y - line_inches(body.sizes.tick, 1.5), text, look, within=width + 0.02
    )
