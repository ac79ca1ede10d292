"""The curves of the business page, drawn by hand: net value over the improvement, and cumulative value over
the months.
"""

from __future__ import annotations

from typing import Any

from live_dashboards.draw.web.base import ZERO_LINE, Figure, axis, band, layout, seen, upright, word
from live_dashboards.draw.web.marks import Dot, dot_traces
from live_dashboards.draw.web.words import TEMPLATE, said
from live_dashboards.model.axis import number_labels, padded, round_ticks
from live_dashboards.model.business_case import CashPoint
from live_dashboards.model.business_report import BreakEvenPanel, BusinessReport, PaybackPanel
from live_dashboards.model.chart import Said
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.number import USD, format_money, format_number, format_signed
from live_dashboards.model.presentation import AXIS, BAND, INK, MEASURED, MUTED, PAPER, RESULT, VariantStyle
from live_dashboards.panels.sayings import level_words, measured, provenance, spoken

_STYLE = VariantStyle(MEASURED, INK, "o", ())

_TICKS = (0.0, 3.0, 6.0, 9.0, 12.0)


def money_axis(title: str, limits: tuple[float, float], most: int = 5) -> dict[str, Any]:
    """An axis in USD with round numbers and a line at zero."""
    ticks = round_ticks(*limits, most)
    return axis(title, limits, ticks=ticks, labels=number_labels(ticks, USD), **ZERO_LINE)


def break_even_figure(report: BusinessReport) -> Figure | None:
    """A line through all improvements, a dot at the measured one, a dashed line where it crosses zero."""
    panel = report.break_even
    if (
        not panel.head.is_drawn
        or panel.measured is None
        or panel.measured.value is None
        or panel.net_at_zero_usd is None
        or panel.usd_per_point is None
    ):
        return None
    limits = panel.limits
    nets = (panel.net_usd(limits[0]), panel.net_usd(limits[1]))
    money_limits = padded([*nets, 0.0])
    ticks = round_ticks(*limits, 5)
    shapes = [band(*panel.shaded, BAND)] if panel.shaded else []
    if panel.near_points is not None:
        shapes.append(upright(seen(panel.near_points), dash="4px,3px"))
    title = (
        "accuracy improvement, "
        f"points<br>{'shade: measured interval' if panel.shaded else 'effect unknown: no interval'}"
    )
    made = layout(
        panel.head.origin,
        x=axis(title, limits, ticks=ticks, labels=number_labels(ticks, "points"), showgrid=False),
        y=money_axis("net value, USD a year", money_limits),
        shapes=shapes,
        annotations=_words(panel, panel.measured.value, limits),
        margin={"l": 12, "r": 20, "t": 42, "b": 8, "pad": 0},
    )
    return {
        "data": [_net_line(panel, limits, report), *_dot(panel, panel.measured, report, limits)],
        "layout": made,
    }


def _net_line(panel: BreakEvenPanel, limits: tuple[float, float], report: BusinessReport) -> dict[str, Any]:
    """Many points on a straight line, so that each place of it can be pointed at."""
    xs = [limits[0] + (limits[1] - limits[0]) * step / 24 for step in range(25)]
    place = said(provenance(panel.measured, report.timezone)) if panel.measured is not None else ""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [seen(x) for x in xs],
        "y": [seen(panel.net_usd(x)) for x in xs],
        "customdata": [
            f"{format_signed(x, 'points')}: {format_money(panel.net_usd(x), signed=True)} a year".replace(
                "<", "&lt;"
            )
            for x in xs
        ],
        "meta": ["<b>net value by accuracy improvement</b>", f"<br>{place}" if place else ""],
        "hovertemplate": "%{meta[0]}<br><b>%{customdata}</b>%{meta[1]}<extra></extra>",
        "showlegend": False,
        "line": {"color": RESULT, "width": 2},
    }


def _dot(
    panel: BreakEvenPanel, improvement: Measurement, report: BusinessReport, limits: tuple[float, float]
) -> list[dict[str, Any]]:
    points = improvement.value or 0.0
    net = f"net {format_money(panel.net_usd(points), signed=True)} a year"
    words = said(spoken(*measured("measured improvement", improvement, report), net))
    dot = Dot(points, panel.net_usd(points), None, panel.shade is not None, words)
    traces = dot_traces([dot], _STYLE, MEASURED, limits)
    return [{**trace, "hovertemplate": TEMPLATE} for trace in traces]


def _words(
    panel: BreakEvenPanel, measured_points: float, limits: tuple[float, float]
) -> list[dict[str, Any]]:
    """Measured and break-even above the drawing, each on a line of its own over its place."""
    words = [
        _over(measured_points, f"measured {format_signed(measured_points, 'points')}", MEASURED, limits, 18)
    ]
    if panel.break_even_points is None:
        return words
    text = f"break-even {format_signed(panel.break_even_points, 'points')}"
    if panel.near_points is not None:
        return [*words, _over(panel.break_even_points, text, INK, limits, 2)]
    return [
        *words,
        word(
            f"{text}, off the axis",
            x=0,
            y=1,
            colour=MUTED,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="bottom",
            yshift=2,
        ),
    ]


def _over(x: float, text: str, colour: str, limits: tuple[float, float], shift: int) -> dict[str, Any]:
    share = (x - limits[0]) / (limits[1] - limits[0])
    anchor = "left" if share < 0.3 else "right" if share > 0.7 else "center"
    return word(
        text, x=seen(x), y=1, colour=colour, yref="paper", xanchor=anchor, yanchor="bottom", yshift=shift
    )


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
    return {"data": [*band, _zero(months), _cash_line(report), *_mark(report)], "layout": made}


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


def _cash_line(report: BusinessReport) -> dict[str, Any]:
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


def _mark(report: BusinessReport) -> list[dict[str, Any]]:
    panel, month = report.payback, report.payback.month
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
    month = panel.month
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
