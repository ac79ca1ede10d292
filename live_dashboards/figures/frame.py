"""A rectangle of the page, measured in inches from its lower left corner: where texts and axes are placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from live_dashboards.figures.text import Look, font_properties, put
from live_dashboards.figures.theme import AXIS, RULE, TICK_PAD_POINTS, Sizes, line_inches

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
        return tuple(Frame(self.figure, self.left + index * (width + gap), self.bottom, width, self.height, self.sizes) for index in range(count))

    def upper(self, height: float) -> Frame:
        """The part at the top with that height."""
        return Frame(self.figure, self.left, self.top - height, self.width, height, self.sizes)

    def lower(self, height: float) -> Frame:
        """The part at the bottom with that height."""
        return Frame(self.figure, self.left, self.bottom, self.width, height, self.sizes)

    def write(self, x: float, y: float, text: str, look: Look, *, within: float | None = None, align: str = "left", stand: str = "baseline") -> Text | None:
        """Writes at inches from the frame's lower left corner, by default no wider than to the frame's edge."""
        room = {"left": self.width - x, "right": x, "center": 2 * min(x, self.width - x)}[align] if within is None else within
        return put(self.figure, (self.left + x, self.bottom + y), text, look, within_inches=room, align=align, stand=stand)

    def axes(self) -> Axes:
        """Axes over the whole frame; limits and ticks are the panel's business."""
        page_width, page_height = self.figure.get_size_inches()
        axes = self.figure.add_axes((self.left / page_width, self.bottom / page_height, self.width / page_width, self.height / page_height))
        axes.set(xticks=[], yticks=[])
        return axes

    def rule(self, y: float, colour: str = RULE, width_points: float = 0.7) -> None:
        """A thin line across the frame, at inches above its lower edge."""
        page_width, page_height = self.figure.get_size_inches()
        height = (self.bottom + y) / page_height
        self.figure.add_artist(
            Line2D([self.left / page_width, self.right / page_width], [height, height], color=colour, linewidth=width_points, transform=self.figure.transFigure)
        )

    def fill(self, colour: str, *, zorder: float = 0.0) -> None:
        """Colours the frame."""
        page_width, page_height = self.figure.get_size_inches()
        corner = (self.left / page_width, self.bottom / page_height)
        size = (self.width / page_width, self.height / page_height)
        self.figure.add_artist(Rectangle(corner, *size, facecolor=colour, edgecolor="none", transform=self.figure.transFigure, zorder=zorder))


def x_ticks(axes: Axes, sizes: Sizes, positions: Sequence[float], labels: Sequence[str], *, has_grid: bool = True) -> None:
    """Labelled ticks on the horizontal axis with light lines behind the data."""
    axes.set_xticks(positions, labels, fontproperties=font_properties(sizes.tick))
    if has_grid:
        axes.xaxis.grid(visible=True)


def y_ticks(axes: Axes, sizes: Sizes, positions: Sequence[float], labels: Sequence[str], *, has_grid: bool = True) -> None:
    """Labelled ticks on the vertical axis with light lines behind the data."""
    axes.set_yticks(positions, labels, fontproperties=font_properties(sizes.tick))
    if has_grid:
        axes.yaxis.grid(visible=True)


def base_line(axes: Axes) -> None:
    """The lower spine, as the line that the data stands on."""
    axes.spines["bottom"].set_visible(True)
    axes.spines["bottom"].set_color(AXIS)
    axes.spines["bottom"].set_linewidth(0.8)


def tick_top(sizes: Sizes) -> float:
    """Inches from the lower edge of a frame to the top of the tick labels below its axes."""
    return tick_height(sizes) - TICK_PAD_POINTS / 72


def tick_height(sizes: Sizes) -> float:
    """Inches that the tick labels below an axis take."""
    return line_inches(sizes.tick, 1.25) + TICK_PAD_POINTS / 72
