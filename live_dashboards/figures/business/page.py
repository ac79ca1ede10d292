"""The business page: strips and nine panels on a fixed grid, the answer top left."""

from __future__ import annotations

from collections.abc import Callable

from live_dashboards.figures.business import (
    break_even,
    gates,
    inputs,
    ledger,
    net,
    parts,
    payback,
    performance,
    sensitivity,
)
from live_dashboards.figures.business.strips import draw_headline, draw_shares
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.layout import Layout
from live_dashboards.figures.strips import draw_header
from live_dashboards.figures.theme import Sizes, line_inches
from live_dashboards.model.business_report import BusinessReport


def _strips(sizes: Sizes) -> tuple[tuple[Callable[[Frame, BusinessReport], None], float], ...]:
    """The strips above the panels with their heights in inches."""
    return (
        (draw_header, line_inches(sizes.page_title, 1.1) + line_inches(sizes.body, 2.1)),
        (draw_headline, 0.14 + line_inches(sizes.note, 3.7) + line_inches(sizes.page_title, 1.2)),
        (draw_shares, line_inches(sizes.note, 3.0) + 0.12 * sizes.scale),
    )


PAGE = Layout(
    strips=_strips,
    panels=(
        (net.draw, parts.draw, sensitivity.draw),
        (break_even.draw, payback.draw, performance.draw),
        (ledger.draw, inputs.draw, gates.draw),
    ),
    row_shares=(1.0, 1.12, 1.0),
)
