"""The A/B page: strips, and its panels on a grid, the most important top left."""

from __future__ import annotations

from collections.abc import Callable

from live_dashboards.figures.ab.runs import draw_runs
from live_dashboards.figures.compose import rows_of_panels
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.layout import Layout
from live_dashboards.figures.strips import draw_header, draw_status, draw_verdict
from live_dashboards.figures.theme import Sizes, line_inches
from live_dashboards.model.report import AbReport
from live_dashboards.panels.ab import AB_PANELS


def _strips(sizes: Sizes) -> tuple[tuple[Callable[[Frame, AbReport], None], float], ...]:
    """The strips above the panels with their heights in inches."""
    return (
        (draw_header, line_inches(sizes.page_title, 1.1) + line_inches(sizes.body, 2.1)),
        (draw_verdict, 0.1 + line_inches(sizes.body, 1.2) * 5),
        (draw_status, line_inches(sizes.note) + line_inches(sizes.points(10), 1.5)),
    )


PAGE = Layout(_strips, rows_of_panels(AB_PANELS, {"runs": draw_runs}), (1.02, 1.28, 1.0))
