"""What a mark says when it is pointed at, as the chart library takes it."""

from __future__ import annotations

from live_dashboards.model.chart import Said, Sayings
from live_dashboards.web.charts.text import MOST_QUERY_CHARACTERS, escaped, shown, wrapped

TEMPLATE = "%{customdata}<extra></extra>"
"""A mark's words come as data, so that no text of a user is ever a template."""


def said(lines: Sayings) -> str:
    """The lines below each other, safe whatever names of users they hold."""
    return "<br>".join(_line(line) for line in lines)


def _line(line: Said) -> str:
    if line.how == "title":
        return f"<b>{wrapped(line.text)}</b>"
    if line.how == "value":
        return f"<b>{wrapped(line.text, MOST_QUERY_CHARACTERS)}</b>{escaped(line.after)}"
    if line.how == "short":
        return shown(line.text)
    if line.how == "long":
        return wrapped(line.text, MOST_QUERY_CHARACTERS)
    return (
        f"query: {wrapped(line.text, MOST_QUERY_CHARACTERS)}" if line.how == "query" else escaped(line.text)
    )
