"""The A/B page: strips, and its panels on a grid, the most important top left; training runs are drawn by
hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from live_dashboards.draw.png.compose import Layout
from live_dashboards.draw.png.frame import Frame, tick_top, x_ticks
from live_dashboards.draw.png.panel import open_panel, say_nothing
from live_dashboards.draw.png.rows import RowPlot, bare_rows, fitting, heading_height
from live_dashboards.draw.png.strips import draw_header, draw_status, draw_verdict, verdict_height
from live_dashboards.draw.png.text import Look, value_words, width_inches
from live_dashboards.draw.png.theme import MUTED, PAPER, Sizes, line_inches
from live_dashboards.model.axis import time_ticks
from live_dashboards.model.moment import zone_words
from live_dashboards.model.presentation import style_of
from live_dashboards.model.report import AbReport, RunBar
from live_dashboards.panels.ab import AB_PANELS

_END_MARKS = {
    "finished": ("|", True),
    "running": (">", True),
    "silent": (">", False),
    "failed": ("X", True),
    "killed": ("X", False),
    "scheduled": ("o", False),
}
_FEWEST_ROWS = 3
_USUAL_VARIANTS, _MOST_VARIANTS, _MORE_FOR_VARIANT = 4, 6, 0.1
_ROOM_SHARE = 0.02
_APART_INCHES = 0.04


def draw_runs(frame: Frame, report: AbReport) -> None:
    """The newest runs on the time axis, newest on top; the mark at a bar's end is its state, and the word
    stands beside it.
    """
    panel = report.runs
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    bars, hidden = _fitting(body, panel.bars)
    if not bars:
        say_nothing(body, "no runs")
        return
    sizes, (start, end) = body.sizes, panel.span(bars, report.at)
    limits = start - (end - start) * _ROOM_SHARE, end
    rows = bare_rows(body, max(len(bars), _FEWEST_ROWS), limits, numbers=sizes.room(1.34))
    _draw_bars(rows.axes, bars, report, sizes)
    _write_rows(rows, bars, report)
    older = hidden + panel.hidden_runs
    _draw_marks(rows, panel.marks, f"{older} older not drawn" if older else "")
    _write_ticks(rows, ZoneInfo(report.timezone))


def _fitting(body: Frame, bars: Sequence[RunBar]) -> tuple[list[RunBar], int]:
    """The newest runs, as many as can be read, and how many are left out."""
    newest = sorted(bars, key=lambda bar: bar.started_at, reverse=True)
    shown, _ = fitting(body, newest)
    return list(shown), len(newest) - len(shown)


def _write_ticks(rows: RowPlot, zone: ZoneInfo) -> None:
    """Dates below the bars, the zone at the right end."""
    end, look = rows.axes.get_xlim()[1], Look(rows.body.sizes.tick, MUTED)
    choices = [_within_plot(rows, zone, look, most) for most in (4, 3, 2, 1)]
    ticks = next(filter(partial(_stand_apart, rows, look), choices), choices[-1][:1])
    x_ticks(rows.axes, rows.body.sizes, [moment for moment, _ in ticks], [words for _, words in ticks])
    rows.body.write(
        rows.plot.right - rows.body.left + 0.1,
        tick_top(rows.body.sizes),
        zone_words(end, zone),
        look,
        stand="top",
    )


def _within_plot(rows: RowPlot, zone: ZoneInfo, look: Look, most: int) -> list[tuple[float, str]]:
    """About so many dates, those that end within the plot."""
    start, end = rows.axes.get_xlim()
    scale = rows.plot.width / (end - start)
    return [
        tick
        for tick in time_ticks(start, end, zone, most)
        if (tick[0] - start) * scale + width_inches(tick[1], look) / 2 <= rows.plot.width + 0.05
    ]


def _stand_apart(rows: RowPlot, look: Look, ticks: Sequence[tuple[float, str]]) -> bool:
    """Whether no date touches the next one."""
    start, end = rows.axes.get_xlim()
    scale = rows.plot.width / (end - start)
    return all(
        (later - sooner) * scale > (width_inches(one, look) + width_inches(other, look)) / 2 + _APART_INCHES
        for (sooner, one), (later, other) in pairwise(ticks)
    )


def _draw_bars(axes: Axes, bars: Sequence[RunBar], report: AbReport, sizes: Sizes) -> None:
    """Thick lines from start to end; a run without an end reaches the moment of the page."""
    ends = [bar.end(report.at).timestamp() for bar in bars]
    colours = [style_of(report.variant_names, bar.variant).colour for bar in bars]
    lines = [
        [(bar.started_at.timestamp(), y), (end, y)]
        for y, (bar, end) in enumerate(zip(bars, ends, strict=True))
    ]
    dashes = [(0, (1.0, 0.6)) if bar.state in {"silent", "scheduled"} else "solid" for bar in bars]
    axes.add_collection(
        LineCollection(
            lines, colors=colours, linewidths=sizes.marker * 0.8, linestyles=dashes, zorder=3, clip_on=True
        ),
        autolim=False,
    )
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


def _write_rows(rows: RowPlot, bars: Sequence[RunBar], report: AbReport) -> None:
    """Name on the left; accuracy and state on the right, each in a column."""
    points = min(rows.points, rows.body.sizes.tick)
    state_width = width_inches("scheduled", Look(points)) + 0.02
    for y, bar in enumerate(bars):
        colour = style_of(report.variant_names, bar.variant).text_colour
        rows.name(y, bar.label, colour, points=points)
        rows.body.write(
            rows.body.width - state_width,
            rows.middle(y),
            bar.state,
            Look(points, colour),
            stand="center_baseline",
        )
        if bar.accuracy is not None and bar.accuracy.value is not None:
            rows.number(
                y,
                value_words(bar.accuracy),
                colour,
                points=points,
                column=state_width + 0.1,
                within=rows.body.sizes.room(0.55),
            )


def _draw_marks(rows: RowPlot, marks: Sequence[tuple[datetime, str]], older: str) -> None:
    """Model versions as thin dashed verticals with their names on top, and how many runs are not drawn; a
    name that would touch a newer one is left out.
    """
    rows.heading(over_numbers=older)
    axes, body, plot = rows.axes, rows.body, rows.plot
    start, end = axes.get_xlim()
    look, y = Look(body.sizes.note, MUTED), body.height - heading_height(body.sizes) + 0.035
    free_to = body.width - (width_inches(older, look) + 0.1 if older else 0.0)
    for moment, label in sorted(marks, reverse=True):
        seconds = moment.timestamp()
        if start <= seconds <= end:
            axes.axvline(seconds, color=MUTED, linewidth=0.7, dashes=(3, 3), zorder=1)
            x = plot.left - body.left + plot.width * (seconds - start) / (end - start)
            width = min(0.9, width_inches(label, look))
            if x - width / 2 >= 0 and x + width / 2 <= free_to:
                body.write(x, y, label, look, within=width + 0.01, align="center")
                free_to = x - width / 2 - 0.06


def _strips(sizes: Sizes) -> tuple[tuple[Callable[[Frame, AbReport], None], float], ...]:
    """The strips above the panels with their heights in inches."""
    return (
        (draw_header, line_inches(sizes.page_title, 1.1) + line_inches(sizes.body, 2.1)),
        (draw_verdict, verdict_height(sizes)),
        (draw_status, line_inches(sizes.note) + line_inches(sizes.points(10), 1.5)),
    )


def _row_shares(report: AbReport) -> tuple[float, ...]:
    """More for the first rows where many challengers have two lines each."""
    more = _MORE_FOR_VARIANT * max(0, min(len(report.variant_names), _MOST_VARIANTS) - _USUAL_VARIANTS)
    return 1.08 + more, 1.3, 0.94 - more


PAGE = Layout(_strips, AB_PANELS, {"runs": draw_runs}, _row_shares, "ab")
