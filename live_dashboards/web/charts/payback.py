"""When is it paid back: the cumulative value over twelve months, with its band."""

from __future__ import annotations

from typing import Any

from live_dashboards.model.axis import padded
from live_dashboards.model.business_case import CashPoint
from live_dashboards.model.business_report import BusinessReport, PaybackPanel
from live_dashboards.model.chart import Said
from live_dashboards.model.measurement import Interval
from live_dashboards.model.number import format_money, format_number
from live_dashboards.model.presentation import AXIS, BAND, INK, PAPER, RESULT
from live_dashboards.panels.sayings import level_words, measured, provenance, spoken
from live_dashboards.web.charts.base import Figure, axis, layout, seen, word
from live_dashboards.web.charts.hover import TEMPLATE, said
from live_dashboards.web.charts.money import money_axis

_DAYS_A_MONTH = 365 / 12
_TICKS = (0.0, 3.0, 6.0, 9.0, 12.0)


def payback_figure(report: BusinessReport) -> Figure | None:
    """A line from the cost of the infrastructure on over its band; a dot where it crosses zero."""
    panel = report.payback
    if not panel.head.is_drawn or not panel.points:
        return None
    ends = [
        end
        for point in panel.points
        for end in (point.value_usd, point.low_usd, point.high_usd)
        if end is not None
    ]
    limits = padded([*ends, 0.0])
    months = (panel.points[0].month, panel.points[-1].month)
    ticks = [month for month in _TICKS if months[0] <= month <= months[1]]
    band = _band(panel.points)
    made = layout(
        panel.head.origin,
        x=axis(
            f"months{'; shade: 95 % interval' if band else ''}",
            months,
            ticks=ticks,
            labels=[f"{month:g}" for month in ticks],
            showgrid=False,
        ),
        y=money_axis("cumulative value, USD", limits),
        annotations=_payback_words(panel),
        margin={"l": 12, "r": 20, "t": 10, "b": 8, "pad": 0},
    )
    return {"data": [*band, _zero(months), _line(report), *_mark(report)], "layout": made}


def _band(points: tuple[CashPoint, ...]) -> list[dict[str, Any]]:
    """The interval as a closed shape behind the line."""
    known = [
        (point.month, point.low_usd, point.high_usd)
        for point in points
        if point.low_usd is not None and point.high_usd is not None
    ]
    if not known:
        return []
    months = [month for month, _, _ in known]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [*months, *months[::-1]],
            "y": [*(seen(low) for _, low, _ in known), *(seen(high) for _, _, high in known[::-1])],
            "fill": "toself",
            "fillcolor": BAND,
            "line": {"color": BAND, "width": 0},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def _zero(months: tuple[float, float]) -> dict[str, Any]:
    """Zero above the band, which would hide the axis' own line."""
    line = {
        "type": "scatter",
        "mode": "lines",
        "hoverinfo": "skip",
        "showlegend": False,
        "line": {"color": AXIS, "width": 1},
    }
    return {**line, "x": list(months), "y": [0, 0]}


def _line(report: BusinessReport) -> dict[str, Any]:
    points = report.payback.points
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [point.month for point in points],
        "y": [seen(point.value_usd) for point in points],
        "customdata": [_hover(point, report) for point in points],
        "hovertemplate": TEMPLATE,
        "showlegend": False,
        "line": {"color": RESULT, "width": 2},
    }


def _hover(point: CashPoint, report: BusinessReport) -> str:
    has_band = point.low_usd is not None and point.high_usd is not None
    limits = level_words(0.95, Interval(point.low_usd, point.high_usd), "usd") if has_band else "no interval"
    title, value = (
        Said(f"after {point.month:g} months", "title"),
        Said(format_money(point.value_usd), "value"),
    )
    return said(spoken(title, value, limits, *provenance(report.net.net, report.timezone)))


def _month(panel: PaybackPanel) -> float | None:
    """Where the cost has come back, where that is within the drawn months."""
    if panel.payback is None or panel.payback.value is None:
        return None
    month = panel.payback.value / _DAYS_A_MONTH
    return month if month <= panel.points[-1].month else None


def _mark(report: BusinessReport) -> list[dict[str, Any]]:
    panel, month = report.payback, _month(report.payback)
    if month is None or panel.payback is None:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [seen(month)],
            "y": [0],
            "customdata": [said(measured("paid back", panel.payback, report))],
            "hovertemplate": TEMPLATE,
            "showlegend": False,
            "cliponaxis": False,
            "marker": {
                "symbol": "circle",
                "size": 11,
                "color": PAPER,
                "opacity": 1,
                "line": {"color": INK, "width": 2},
            },
        }
    ]


def _payback_words(panel: PaybackPanel) -> list[dict[str, Any]]:
    month = _month(panel)
    if month is None or panel.payback is None:
        return []
    is_late = month > panel.points[-1].month * 0.6
    days = panel.payback.value or 0.0
    text = f"paid back: {format_number(days, 'days', decimals=0)}" if days >= 1 else "paid back: within a day"
    return [
        word(
            text,
            x=seen(month),
            y=0,
            xanchor="right" if is_late else "left",
            yanchor="top",
            xshift=0 if is_late else 4,
            yshift=-7,
        )
    ]
