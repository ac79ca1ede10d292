"""The page's panels: which there are, and the words of each; the charts stand in graphs of their own."""

from __future__ import annotations

from typing import Any

from dash import html

from live_dashboards.model.chart import Panel
from live_dashboards.model.measurement import Origin
from live_dashboards.model.report import Head
from live_dashboards.web.trees.tables import Tree, of_chart, pairs, short, tag

PanelList = tuple[Panel[Any], ...]


def in_order(page: PanelList) -> PanelList:
    """Its panels as the web page shows them: those that take its whole width come last."""
    return tuple(sorted(page, key=lambda panel: panel.is_wide))


def words(panel: Panel[Any], report: Any) -> Tree:
    """What stands below its charts, or in their place."""
    return [of_chart(chart, report.variant_names) for chart in panel.shown(report)]


def head(found: Head, name: str) -> Tree:
    """The state, the answer in words, and the measure with its unit."""
    return [
        html.H3([tag(found.origin), short(found.title, 160)], id=f"{name}-title"),
        html.P(short(found.subtitle, 200), className="subtitle"),
    ]


def reason(found: Head) -> Tree:
    """In place of a drawing what was asked and why there is nothing; above a simulated one why it had to
    be.
    """
    if found.origin is Origin.MISSING:
        return pairs(
            (("asked", found.asked), ("reason", found.reason), ("last good", found.last_good)), "why"
        )
    return html.P(short(found.reason), className="failure") if found.reason else None


def note(found: Head) -> Tree:
    """The method, n or caveat below the drawing."""
    return short(found.note, 400)
