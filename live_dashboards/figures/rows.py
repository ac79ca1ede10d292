"""A chart of rows: names on the left, dots on shared axes, numbers in columns on the right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.axes import Axes

from live_dashboards.figures.frame import Frame, base_line, tick_height, x_ticks
from live_dashboards.figures.text import Look, width_inches
from live_dashboards.figures.theme import FAINT, INK, PAPER
from live_dashboards.figures.ticks import number_labels, round_ticks


@dataclass(frozen=True, slots=True)
class Rows:
    """Axes with a row a unit of y, the first on top, between a name column and a number column."""

    body: Frame
    axes: Axes
    plot: Frame
    count: int

    def height(self) -> float:
        """Inches of one row."""
        return self.plot.height / self.count

    def baseline(self, row: float) -> float:
        """Inches from the body's lower edge to the middle of the row."""
        return self.plot.bottom - self.body.bottom + self.plot.height * (1 - (row + 0.5) / self.count)

    def name(self, row: float, text: str, colour: str = INK, *, is_bold: bool = False, points: float | None = None) -> None:
        """Writes into the name column."""
        look = Look(points or self.body.sizes.body, colour, is_bold)
        self.body.write(0.0, self.baseline(row), text, look, within=self.plot.left - self.body.left - 0.1, stand="center_baseline")

    def number(self, row: float, text: str, colour: str = INK, *, points: float | None = None, column: float = 0.0, within: float | None = None) -> None:
        """Writes into the number column, `column` inches from its right edge, aligned right."""
        room = self.body.right - self.plot.right - 0.1 if within is None else within
        self.body.write(
            self.body.width - column, self.baseline(row), text, Look(points or self.body.sizes.tick, colour), within=room, align="right", stand="center_baseline"
        )

    def inside(self, row: float, text: str) -> None:
        """Writes grey words where a row has no dot, over the grid."""
        x = self.plot.left - self.body.left + 0.08
        words = self.body.write(x, self.baseline(row), text, Look(self.body.sizes.note, FAINT), within=self.body.width - x, stand="center_baseline")
        if words is not None:
            words.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 1.0})


def column_inches(body: Frame, texts: Iterable[str], points: float, share: float = 0.42) -> float:
    """Width of a number column that holds these texts, at most that share of the body."""
    look = Look(points)
    return min(share * body.width, max((width_inches(text, look) for text in texts), default=0.0) + 0.16)


def open_rows(body: Frame, count: int, limits: tuple[float, float], *, names: float, numbers: float, unit: str = "", top: float = 0.0, most_ticks: int = 5) -> Rows:
    """Rows with a linear axis below them; `names` and `numbers` are the columns' inches, `top` what stays free above."""
    plot = body.inner(left=names, right=numbers, top=top, bottom=tick_height(body.sizes))
    axes = plot.axes()
    axes.set_xlim(*limits)
    axes.set_ylim(count - 0.5, -0.5)
    positions = round_ticks(*limits, most_ticks)
    x_ticks(axes, body.sizes, positions, number_labels(positions, unit))
    base_line(axes)
    return Rows(body, axes, plot, count)
