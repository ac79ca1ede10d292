"""The page's panels: which there are, and the words of each; the charts stand in graphs of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dash import html

from live_dashboards.model.business_report import BusinessReport
from live_dashboards.model.measurement import Origin
from live_dashboards.model.report import AbReport, Head
from live_dashboards.web.trees.parts import Tree, pairs, short, tag
from live_dashboards.web.trees.tables import gates, inputs, ledger, notices, performance

MOST_IMPACTS = 6


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of one dashboard: the report's field of that name, the graphs in it, and what stands there
    instead of graphs or below them.
    """

    name: str
    charts: tuple[str, ...] = ()
    words: Callable[[Any], Tree] | None = None
    is_wide: bool = False

    def head(self, report: AbReport | BusinessReport) -> Head:
        """Its title, state and note."""
        found: Head = getattr(report, self.name).head
        return found


AB_PANELS = (
    Panel("effect", ("effect",)),
    Panel("quality", ("quality",)),
    Panel("split", ("split",)),
    Panel("rate", ("rate",)),
    Panel("latency", ("latency", "latency-timeline")),
    Panel("errors", ("errors", "errors-timeline")),
    Panel("runs", ("runs",)),
    Panel("health", ("health",), words=notices),
    Panel("impact", tuple(f"impact-{number}" for number in range(MOST_IMPACTS)), is_wide=True),
)
BUSINESS_PANELS = (
    Panel("net", ("net",)),
    Panel("parts", ("parts",)),
    Panel("payback", ("payback",)),
    Panel("sensitivity", ("sensitivity",)),
    Panel("break_even", ("break-even",)),
    Panel("performance", words=performance),
    Panel("gates", words=gates, is_wide=True),
    Panel("inputs", words=inputs, is_wide=True),
    Panel("ledger", words=ledger, is_wide=True),
)


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
