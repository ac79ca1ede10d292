"""What was trained when: runs as bars, model versions as dated marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from live_dashboards.figures.frame import Frame, base_line, tick_height, tick_top, x_ticks
from live_dashboards.figures.marks import style_of
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.rows import Rows
from live_dashboards.figures.text import Look, width_inches
from live_dashboards.figures.theme import MUTED, PAPER, Sizes, line_inches
from live_dashboards.figures.ticks import time_ticks, zone_words
from live_dashboards.figures.words import value_words
from live_dashboards.model.report import AbReport, RunBar

_END_MARKS = {"finished": ("|", True), "running": (">", True), "silent": (">", False), "failed": ("X", True), "killed": ("X", False), "scheduled": ("o", False)}
_ROW_INCHES = 0.15


def draw(frame: Frame, report: AbReport) -> None:
    """The newest runs on the time axis, newest on top; the mark at a bar's end is its state, and the word stands beside it."""
    panel = report.runs
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    sizes = body.sizes
    bars, hidden = _fitting(body, panel.bars, sizes)
    hidden += panel.hidden_runs
    if not bars:
        body.write(0.0, body.height / 2, "no runs", Look(sizes.body, MUTED))
        return
    plot = body.inner(left=1.0 * sizes.scale + 0.12, right=1.32 * max(0.8, sizes.scale), bottom=tick_height(sizes), top=line_inches(sizes.note))
    axes = plot.axes()
    start, end = _span(bars, panel.marks, report.at)
    axes.set_xlim(start, end)
    axes.set_ylim(max(len(bars), 3) - 0.5, -0.5)
    _draw_bars(axes, bars, report, sizes)
    _write_rows(Rows(body, axes, plot, max(len(bars), 3)), bars, report)
    _draw_marks(body, plot, axes, panel.marks, f"{hidden} older not drawn" if hidden else "")
    zone = ZoneInfo(report.timezone)
    ticks = time_ticks(start, end, zone, 4)
    x_ticks(axes, sizes, [moment for moment, _ in ticks], [words for _, words in ticks])
    body.write(plot.right - body.left + 0.1, tick_top(sizes), zone_words(end, zone), Look(sizes.tick, MUTED), stand="top")
    base_line(axes)


def _fitting(body: Frame, bars: Sequence[RunBar], sizes: Sizes) -> tuple[list[RunBar], int]:
    room = int((body.height - tick_height(sizes) - line_inches(sizes.note)) / max(_ROW_INCHES * sizes.scale, line_inches(sizes.note, 1.15)))
    newest = sorted(bars, key=lambda bar: bar.started_at, reverse=True)
    return newest[: max(1, room)], max(0, len(newest) - max(1, room))


def _span(bars: Sequence[RunBar], marks: Sequence[tuple[datetime, str]], at: datetime) -> tuple[float, float]:
    """From the first drawn start to the moment of the page."""
    start = min(bar.started_at.timestamp() for bar in bars)
    end = max(at.timestamp(), *(bar.started_at.timestamp() for bar in bars), *(moment.timestamp() for moment, _ in marks), start + 60)
    return start - (end - start) * 0.02, end


def _draw_bars(axes: Axes, bars: Sequence[RunBar], report: AbReport, sizes: Sizes) -> None:
    """Thick lines from start to end; a run without an end reaches the moment of the page."""
    now = report.at.timestamp()
    ends = [bar.ended_at.timestamp() if bar.ended_at else max(now, bar.started_at.timestamp()) for bar in bars]
    colours = [style_of(report.variant_names, bar.variant).colour for bar in bars]
    lines = [[(bar.started_at.timestamp(), y), (end, y)] for y, (bar, end) in enumerate(zip(bars, ends, strict=True))]
    dashes = [(0, (1.0, 0.6)) if bar.state in {"silent", "scheduled"} else "solid" for bar in bars]
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=sizes.marker * 0.8, linestyles=dashes, zorder=3, clip_on=True), autolim=False)
    for state in dict.fromkeys(bar.state for bar in bars):
        marker, is_filled = _END_MARKS.get(state, ("o", False))
        for colour in dict.fromkeys(colours):
            chosen = [y for y, bar in enumerate(bars) if bar.state == state and colours[y] == colour]
            if chosen:
                axes.plot(
                    [ends[y] for y in chosen],
                    chosen,
                    linestyle="none",
                    marker=marker,
                    markersize=sizes.marker * 1.05,
                    markerfacecolor=colour if is_filled else PAPER,
                    markeredgecolor=colour if marker == "|" or not is_filled else PAPER,
                    markeredgewidth=1.3 if marker == "|" or not is_filled else 0.5,
                    clip_on=False,
                    zorder=4,
                )


def _write_rows(rows: Rows, bars: Sequence[RunBar], report: AbReport) -> None:
    sizes = rows.body.sizes
    points = sizes.tick if rows.height() >= line_inches(sizes.tick) else sizes.note
    for y, bar in enumerate(bars):
        colour = style_of(report.variant_names, bar.variant).text_colour
        rows.name(y, bar.label, colour, points=points)
        state_width = width_inches("scheduled", Look(points)) + 0.02
        rows.body.write(rows.body.width - state_width, rows.baseline(y), bar.state, Look(points, colour), stand="center_baseline")
        if bar.accuracy_percent is not None and bar.accuracy_percent.value is not None:
            rows.number(y, value_words(bar.accuracy_percent), colour, points=points, column=state_width + 0.1, within=0.55)


def _draw_marks(body: Frame, plot: Frame, axes: Axes, marks: Sequence[tuple[datetime, str]], hidden_words: str) -> None:
    """Model versions as thin dashed verticals with their names on top, and how many runs are not drawn."""
    start, end = axes.get_xlim()
    look, y = Look(body.sizes.note, MUTED), body.height - line_inches(body.sizes.note) + 0.02
    room = body.width
    if hidden_words:
        body.write(body.width, y, hidden_words, look, align="right")
        room -= width_inches(hidden_words, look) + 0.1
    free_from = 0.0
    for moment, label in sorted(marks):
        seconds = moment.timestamp()
        if start <= seconds <= end:
            axes.axvline(seconds, color=MUTED, linewidth=0.7, dashes=(3, 3), zorder=1)
            x = plot.left - body.left + plot.width * (seconds - start) / (end - start)
            width = min(0.9, width_inches(label, look))
            if x - width / 2 >= free_from and x + width / 2 <= room:
                body.write(x, y, label, look, within=width + 0.01, align="center")
                free_from = x + width / 2 + 0.06
