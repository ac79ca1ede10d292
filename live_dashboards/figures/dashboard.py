"""A report as a matplotlib Figure, of exactly the size that was asked for; saving it is for others."""

from __future__ import annotations

from threading import Lock
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from live_dashboards.errors import UsageError
from live_dashboards.figures.ab.page import draw_page
from live_dashboards.figures.theme import DESIGN_PAGE_INCHES, PAPER, SMALLEST_PAGE_INCHES
from live_dashboards.model.report import AbReport

_ONE_AT_A_TIME = Lock()
_PAGES = {AbReport: draw_page}


def _create_dashboard_panels(report: AbReport, *, size_inches: tuple[float, float] = DESIGN_PAGE_INCHES, dpi: float = 300) -> Figure:
    """The dashboard of this report as a figure; UsageError where the page is too small for legible text.

    Whatever matplotlibrc says, pictures look the same: all settings are matplotlib's defaults while drawing, and are put back afterwards.
    """
    smallest_width, smallest_height = SMALLEST_PAGE_INCHES
    if size_inches[0] < smallest_width or size_inches[1] < smallest_height:
        raise UsageError(f"a page of {size_inches[0]:g}x{size_inches[1]:g} inches holds no legible text; use at least {smallest_width:g}x{smallest_height:g}")
    with _ONE_AT_A_TIME, mpl.rc_context(_plain_settings()), sns.axes_style("white"):
        mpl.rcParams["text.parse_math"] = False
        figure = Figure(figsize=size_inches, dpi=dpi, facecolor=PAPER)
        FigureCanvasAgg(figure)
        _PAGES[type(report)](figure, report)
    return figure


def _plain_settings() -> dict[Any, Any]:
    """Matplotlib's own defaults, without the ones that are about windows."""
    return {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith(("backend", "toolbar", "tk.", "webagg.", "macosx."))}
