"""The A/B page: strips and nine panels on a fixed grid, the most important top left."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from live_dashboards.figures.ab import effect, errors, health, impact, latency, quality, rate, runs, split
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.simulated import draw_simulation_marks
from live_dashboards.figures.strips import draw_footer, draw_header, draw_status, draw_verdict
from live_dashboards.figures.theme import Sizes, line_inches, page_scale
from live_dashboards.model.report import AbReport

PANELS: tuple[tuple[Callable[[Frame, AbReport], None], ...], ...] = (
    (effect.draw, quality.draw, split.draw),
    (rate.draw, latency.draw, errors.draw),
    (impact.draw, runs.draw, health.draw),
)
"""The panels by row, each drawn into its place."""

_ROW_SHARES = (0.96, 1.3, 0.98)
_BORDER_INCHES = 0.13


def draw_page(figure: Figure, report: AbReport) -> None:
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


def _strips(sizes: Sizes) -> tuple[tuple[Callable[[Frame, AbReport], None], float], ...]:
    """The strips above the panels with their heights in inches."""
    return (
        (draw_header, line_inches(sizes.page_title, 1.1) + line_inches(sizes.body, 2.1)),
        (draw_verdict, 0.12 + line_inches(sizes.body, 1.36) * 3),
        (draw_status, line_inches(sizes.note) + line_inches(sizes.points(10), 1.5)),
    )


def _footer_height(sizes: Sizes) -> float:
    return line_inches(sizes.note, 1.5)


def _gap(sizes: Sizes) -> float:
    return 0.14 * sizes.scale
