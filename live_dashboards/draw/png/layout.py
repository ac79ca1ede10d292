"""How a page is divided: strips above a grid of panels, a footer below; places depend on the page's size
only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from matplotlib.figure import Figure

from live_dashboards.draw.png.frame import Frame
from live_dashboards.draw.png.panel import draw_simulation_marks
from live_dashboards.draw.png.strips import draw_footer
from live_dashboards.draw.png.theme import Sizes, line_inches, page_scale
from live_dashboards.model.dashboards import Report

OfReport = TypeVar("OfReport", bound=Report)
_BORDER_INCHES = 0.13


@dataclass(frozen=True, slots=True)
class Layout(Generic[OfReport]):
    """The strips with their heights in inches at a page's sizes, the panels by row, and the rows' shares of
    the height; a further row has a share of 1. `dashboard` is the one whose reports it draws.
    """

    strips: Callable[[Sizes], tuple[tuple[Callable[[Frame, OfReport], None], float], ...]]
    panels: tuple[tuple[Callable[[Frame, OfReport], None], ...], ...]
    row_shares: tuple[float, ...]
    dashboard: str

    def draw(self, figure: Figure, report: OfReport) -> None:
        """Everything on the page, from top to bottom."""
        page = _page(figure)
        if report.is_simulated:
            draw_simulation_marks(figure, page.sizes, _BORDER_INCHES * page.sizes.scale)
        rest, gap = _inside(page), _gap(page.sizes)
        for draw, strip_height in self.strips(page.sizes):
            draw(rest.upper(strip_height), report)
            rest = rest.inner(top=strip_height + gap)
        draw_footer(rest.lower(_footer_height(page.sizes)), report)
        for panels, places in zip(self.panels, self.places(figure), strict=True):
            for draw, place in zip(panels, places, strict=True):
                draw(place, report)

    def places(self, figure: Figure) -> tuple[tuple[Frame, ...], ...]:
        """The panels' frames by row."""
        page = _page(figure)
        gap = _gap(page.sizes)
        above = sum(height + gap for _, height in self.strips(page.sizes)) + 0.02
        area = _inside(page).inner(top=above, bottom=_footer_height(page.sizes) + gap)
        shares = [*self.row_shares, *[1.0] * len(self.panels)][: len(self.panels)]
        unit, rows = (area.height - gap * (len(self.panels) - 1)) / sum(shares), []
        for panels, share in zip(self.panels, shares, strict=True):
            rows.append(area.upper(unit * share).columns(len(panels), 0.32 * page.sizes.scale))
            area = area.inner(top=unit * share + gap)
        return tuple(rows)


def _page(figure: Figure) -> Frame:
    width, height = (float(side) for side in figure.get_size_inches())
    return Frame(figure, 0.0, 0.0, width, height, Sizes(page_scale((width, height))))


def _inside(page: Frame) -> Frame:
    """The page within its margins."""
    scale = page.sizes.scale
    return page.inner(left=0.42 * scale, right=0.42 * scale, top=0.3 * scale, bottom=0.24 * scale)


def _footer_height(sizes: Sizes) -> float:
    return line_inches(sizes.note, 1.5)


def _gap(sizes: Sizes) -> float:
    return 0.14 * sizes.scale
