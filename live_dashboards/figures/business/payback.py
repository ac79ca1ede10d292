"""When is it paid back: the cumulative value over twelve months, with its band."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from live_dashboards.figures.business.money import money_axes, place, zero_line
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.text import Look, width_inches
from live_dashboards.figures.theme import BAND, INK, PAPER, line_inches
from live_dashboards.model.axis import padded
from live_dashboards.model.business_case import CashPoint
from live_dashboards.model.business_report import BusinessReport, PaybackPanel
from live_dashboards.model.presentation import MEASURED, RESULT

_DAYS_A_MONTH = 365 / 12


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
    if (
        panel.payback is None
        or panel.payback.value is None
        or panel.payback.value / _DAYS_A_MONTH > panel.points[-1].month
    ):
        return
    month = panel.payback.value / _DAYS_A_MONTH
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
