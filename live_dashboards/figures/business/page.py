"""The business page: strips and nine panels on a fixed grid, the answer top left."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from live_dashboards.figures.business import break_even, gates, inputs, ledger, net, parts, payback, performance, sensitivity
from live_dashboards.figures.business.strips import draw_headline, draw_shares
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.simulated import draw_simulation_marks
from live_dashboards.figures.strips import draw_footer, draw_header
from live_dashboards.figures.theme import Sizes, line_inches, page_scale
from live_dashboards.model.business_report import BusinessReport

PANELS: tuple[tuple[Callable[[Frame, BusinessReport], None], ...], ...] = (
    (net.draw, parts.draw, sensitivity.draw),
    (break_even.draw, payback.draw, performance.draw),
    (ledger.draw, inputs.draw, gates.draw),
)
"""The panels by row, each drawn into its place."""

_ROW_SHARES = (1.0, 1.12, 1.0)
_BORDER_INCHES = 0.13


def draw_business_page(figure: Figure, report: BusinessReport) -> None:
    """Everything on the page, from top to bottom."""
    page = _page(figure)
    if report.is_simulated:
        draw_simulation_marks(figure, page.sizes, _BORDER_INCHES * page.sizes.scale)
    rest, gap = _inside(page), _gap(page.sizes)
    for draw, strip_height in _strips(page.sizes):
        draw(rest.upper(strip_height), report)
        rest = rest.inner(top=strip_height + gap)
    draw_footer(rest.lower(_footer_height(page.sizes)), report)
    for panels, places in zip(PANELS, panel_places(figure), strict=True):
        for draw, place in zip(panels, places, strict=True):
            draw(place, report)


def panel_places(figure: Figure) -> tuple[tuple[Frame, ...], ...]:
    """The panels' frames by row; they depend on the page's size only."""
    page = _page(figure)
    gap = _gap(page.sizes)
    above = sum(height + gap for _, height in _strips(page.sizes)) + 0.02
    area = _inside(page).inner(top=above, bottom=_footer_height(page.sizes) + gap)
    unit, rows = (area.height - gap * (len(PANELS) - 1)) / sum(_ROW_SHARES), []
    for panels, share in zip(PANELS, _ROW_SHARES, strict=True):
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


def _strips(sizes: Sizes) -> tuple[tuple[Callable[[Frame, BusinessReport], None], float], ...]:
    """The strips above the panels with their heights in inches."""
    return (
        (draw_header, line_inches(sizes.page_title, 1.1) + line_inches(sizes.body, 2.1)),
        (draw_headline, 0.14 + line_inches(sizes.note, 3.7) + line_inches(sizes.page_title, 1.2)),
        (draw_shares, line_inches(sizes.note, 1.6) + 0.12 * sizes.scale),
    )


def _footer_height(sizes: Sizes) -> float:
    return line_inches(sizes.note, 1.5)


def _gap(sizes: Sizes) -> float:
    return 0.14 * sizes.scale
