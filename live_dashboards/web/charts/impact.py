"""What the service itself reports of its business impact: a chart for each quantity, since each has an axis
of its own.
"""

from __future__ import annotations

import re

from live_dashboards.model.report import AbReport
from live_dashboards.web.charts.base import Figure
from live_dashboards.web.charts.line_words import Plan
from live_dashboards.web.charts.lines import lines_figure
from live_dashboards.web.charts.text import shown

_MOST_TYPES = 6
_MOST_CHARACTERS = 30


def figures(report: AbReport) -> list[tuple[str, Figure]]:
    """(id, figure) of each reported metric type that has a value in the window, as many as a page holds."""
    panel = report.impact
    if not panel.head.is_drawn:
        return []
    made = []
    for number, lines in enumerate(panel.types[:_MOST_TYPES]):
        drawn = lines_figure(
            lines.lines, report, panel.head.origin, Plan(_title(lines.unit_label), "", is_zero_based=False)
        )
        if drawn is not None:
            made.append((_identifier(lines.unit_label, number), drawn))
    return made


def _title(metric_type: str) -> str:
    return shown(f"{metric_type.replace('_', ' ') or 'business impact'}, reported", _MOST_CHARACTERS)


def _identifier(metric_type: str, number: int) -> str:
    """`impact-net_business_value`; where the name has other characters, its number comes behind, so that no
    two are equal.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", metric_type)[:_MOST_CHARACTERS]
    return (
        f"impact-{plain}"
        if plain == metric_type and plain
        else f"impact-{plain.strip('-') or 'type'}-{number + 1}"
    )
