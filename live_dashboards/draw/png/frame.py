"""A rectangle of the page, measured in inches from its lower left corner: where texts and axes are placed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from live_dashboards.draw.png.text import Look, put
from live_dashboards.draw.png.theme import AXIS, FAINT, GRID, PAPER, RULE, TICK_PAD_POINTS, Sizes, line_inches

BARS_FROM_ZERO = "bars-from-zero"


@dataclass(frozen=True, slots=True)
class Frame:
    """A place on the figure, in inches of the page, with the page's sizes."""

    figure: Figure
    left: float
    bottom: float
    width: float
    height: float
    sizes: Sizes

    @property
    def right(self) -> float:
        """Inches from the page's left edge."""
        return self.left + self.width

    @property
    def top(self) -> float:
        """Inches from the page's lower edge."""
        return self.bottom + self.height

    def inner(self, *, left: float = 0.0, right: float = 0.0, top: float = 0.0, bottom: float = 0.0) -> Frame:
        """The frame without these margins, in inches; never smaller than nothing."""
        width, height = max(0.01, self.width - left - right), max(0.01, self.height - top - bottom)
        return Frame(self.figure, self.left + left, self.bottom + bottom, width, height, self.sizes)

    def columns(self, count: int, gap: float) -> tuple[Frame, ...]:
        """So many frames of equal width, side by side."""
        width = (self.width - gap * (count - 1)) / count
        return tuple(
            Frame(self.figure, self.left + index * (width + gap), self.bottom, width, self.height, self.sizes)
            for index in range(count)
        )

    def upper(self, height: float) -> Frame:
        """The part at the top with that height."""
        return Frame(self.figure, self.left, self.top - height, self.width, height, self.sizes)

    def lower(self, height: float) -> Frame:
        """The part at the bottom with that height."""
        return Frame(self.figure, self.left, self.bottom, self.width, height, self.sizes)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        look: Look,
        *,
        within: float | None = None,
        align: str = "left",
        stand: str = "baseline",
    ) -> Text | None:
        """Writes at inches from the frame's lower left corner, by default no wider than to the frame's
        edge.
        """
        room = (
            {"left": self.width - x, "right": x, "center": 2 * min(x, self.width - x)}[align]
            if within is None
            else within
        )
        return put(
            self.figure,
            (self.left + x, self.bottom + y),
            text,
            look,
            within_inches=room,
            align=align,
            stand=stand,
        )

    def axes(self) -> Axes:
        """Axes over the whole frame without any drawn axis: limits are the panel's business, `x_ticks`,
        `y_ticks` and `base_line` draw what it shows.
        """
        page_width, page_height = self.figure.get_size_inches()
        axes = self.figure.add_axes(
            (
                self.left / page_width,
                self.bottom / page_height,
                self.width / page_width,
                self.height / page_height,
            )
        )
        axes.set(xticks=[], yticks=[])
        axes.set_axis_off()
        return axes

    def rule(self, y: float, colour: str = RULE, width_points: float = 0.7) -> None:
        """A thin line across the frame, at inches above its lower edge."""
        page_width, page_height = self.figure.get_size_inches()
        height = (self.bottom + y) / page_height
        self.figure.add_artist(
            Line2D(
                [self.left / page_width, self.right / page_width],
                [height, height],
                color=colour,
                linewidth=width_points,
                transform=self.figure.transFigure,
            )
        )

    def mark(
        self,
        place: tuple[float, float],
        marker: str,
        colour: str,
        *,
        size: float,
        edge: float,
        is_filled: bool,
        gid: str,
    ) -> None:
        """A marker at inches from the frame's lower left corner, its size and edge in points."""
        (x, y), (page_width, page_height) = place, self.figure.get_size_inches()
        self.figure.add_artist(
            Line2D(
                [(self.left + x) / page_width],
                [(self.bottom + y) / page_height],
                linestyle="none",
                marker=marker,
                markersize=size,
                color=colour,
                markerfacecolor=colour if is_filled else PAPER,
                markeredgewidth=edge,
                transform=self.figure.transFigure,
                gid=gid,
            )
        )

    def outline(self, colour: str, width_points: float) -> None:
        """A line along all four edges, over what is drawn there."""
        page_width, page_height = self.figure.get_size_inches()
        corner = (self.left / page_width, self.bottom / page_height)
        size = (self.width / page_width, self.height / page_height)
        edges = Rectangle(
            corner,
            *size,
            fill=False,
            edgecolor=colour,
            linewidth=width_points,
            transform=self.figure.transFigure,
            zorder=3,
        )
        self.figure.add_artist(edges)

    def fill(self, colour: str, *, edge: str = "none", zorder: float = 0.0) -> None:
        """Colours the frame, and its edge."""
        page_width, page_height = self.figure.get_size_inches()
        corner = (self.left / page_width, self.bottom / page_height)
        size = (self.width / page_width, self.height / page_height)
        self.figure.add_artist(
            Rectangle(
                corner,
                *size,
                facecolor=colour,
                edgecolor=edge,
                linewidth=1.6,
                transform=self.figure.transFigure,
                zorder=zorder,
            )
        )


def x_ticks(
    axes: Axes, sizes: Sizes, positions: Sequence[float], labels: Sequence[str], *, has_grid: bool = True
) -> None:
    """Labelled ticks on the horizontal axis with light lines behind the data; the axes' limits must stand
    already.
    """
    pad = TICK_PAD_POINTS / 72
    shares = [share for share, _ in _shares(axes, [(position, axes.get_ylim()[0]) for position in positions])]
    for share, label in zip(shares, labels, strict=True):
        _write_tick(axes, (share, 0.0), (0.0, -pad), label, sizes, align="center", stand="top")
    if has_grid:
        _add_lines(axes, [((share, 0.0), (share, 1.0)) for share in shares], GRID, 0.6, zorder=0.5)


def y_ticks(
    axes: Axes, sizes: Sizes, positions: Sequence[float], labels: Sequence[str], *, has_grid: bool = True
) -> None:
    """Labelled ticks on the vertical axis with light lines behind the data; the axes' limits must stand
    already.
    """
    pad = TICK_PAD_POINTS / 72
    shares = [share for _, share in _shares(axes, [(axes.get_xlim()[0], position) for position in positions])]
    for share, label in zip(shares, labels, strict=True):
        _write_tick(axes, (0.0, share), (-pad, 0.0), label, sizes, align="right", stand="center_baseline")
    if has_grid:
        _add_lines(axes, [((0.0, share), (1.0, share)) for share in shares], GRID, 0.6, zorder=0.5)


def base_line(axes: Axes) -> None:
    """The lower edge, as the line that the data stands on."""
    _add_lines(axes, [((0.0, 0.0), (1.0, 0.0))], AXIS, 0.8, zorder=2.5)


def _shares(axes: Axes, points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Where the points stand within the axes, from 0 to 1."""
    return (
        [(float(x), float(y)) for x, y in (axes.transScale + axes.transLimits).transform(points)]
        if points
        else []
    )


def _write_tick(
    axes: Axes,
    share: tuple[float, float],
    shift_inches: tuple[float, float],
    label: str,
    sizes: Sizes,
    *,
    align: str,
    stand: str,
) -> None:
    figure, box = cast("Figure", axes.figure), axes.get_position()
    width, height = figure.get_size_inches()
    x, y = (
        (box.x0 + box.width * share[0]) * width + shift_inches[0],
        (box.y0 + box.height * share[1]) * height + shift_inches[1],
    )
    put(figure, (x, y), label, Look(sizes.tick, FAINT), within_inches=math.inf, align=align, stand=stand)


def _add_lines(
    axes: Axes,
    lines: Sequence[tuple[tuple[float, float], tuple[float, float]]],
    colour: str,
    width_points: float,
    *,
    zorder: float,
) -> None:
    """Lines from edge to edge in one artist, in shares of the axes."""
    edges = LineCollection(
        lines,
        colors=colour,
        linewidths=width_points,
        zorder=zorder,
        clip_on=False,
        capstyle="projecting",
        transform=axes.transAxes,
    )
    axes.add_collection(edges, autolim=False)


def tick_top(sizes: Sizes) -> float:
    """Inches from the lower edge of a frame to the top of the tick labels below its axes."""
    return tick_height(sizes) - TICK_PAD_POINTS / 72


def tick_height(sizes: Sizes) -> float:
    """Inches that the tick labels below an axis take."""
    return line_inches(sizes.tick, 1.25) + TICK_PAD_POINTS / 72
