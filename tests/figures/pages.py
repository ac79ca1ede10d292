"""Drawn pages and what is on them."""

from functools import lru_cache
from weakref import WeakKeyDictionary

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from live_dashboards.draw.png.ab_page import PAGE
from live_dashboards.draw.png.compose import in_rows
from live_dashboards.draw.png.dashboard import _create_dashboard_panels
from live_dashboards.model.report import AbReport

PANELS = ("effect", "evidence", "quality", "split", "latency", "errors", "impact", "runs", "health")
_reports: WeakKeyDictionary[Figure, AbReport] = WeakKeyDictionary()


@lru_cache(maxsize=16)
def page(report, size=(16, 10), dpi=100) -> Figure:
    return drawn(report, size, dpi)


def drawn(report, size=(16, 10), dpi=100) -> Figure:
    """A page of its own, which may be changed."""
    made = _create_dashboard_panels(report, size_inches=size, dpi=dpi)
    _reports[made] = report
    return made


def boxes(figure: Figure) -> dict[str, Bbox]:
    """The panels' places in inches."""
    shown = [panel for panel in PAGE.panels if panel.name in PANELS]
    places = [place for row in PAGE.places(figure, in_rows(shown), _reports[figure]) for place in row]
    return {name: Bbox.from_bounds(place.left, place.bottom, place.width, place.height) for name, place in zip(PANELS, places, strict=True)}


def axes_of(figure: Figure, panel: str) -> list[Axes]:
    box = boxes(figure)[panel]
    width, height = figure.get_size_inches()
    middles = {
        axes: ((axes.get_position().x0 + axes.get_position().x1) / 2 * width, (axes.get_position().y0 + axes.get_position().y1) / 2 * height) for axes in figure.axes
    }
    return [axes for axes, middle in middles.items() if box.contains(*middle)]


def words(figure: Figure, panel: str | None = None) -> list[str]:
    """All texts of the page or of one panel."""
    box, (width, height) = boxes(figure)[panel] if panel else None, figure.get_size_inches()
    shown = [text for text in figure.texts if box is None or box.contains(text.get_position()[0] * width, text.get_position()[1] * height)]
    labels = [label for axes in (figure.axes if panel is None else axes_of(figure, panel)) for label in axes.findobj(Text)]
    return [text.get_text() for text in (*shown, *labels) if text.get_text()]


def says(figure: Figure, part: str, panel: str | None = None) -> bool:
    return any(part in text for text in words(figure, panel))


def markers(axes: Axes, marker: str) -> list[tuple[float, float]]:
    """Where the axes have that marker without a line."""
    return [point for line in _marks(axes, marker) for point in zip(line.get_xdata(), line.get_ydata(), strict=True)]


def fills(axes: Axes, marker: str) -> list[str]:
    return [to_hex(line.get_markerfacecolor()) for line in _marks(axes, marker)]


def _marks(axes: Axes, marker: str) -> list[Line2D]:
    return [line for line in axes.get_lines() if line.get_marker() == marker and line.get_linestyle() == "None"]


def bars(axes: Axes) -> list[tuple[float, float, float]]:
    """(from, to, y) of every horizontal bar or interval; lines from edge to edge are no data."""
    drawn = [collection for collection in axes.collections if isinstance(collection, LineCollection) and collection.get_transform() != axes.transAxes]
    return [(segment[0][0], segment[1][0], segment[0][1]) for collection in drawn for segment in collection.get_segments()]


def curves(axes: Axes) -> list[Line2D]:
    return [line for line in axes.get_lines() if line.get_linestyle() != "None" and len(line.get_xdata()) > 2]
