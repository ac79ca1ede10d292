"""A chart of rows: names on the left, dots, intervals and buckets on shared axes, numbers in columns on the
right, a heading line above.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from live_dashboards.draw.png.frame import Frame, base_line, tick_height, x_ticks
from live_dashboards.draw.png.text import Look, fitted_name, width_inches
from live_dashboards.draw.png.theme import FAINT, INK, MUTED, PAPER, Sizes, VariantStyle, line_inches
from live_dashboards.model.axis import number_labels, round_ticks
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.presentation import drawn_interval

NAMES_INCHES = 1.12
_ROW_LEADING, _TIGHT_LEADING = 1.18, 1.1
_LABEL_GAP_INCHES, _SAME_INCHES = 0.12, 1e-6
_Row = TypeVar("_Row")

_THICK = 2.4


@dataclass(frozen=True, slots=True)
class RowPlot:
    """Axes with a row a unit of y, the first on top, between a name column and a number column."""

    body: Frame
    axes: Axes
    plot: Frame
    count: int
    is_tight: bool = False

    @property
    def height(self) -> float:
        """Inches of one row."""
        return self.plot.height / self.count

    @property
    def points(self) -> float:
        """The largest text size that fits into a row; the smallest where a second line has just room."""
        sizes = self.body.sizes
        if self.is_tight and self.has_two_lines and self.height < _two_lines_inches(sizes):
            return sizes.note
        return next(
            (
                points
                for points in (sizes.body, sizes.tick)
                if line_inches(points, _ROW_LEADING) <= self.height
            ),
            sizes.note,
        )

    @property
    def has_two_lines(self) -> bool:
        """Whether a row holds a second, smaller line of words."""
        return self.height >= _two_lines_inches(self.body.sizes, is_tight=self.is_tight) - _SAME_INCHES

    def lift(self) -> float:
        """How far the first of two lines stands above the middle of its row, in rows."""
        least = _two_lines_inches(self.body.sizes, is_tight=True) / 4
        usual = line_inches(self.body.sizes.tick, 1.2) / 2
        return (min(usual, max(least, self.height / 4)) if self.is_tight else usual) / self.height

    def middle(self, row: float) -> float:
        """Inches from the body's lower edge to the middle of the row."""
        return self.plot.bottom - self.body.bottom + self.plot.height * (1 - (row + 0.5) / self.count)

    def name(
        self, row: float, text: str, colour: str = INK, *, points: float | None = None, beside: str = ""
    ) -> None:
        """Writes into the name column, left of what stands beside it there; what is too long loses its
        middle.
        """
        look = Look(points or self.points, colour)
        taken = beside_inches(beside, self.body.sizes) if beside else 0.0
        room = self.plot.left - self.body.left - 0.08 * self.body.sizes.scale - taken
        self.body.write(
            0.0, self.middle(row), fitted_name(text, look, room), look, within=room, stand="center_baseline"
        )

    def beside_name(self, row: float, text: str) -> None:
        """Writes small and grey at the right edge of the name column; the column must be wide enough for
        both.
        """
        room = self.plot.left - self.body.left - 0.08 * self.body.sizes.scale
        self.body.write(
            room,
            self.middle(row),
            text,
            Look(self.body.sizes.note, FAINT),
            within=room,
            align="right",
            stand="center_baseline",
        )

    @property
    def _numbers_inches(self) -> float:
        return self.body.right - self.plot.right - 0.08 * self.body.sizes.scale

    def has_room_for_number(self, text: str) -> bool:
        """Whether the number column holds all of it."""
        look = Look(min(self.points, self.body.sizes.tick))
        return width_inches(text, look) <= self._numbers_inches

    def number(
        self,
        row: float,
        text: str,
        colour: str = INK,
        *,
        points: float | None = None,
        column: float = 0.0,
        within: float | None = None,
    ) -> None:
        """Writes into the number column, `column` inches from its right edge, aligned right."""
        look = Look(points or min(self.points, self.body.sizes.tick), colour)
        room = self._numbers_inches if within is None else within
        self.body.write(
            self.body.width - column,
            self.middle(row),
            text,
            look,
            within=room,
            align="right",
            stand="center_baseline",
        )

    def inside(self, row: float, text: str, *, beside: str = "") -> None:
        """Writes grey words where a row has no dot, over the grid, left of what the number column says."""
        x = self.plot.left - self.body.left + 0.08
        look = Look(min(self.points, self.body.sizes.tick))
        taken = width_inches(beside, look) + 0.08 * self.body.sizes.scale if beside else 0.0
        words = self.body.write(
            x,
            self.middle(row),
            text,
            Look(self.body.sizes.note, FAINT),
            within=self.body.width - x - taken,
            stand="center_baseline",
        )
        if words is not None:
            words.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 1.0})

    def heading(self, over_plot: str = "", over_numbers: str = "") -> None:
        """Writes the heading line above: over the plot from its left edge, over the numbers from the right
        edge.
        """
        look, y = (
            Look(self.body.sizes.note, MUTED),
            self.body.height - heading_height(self.body.sizes) + 0.035,
        )
        right = width_inches(over_numbers, look)
        self.body.write(self.body.width, y, over_numbers, look, align="right")
        left = self.plot.left - self.body.left
        self.body.write(left, y, over_plot, look, within=self.body.width - left - right - 0.1)


def beside_inches(text: str, sizes: Sizes) -> float:
    """Inches that words beside a name take, with the gap before them."""
    return width_inches(text, Look(sizes.note)) + 0.06 * sizes.scale


def heading_height(sizes: Sizes) -> float:
    """Inches that the heading line takes."""
    return line_inches(sizes.note) + 0.02


def _two_lines_inches(sizes: Sizes, *, is_tight: bool = False) -> float:
    """Of a row with a second, smaller line; both in the smallest size and close together if `is_tight`."""
    if is_tight:
        return 2 * line_inches(sizes.note, _TIGHT_LEADING)
    return line_inches(sizes.body, _ROW_LEADING) + line_inches(sizes.note, _ROW_LEADING)


def rows_height(sizes: Sizes, count: int) -> float:
    """Inches that so many rows take at least, with their heading and axis."""
    return heading_height(sizes) + tick_height(sizes) + count * line_inches(sizes.note, _ROW_LEADING)


def fitting(body: Frame, rows: Sequence[_Row], first: int = 0) -> tuple[Sequence[_Row], str]:
    """The first rows, as many as can be read at this height, and in words how many are left out; as many as
    have room for two lines each, if so many `first` ones are among them.
    """
    room = body.height - heading_height(body.sizes) - tick_height(body.sizes)
    most = max(1, int(room / line_inches(body.sizes.note, _ROW_LEADING)))
    usual, tight = (
        int((room + _SAME_INCHES) / _two_lines_inches(body.sizes, is_tight=is_tight))
        for is_tight in (False, True)
    )
    if 0 < first <= tight:
        most = max(first, usual)
    hidden = len(rows) - most
    return rows[:most], left_out_words(hidden) if hidden > 0 else ""


def left_out_words(count: int) -> str:
    """How many rows are not in the picture."""
    return f"{count} more {'row' if count == 1 else 'rows'} in the summary file"


def column_inches(body: Frame, texts: Iterable[str], share: float = 0.42) -> float:
    """Width of a number column that holds these texts, at most that share of the body."""
    look = Look(body.sizes.tick)
    return min(
        share * body.width,
        max((width_inches(text, look) for text in texts), default=0.0) + 0.14 * body.sizes.scale,
    )


def open_rows(
    body: Frame,
    count: int,
    limits: tuple[float, float],
    *,
    numbers: float,
    unit: str = "",
    names: float = NAMES_INCHES,
) -> RowPlot:
    """Rows with a linear axis below them; `numbers` is the number column's width in inches, `names` that of
    the name column on the 16x10 page.
    """
    chart = bare_rows(body, count, limits, numbers=numbers, names=names)
    label_ticks(
        chart,
        [
            (ticks, number_labels(ticks, unit))
            for ticks in (round_ticks(*limits, most) for most in (5, 4, 3, 2))
        ],
    )
    return chart


def label_ticks(chart: RowPlot, choices: Sequence[tuple[Sequence[float], Sequence[str]]]) -> None:
    """Ticks on the horizontal axis: the first choice of positions and labels that stand apart, else the
    last.
    """
    positions, labels = next((choice for choice in choices if _stand_apart(chart, choice[1])), choices[-1])
    x_ticks(chart.axes, chart.body.sizes, positions, labels)


def _stand_apart(chart: RowPlot, labels: Sequence[str]) -> bool:
    widest = max(width_inches(label, Look(chart.body.sizes.tick)) for label in labels)
    return len(labels) * (widest + _LABEL_GAP_INCHES) <= chart.plot.width


def bare_rows(
    body: Frame, count: int, limits: tuple[float, float], *, numbers: float, names: float = NAMES_INCHES
) -> RowPlot:
    """Rows whose axis has no ticks yet."""
    sizes = body.sizes
    plot = body.inner(
        left=sizes.room(names), right=numbers, top=heading_height(sizes), bottom=tick_height(sizes)
    )
    axes = plot.axes()
    axes.set_xlim(*limits)
    axes.set_ylim(count - 0.5, -0.5)
    base_line(axes)
    return RowPlot(body, axes, plot, count)


@dataclass(frozen=True, slots=True)
class Dot:
    """A value at a height of the axes with its interval; `is_filled` False says that its certainty is
    unknown. A narrower interval within it is drawn thick.
    """

    value: float
    y: float
    interval: Interval | None
    is_filled: bool
    inner: Interval | None = None


def dot(measurement: Measurement, y: float) -> Dot | None:
    """The measurement's dot, None where it has no value."""
    if measurement.value is None:
        return None
    interval = drawn_interval(measurement)
    return Dot(measurement.value, y, interval, is_filled=interval is not None)


def draw_dots(
    axes: Axes,
    frame: Frame,
    dots: Iterable[Dot | None],
    style: VariantStyle,
    colour: str,
    *,
    size: float | None = None,
) -> None:
    """One variant's dots with their intervals; one beyond the axes, whose limits must stand already, is an
    arrow at their edge.
    """
    present = [mark for mark in dots if mark is not None]
    low, high = axes.get_xlim()
    draw_bars(axes, [(mark.interval, mark.y) for mark in present if mark.interval], colour, frame.sizes.line)
    draw_bars(
        axes, [(mark.inner, mark.y) for mark in present if mark.inner], colour, frame.sizes.line * _THICK
    )
    below = [(low, mark.y) for mark in present if mark.value < low]
    above = [(high, mark.y) for mark in present if mark.value > high]
    _draw_arrows(axes, colour, "<", below, frame.sizes.line)
    _draw_arrows(axes, colour, ">", above, frame.sizes.line)
    for is_filled in (True, False):
        chosen = [mark for mark in present if mark.is_filled is is_filled and low <= mark.value <= high]
        if chosen:
            axes.plot(
                [mark.value for mark in chosen],
                [mark.y for mark in chosen],
                linestyle="none",
                marker=style.marker,
                markersize=size or frame.sizes.marker,
                markerfacecolor=colour if is_filled else PAPER,
                markeredgecolor=PAPER if is_filled else colour,
                markeredgewidth=0.6 if is_filled else 1.3,
                clip_on=False,
                zorder=4,
            )


def draw_bars(
    axes: Axes,
    bars: Sequence[tuple[Interval, float]],
    colour: str,
    width_points: float,
    *,
    alpha: float = 1.0,
    gid: str | None = None,
) -> None:
    """Horizontal bars from low to high; an open end runs to the edge of the axes and ends in an arrow."""
    if not bars:
        return
    left, right = axes.get_xlim()
    segments: list[list[tuple[float, float]]] = []
    arrows: dict[str, list[tuple[float, float]]] = {"<": [], ">": []}
    for interval, y in bars:
        low = left if interval.low is None else max(left, interval.low)
        high = right if interval.high is None else min(right, interval.high)
        segments.append([(low, y), (high, y)])
        if interval.low is None or interval.low < left:
            arrows["<"].append((left, y))
        if interval.high is None or interval.high > right:
            arrows[">"].append((right, y))
    axes.add_collection(
        LineCollection(
            segments, colors=colour, linewidths=width_points, alpha=alpha, zorder=3, clip_on=False, gid=gid
        ),
        autolim=False,
    )
    for marker, ends in arrows.items():
        _draw_arrows(axes, colour, marker, ends, width_points)


def _draw_arrows(
    axes: Axes, colour: str, marker: str, ends: Sequence[tuple[float, float]], width_points: float
) -> None:
    if ends:
        axes.plot(
            *zip(*ends, strict=True),
            linestyle="none",
            marker=marker,
            markersize=max(4.0, width_points * 0.9),
            color=colour,
            clip_on=False,
            zorder=4,
        )
