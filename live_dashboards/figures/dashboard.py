"""A report as a matplotlib Figure, of exactly the size that was asked for; saving it is for others."""

from __future__ import annotations

from typing import Any

import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from live_dashboards.errors import UsageError
from live_dashboards.figures.layout import Layout
from live_dashboards.figures.rendering import Page, page_settings
from live_dashboards.figures.theme import (
    AXES_STYLE,
    DESIGN_PAGE_INCHES,
    PAPER,
    SMALLEST_PAGE_INCHES,
    TICK_STYLE,
)
from live_dashboards.model.dashboards import Report
from live_dashboards.model.report import AbReport


def _create_dashboard_panels(
    report: Report,
    *,
    size_inches: tuple[float, float] = DESIGN_PAGE_INCHES,
    dpi: float = 300,
    layout: Layout[Any] | None = None,
) -> Figure:
    """The dashboard of this report as a figure, by another layout than its own where one is given; UsageError
    where the page is too small for legible text.

    Whatever matplotlibrc says, pictures look the same: all settings are matplotlib's defaults while drawing,
    and are put back afterwards.
    """
    smallest_width, smallest_height = SMALLEST_PAGE_INCHES
    if size_inches[0] < smallest_width or size_inches[1] < smallest_height:
        raise UsageError(
            f"a page of {size_inches[0]:g}x{size_inches[1]:g} inches holds no legible text; "
            f"use at least {smallest_width:g}x{smallest_height:g}"
        )
    with (
        page_settings(),
        sns.axes_style("white", rc=AXES_STYLE),
        sns.plotting_context("paper", rc=TICK_STYLE),
    ):
        figure = Page(figsize=size_inches, dpi=dpi, facecolor=PAPER)
        FigureCanvasAgg(figure)
        (layout or _layout_of(report)).draw(figure, report)
    return figure


def _layout_of(report: Report) -> Layout[Any]:
    """The dashboard's own."""
    if isinstance(report, AbReport):
        from live_dashboards.figures.ab.page import PAGE as AB_PAGE

        return AB_PAGE
    from live_dashboards.figures.business.page import PAGE as BUSINESS_PAGE

    return BUSINESS_PAGE
