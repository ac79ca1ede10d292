"""A panel's charts as figures of the browser, by their places on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from live_dashboards.draw.web.base import Figure
from live_dashboards.draw.web.curves import break_even_figure, payback_figure
from live_dashboards.draw.web.lines import lines_figure
from live_dashboards.draw.web.rows import rows_figure
from live_dashboards.draw.web.runs import runs_figure
from live_dashboards.model.chart import Lines, Panel, Rows

BY_HAND: Mapping[str, Callable[[Any], Figure | None]] = {
    "runs": runs_figure,
    "break_even": break_even_figure,
    "payback": payback_figure,
}


def places(panel: Panel[Any]) -> tuple[str, ...]:
    """The names of a panel's places for charts: its own, of two `-timeline` too, of many their numbers."""
    name = panel.name.replace("_", "-")
    if panel.most_charts <= 1:
        return (name,) * panel.most_charts
    return (
        (name, f"{name}-timeline")
        if panel.most_charts == 2
        else tuple(f"{name}-{index}" for index in range(panel.most_charts))
    )


def figures(panel: Panel[Any], report: Any) -> dict[str, Figure]:
    """The figures of those of its charts that have something to draw, by place."""
    if not panel.head(report).is_drawn:
        return {}
    made = [BY_HAND[panel.name](report)] if panel.name in BY_HAND else _drawn(panel, report)
    return {place: figure for place, figure in zip(places(panel), made, strict=False) if figure is not None}


def _drawn(panel: Panel[Any], report: Any) -> list[Figure | None]:
    """One a chart in its place; of many those that have something to draw."""
    origin = panel.head(report).origin
    made = [
        rows_figure(chart, origin) if isinstance(chart, Rows) else lines_figure(chart, report, origin)
        for chart in panel.charts(report)
        if isinstance(chart, Rows | Lines)
    ]
    return made if panel.most_charts <= 2 else [figure for figure in made if figure is not None]
