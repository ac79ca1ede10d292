"""Can this page be trusted: the age of each newest sample against its limit."""

from __future__ import annotations

from typing import Any

from live_dashboards.model.number import format_age
from live_dashboards.model.presentation import AXIS, FAINT, PAPER, STATE_STYLES
from live_dashboards.model.report import AbReport, HealthRow
from live_dashboards.web.charts.bars import Bar, bar_ticks, bars_trace
from live_dashboards.web.charts.base import Figure, seen
from live_dashboards.web.charts.hover import TEMPLATE, bold, joined
from live_dashboards.web.charts.rows import Row, number_axis, rows_layout
from live_dashboards.web.charts.text import shown, width, wrapped

_LARGEST_PERCENT = 150.0
_BAR_ROWS = 0.2
_PHONE_COLUMNS, _FEWEST_WORDS = 42, 12  # names of metrics are wide
_SYMBOLS = {"o": "circle", "^": "triangle-up", "X": "x", "D": "diamond"}


def figure(report: AbReport) -> Figure | None:
    """A bar a sample, as a share of its limit; beyond 150 percent it ends in an arrow."""
    panel = report.health
    if not panel.head.is_drawn or not panel.rows:
        return None
    bars = [
        Bar(0.0, min(share, _LARGEST_PERCENT), float(y), _style(row)[0], _hover(row))
        for y, row in enumerate(panel.rows)
        if (share := _share(row))
    ]
    beyond = [(y, row) for y, row in enumerate(panel.rows) if (_share(row) or 0.0) > _LARGEST_PERCENT]
    traces = [
        *bars_trace(bars, width_rows=_BAR_ROWS),
        *_states(panel.rows),
        bar_ticks(100, [y for y, row in enumerate(panel.rows) if row.limit_seconds], _BAR_ROWS),
        *_arrows(beyond),
    ]
    made = rows_layout(
        [
            Row(row.label, ((_beside(row), _style(row)[0] if row.state in {"stale", "missing"} else FAINT),))
            for row in panel.rows
        ],
        number_axis("age, percent of its limit; tick: limit", (0.0, _LARGEST_PERCENT), "percent"),
        panel.head.origin,
        bar_rows=_BAR_ROWS,
    )
    return {"data": traces, "layout": made}


def _beside(row: HealthRow) -> str:
    """The words beside the label, as many as a phone has room for; all of them are told on hover, and a label
    is needed whole.
    """
    room = max(_FEWEST_WORDS, int(_PHONE_COLUMNS - width(row.label)))
    return row.words if len(row.words) <= room else f"{row.words[: room - 1]}…"


def _share(row: HealthRow) -> float | None:
    """Age as percent of its limit."""
    if row.age_seconds is None or not row.limit_seconds:
        return None
    return max(0.0, 100 * row.age_seconds / row.limit_seconds)


def _style(row: HealthRow) -> tuple[str, str]:
    return STATE_STYLES.get(row.state, (AXIS, "o"))


def _states(rows: tuple[HealthRow, ...]) -> list[dict[str, Any]]:
    """The state of each sample as a symbol at zero."""
    marker = {
        "symbol": [_SYMBOLS[_style(row)[1]] for row in rows],
        "size": 10,
        "opacity": 1,
        "color": [_style(row)[0] for row in rows],
        "line": {"color": PAPER, "width": 1},
    }
    return [_marks([0.0] * len(rows), list(range(len(rows))), [_hover(row) for row in rows], marker)]


def _arrows(beyond: list[tuple[int, HealthRow]]) -> list[dict[str, Any]]:
    if not beyond:
        return []
    marker = {
        "symbol": "triangle-right",
        "size": 11,
        "opacity": 1,
        "color": [_style(row)[0] for _, row in beyond],
    }
    return [
        _marks(
            [_LARGEST_PERCENT] * len(beyond),
            [y for y, _ in beyond],
            [_hover(row) for _, row in beyond],
            marker,
        )
    ]


def _marks(xs: list[float], ys: list[int], hovers: list[str], marker: dict[str, Any]) -> dict[str, Any]:
    shape = {
        "type": "scatter",
        "mode": "markers",
        "hovertemplate": TEMPLATE,
        "showlegend": False,
        "cliponaxis": False,
    }
    return {**shape, "x": xs, "y": ys, "customdata": hovers, "marker": marker}


def _hover(row: HealthRow) -> str:
    share = _share(row)
    return joined(
        bold(row.label),
        f"<b>{shown(row.state)}</b>",
        f"age {format_age(row.age_seconds)}" if row.age_seconds is not None else "no age known",
        "limit "
        f"{format_age(row.limit_seconds)}"
        + ("" if share is None else f": {seen(round(share, 1)):g} % of it used")
        if row.limit_seconds
        else "no limit",
        wrapped(row.words, 120),
        f"source: {shown(row.source)}" if row.source else "",
    )
