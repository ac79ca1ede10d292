"""The business page: strips, and its panels on a grid, the answer top left."""

from __future__ import annotations

from collections.abc import Callable

from live_dashboards.figures.business.break_even import draw_break_even
from live_dashboards.figures.business.gates import draw_gates
from live_dashboards.figures.business.inputs import draw_inputs
from live_dashboards.figures.business.ledger import draw_ledger
from live_dashboards.figures.business.payback import draw_payback
from live_dashboards.figures.business.performance import draw_performance
from live_dashboards.figures.business.strips import draw_headline, draw_shares
from live_dashboards.figures.compose import rows_of_panels
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.layout import Layout
from live_dashboards.figures.strips import draw_header
from live_dashboards.figures.theme import Sizes, line_inches
from live_dashboards.model.business_report import BusinessReport
from live_dashboards.panels.business import BUSINESS_PANELS


def _strips(sizes: Sizes) -> tuple[tuple[Callable[[Frame, BusinessReport], None], float], ...]:
    """The strips above the panels with their heights in inches."""
    return (
        (draw_header, line_inches(sizes.page_title, 1.1) + line_inches(sizes.body, 2.1)),
        (draw_headline, 0.14 + line_inches(sizes.note, 3.7) + line_inches(sizes.page_title, 1.2)),
        (draw_shares, line_inches(sizes.note, 3.0) + 0.12 * sizes.scale),
    )


_BY_HAND = {
    "break_even": draw_break_even,
    "payback": draw_payback,
    "performance": draw_performance,
    "ledger": draw_ledger,
    "inputs": draw_inputs,
    "gates": draw_gates,
}
PAGE = Layout(_strips, rows_of_panels(BUSINESS_PANELS, _BY_HAND), (1.0, 1.12, 1.0))
