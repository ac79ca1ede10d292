"""What effect must be real: the net value over the improvement in accuracy, with the measured interval
shaded.
"""

from __future__ import annotations

from matplotlib.axes import Axes

from live_dashboards.figures.business.money import money_axes, place, zero_line
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.text import Look, width_inches
from live_dashboards.figures.theme import BAND, INK, MUTED, PAPER, line_inches
from live_dashboards.model.axis import number_labels, padded, round_ticks
from live_dashboards.model.business_report import BreakEvenPanel, BusinessReport
from live_dashboards.model.number import format_signed
from live_dashboards.model.presentation import MEASURED, RESULT

_FAR = 5.0


def draw_break_even(frame: Frame, report: BusinessReport) -> None:
    """A line through all improvements, a dot at the measured one, a tick where it crosses zero."""
    panel = report.break_even
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None or panel.measured is None or panel.net_at_zero_usd is None or panel.usd_per_point is None:
        return
    spread = [0.0, panel.measured.value or 0.0]
    spread += [end for end in ((panel.shade.low, panel.shade.high) if panel.shade else ()) if end is not None]
    is_near = panel.break_even_points is not None and abs(panel.break_even_points) <= _FAR * max(
        abs(each) for each in (*spread, 1e-9)
    )
    low, high = padded(
        [*spread, *([panel.break_even_points] if is_near and panel.break_even_points is not None else [])],
        0.12,
    )
    nets = [panel.net_at_zero_usd + x * panel.usd_per_point for x in (low, high)]
    ticks = round_ticks(low, high, 5)
    heading = line_inches(body.sizes.note, 1.4)
    axes = money_axes(
        body.inner(top=heading), (low, high), padded([*nets, 0.0]), ticks, number_labels(ticks, "points")
    )
    if panel.shade is not None and panel.shade.low is not None and panel.shade.high is not None:
        axes.axvspan(
            panel.shade.low, panel.shade.high, color=BAND, linewidth=0, zorder=0.2, gid="measured-interval"
        )
    zero_line(axes, is_upright=False)
    axes.plot([low, high], nets, color=RESULT, linewidth=body.sizes.line, zorder=3)
    _mark(axes, body, panel, is_near=is_near)


def _mark(axes: Axes, body: Frame, panel: BreakEvenPanel, *, is_near: bool) -> None:
    """The measured improvement and the break-even, named above the drawing."""
    assert panel.measured is not None  # noqa: S101 drawn only where there is one
    measured = panel.measured.value or 0.0
    net = (panel.net_at_zero_usd or 0.0) + measured * (panel.usd_per_point or 0.0)
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
    if panel.break_even_points is not None and is_near:
        axes.axvline(
            panel.break_even_points, color=INK, linewidth=0.9, dashes=(3, 2), zorder=2, gid="break-even"
        )
        words.append(
            (panel.break_even_points, f"break-even {format_signed(panel.break_even_points, 'points')}", INK)
        )
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
