"""A report as a matplotlib Figure, of exactly the size that was asked for; saving it is for others."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from numbers import Real
from threading import RLock
from typing import Any, Protocol, runtime_checkable

import matplotlib as mpl
import seaborn as sns
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from live_dashboards.draw.png.compose import Layout
from live_dashboards.draw.png.theme import (
    AXES_STYLE,
    DESIGN_PAGE_INCHES,
    PAPER,
    SMALLEST_PAGE_INCHES,
    TICK_STYLE,
)
from live_dashboards.errors import UsageError
from live_dashboards.model.dashboards import DASHBOARD_TITLES
from live_dashboards.model.report import Report

_ONE_AT_A_TIME = RLock()
_OTHERS_BUSINESS = (
    "backend",
    "toolbar",
    "tk.",
    "webagg.",
    "macosx.",
    "savefig.",
    "svg.",
    "pdf.",
    "ps.",
    "pgf.",
)
_OWN = {"text.parse_math": False, "text.hinting": "none"}


@contextmanager
def page_settings() -> Iterator[None]:
    """Matplotlib's own defaults, names never read as formulas, and glyphs where they belong instead of at the
    nearest pixel; put back afterwards.

    The settings are one for the whole process, so pages are made one at a time.
    """
    with _ONE_AT_A_TIME, mpl.rc_context():
        mpl.rcParams.update(_changes())
        yield


def _changes() -> dict[Any, Any]:
    wanted: dict[Any, Any] = {
        name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith(_OTHERS_BUSINESS)
    }
    wanted.update(_OWN)
    return {name: value for name, value in wanted.items() if mpl.rcParams[name] != value}


class Picture(Figure):
    """A figure that is drawn with the page's settings, whoever saves it, and that a notebook shows as it
    is.
    """

    def draw(self, renderer: RendererBase) -> None:
        """Draws all artists."""
        with page_settings():
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        """Its pixels as PNG, of exactly the page's size."""
        content = BytesIO()
        FigureCanvasAgg(self).print_png(content)  # type: ignore[no-untyped-call]
        return content.getvalue()


@runtime_checkable
class HasReports(Protocol):
    """What both reports can be made of, such as the result of `ab_test()`."""

    def report_for(self, dashboard: str | None) -> Report:
        """The report of the dashboard of that name; None: its own."""
        ...


def _create_dashboard_panels(
    report: Report | HasReports,
    *,
    size_inches: tuple[float, float] = DESIGN_PAGE_INCHES,
    dpi: float = 300,
    layout: Layout[Any] | str | None = None,
) -> Picture:
    """The dashboard of this report, or of what has one, as a figure; by another layout than its own where one
    is given, or by that of a dashboard's name (`ab`, `business`).

    Raises UsageError where the page is too small for legible text, for a layout that there is none of or that
    draws another report, and for what is no report.

    Whatever matplotlibrc says, pictures look the same: all settings are matplotlib's defaults while drawing,
    and are put back afterwards.
    """
    _check_page(size_inches, dpi)
    if not isinstance(layout, Layout | str | None):
        raise UsageError(f"layout is {layout!r}; give a Layout or a name: {', '.join(DASHBOARD_TITLES)}")
    named = layout.dashboard if isinstance(layout, Layout) else layout
    shown = _report_of(report, named)
    own = layout if isinstance(layout, Layout) else _layout_of(shown)
    return drawn_page(lambda figure: own.draw(figure, shown), size_inches=size_inches, dpi=dpi)


def drawn_page(draw: Callable[[Figure], None], *, size_inches: tuple[float, float], dpi: float) -> Picture:
    """A page of that size with what is drawn on it; UsageError where it is too small for legible text."""
    _check_page(size_inches, dpi)
    with (
        page_settings(),
        sns.axes_style("white", rc=AXES_STYLE),
        sns.plotting_context("paper", rc=TICK_STYLE),
    ):
        figure = Picture(figsize=size_inches, dpi=dpi, facecolor=PAPER)
        FigureCanvasAgg(figure)
        draw(figure)
    return figure


def _check_page(size_inches: object, dpi: object) -> None:
    """UsageError for what is no size of a page, or too small for legible text."""
    sides = size_inches if isinstance(size_inches, tuple | list) else ()
    if len(sides) != 2 or not all(isinstance(side, Real) and math.isfinite(side) for side in sides):
        raise UsageError(f"size_inches is {size_inches!r}; give width and height in inches, as in (16, 10)")
    if not isinstance(dpi, Real) or not 0 < float(dpi) < math.inf:
        raise UsageError(f"dpi is {dpi!r}; give pixels an inch, as in 300")
    smallest_width, smallest_height = SMALLEST_PAGE_INCHES
    if sides[0] < smallest_width or sides[1] < smallest_height:
        raise UsageError(
            f"a page of {sides[0]:g}x{sides[1]:g} inches holds no legible text; "
            f"use at least {smallest_width:g}x{smallest_height:g}"
        )


def _report_of(report: Report | HasReports, dashboard: str | None) -> Report:
    """What is to be drawn, by the layout of that dashboard where one is named."""
    if dashboard not in {None, *DASHBOARD_TITLES}:
        near = difflib.get_close_matches(str(dashboard), DASHBOARD_TITLES, n=1, cutoff=0.0)
        raise UsageError(
            f"there is no layout {dashboard!r}, did you mean {near[0]!r}? The layouts are "
            f"{', '.join(DASHBOARD_TITLES)}"
        )
    shown = report.report_for(dashboard) if isinstance(report, HasReports) else report
    if not isinstance(shown, Report):
        raise UsageError(
            f"a {type(shown).__name__} is no report; give one, or what ab_test(), business() or "
            "get_ab_test_metrics() gives"
        )
    if dashboard not in {None, shown.dashboard}:
        raise UsageError(
            f"the layout {dashboard!r} draws no report of the dashboard {shown.dashboard!r}; give a "
            "report of that dashboard, or what ab_test() gives, which has both"
        )
    return shown


def _layout_of(report: Report) -> Layout[Any]:
    """The dashboard's own, which is loaded for it alone."""
    if report.dashboard == "ab":
        from live_dashboards.draw.png.ab_page import PAGE as AB_PAGE

        return AB_PAGE
    from live_dashboards.draw.png.business_page import PAGE as BUSINESS_PAGE

    return BUSINESS_PAGE
