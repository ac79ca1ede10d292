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
    width, height = (float(side) for side in figure.get_size_inches())
    sizes = Sizes(page_scale((width, height)))
    margin, gap = 0.42 * sizes.scale, 0.14 * sizes.scale
    page = Frame(figure, 0.0, 0.0, width, height, sizes)
    if report.is_simulated:
        draw_simulation_marks(figure, sizes, _BORDER_INCHES * sizes.scale)
    rest = page.inner(left=margin, right=margin, top=0.3 * sizes.scale, bottom=0.24 * sizes.scale)
    strips = (
        (draw_header, line_inches(sizes.page_title, 1.1) + line_inches(sizes.body, 2.1)),
        (draw_verdict, 0.12 + line_inches(sizes.body, 1.36) * 3),
        (draw_status, line_inches(sizes.note) + line_inches(sizes.points(10), 1.5)),
    )
    for draw, strip_height in strips:
        draw(rest.upper(strip_height), report)
        rest = rest.inner(top=strip_height + gap)
    footer_height = line_inches(sizes.note, 1.5)
    draw_footer(rest.lower(footer_height), report)
    _draw_panels(rest.inner(bottom=footer_height + gap, top=0.02), report, gap)


def _draw_panels(area: Frame, report: AbReport, gap: float) -> None:
    unit = (area.height - gap * (len(PANELS) - 1)) / sum(_ROW_SHARES)
    for panels, share in zip(PANELS, _ROW_SHARES, strict=True):
        for draw, place in zip(panels, area.upper(unit * share).columns(len(panels), 0.32 * area.sizes.scale), strict=True):
            draw(place, report)
        area = area.inner(top=unit * share + gap)
