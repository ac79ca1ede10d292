"""How the two models do: accuracy, mean latency and error rate, each on an axis of its own."""

from __future__ import annotations

from matplotlib.axes import Axes

from live_dashboards.figures.frame import Frame, base_line, tick_height, x_ticks
from live_dashboards.figures.marks import dot, draw_dots
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.text import Look, width_inches
from live_dashboards.figures.theme import FAINT, INK, MUTED, line_inches
from live_dashboards.model.axis import finite_ends, number_labels, padded, round_ticks
from live_dashboards.model.business_report import BusinessReport, PerformanceRow
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import format_number
from live_dashboards.model.presentation import colour_of, drawn_interval, style_of

_NAMES_INCHES, _NUMBERS_SHARE, _APART = 1.0, 0.22, 0.24


def draw_performance(frame: Frame, report: BusinessReport) -> None:
    """Three small charts under each other: a dot and its interval for each variant."""
    panel = report.performance
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    height = body.height / max(1, len(panel.rows))
    for index, row in enumerate(panel.rows):
        _draw_row(body.inner(top=index * height, bottom=body.height - (index + 1) * height), row, report)


def _draw_row(frame: Frame, row: PerformanceRow, report: BusinessReport) -> None:
    sizes, sides = frame.sizes, (row.baseline, row.challenger)
    names, numbers = sizes.room(_NAMES_INCHES), frame.width * _NUMBERS_SHARE
    plot = frame.inner(left=names, right=numbers, bottom=tick_height(sizes), top=0.03)
    limits = padded(
        finite_ends([side.value for side in sides], [drawn_interval(side) for side in sides]),
        0.1,
        floor=0.0,
        ceiling=100.0 if row.unit_label == "%" else None,
    )
    axes = plot.axes()
    axes.set_xlim(*limits)
    axes.set_ylim(0.5, -0.5)
    middle = plot.bottom - frame.bottom + plot.height / 2
    frame.write(
        0.0,
        middle + line_inches(sizes.note) * 0.5,
        row.label,
        Look(sizes.tick, INK),
        within=names - 0.08,
        stand="center_baseline",
    )
    arrow = f"{row.unit_label}, {'more' if row.is_higher_better else 'less'} is better"
    frame.write(
        0.0,
        middle - line_inches(sizes.note) * 0.6,
        arrow,
        Look(sizes.note, FAINT),
        within=names - 0.04,
        stand="center_baseline",
    )
    if all(side.value is None for side in sides):
        reason = row.baseline.reason or "not measured"
        frame.write(
            names,
            middle,
            reason,
            Look(sizes.note, FAINT),
            within=frame.width - names,
            stand="center_baseline",
        )
        return
    _write_ticks(frame, plot, axes, limits, row.unit_label)
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
