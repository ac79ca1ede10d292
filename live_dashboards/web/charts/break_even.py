"""What effect must be real: the net value over the improvement in accuracy, with the measured interval
shaded.
"""

from __future__ import annotations

from typing import Any

from live_dashboards.model.axis import number_labels, padded, round_ticks
from live_dashboards.model.business_report import BreakEvenPanel, BusinessReport
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import format_money, format_signed
from live_dashboards.model.presentation import BAND, INK, MEASURED, MUTED, RESULT, VariantStyle
from live_dashboards.panels.sayings import measured, provenance, spoken
from live_dashboards.web.charts.base import Figure, axis, band, layout, seen, upright, word
from live_dashboards.web.charts.hover import TEMPLATE, said
from live_dashboards.web.charts.marks import Dot, dot_traces
from live_dashboards.web.charts.money import money_axis

_FAR = 5.0
_STYLE = VariantStyle(MEASURED, INK, "o", ())


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
    limits = _limits(panel, panel.measured.value)
    nets = (_net(panel, limits[0]), _net(panel, limits[1]))
    money_limits = padded([*nets, 0.0])
    ticks = round_ticks(*limits, 5)
    shade = (
        panel.shade
        if panel.shade is not None and panel.shade.low is not None and panel.shade.high is not None
        else None
    )
    shapes = [
        *(
            [band(shade.low, shade.high, BAND)]
            if shade and shade.low is not None and shade.high is not None
            else []
        )
    ]
    if panel.break_even_points is not None and _is_near(panel):
        shapes.append(upright(seen(panel.break_even_points), dash="4px,3px"))
    title = (
        "accuracy improvement, "
        f"points<br>{'shade: measured interval' if shade else 'effect unknown: no interval'}"
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
        "data": [_line(panel, limits, report), *_dot(panel, panel.measured, report, limits)],
        "layout": made,
    }


def _net(panel: BreakEvenPanel, points: float) -> float:
    return (panel.net_at_zero_usd or 0.0) + points * (panel.usd_per_point or 0.0)


def _spread(panel: BreakEvenPanel) -> list[float]:
    measured_points = panel.measured.value if panel.measured is not None else None
    return [
        0.0,
        measured_points or 0.0,
        *(end for end in ((panel.shade.low, panel.shade.high) if panel.shade else ()) if end is not None),
    ]


def _is_near(panel: BreakEvenPanel) -> bool:
    """Whether the axis can reach the break-even without hiding the rest."""
    return panel.break_even_points is not None and abs(panel.break_even_points) <= _FAR * max(
        abs(each) for each in (*_spread(panel), 1e-9)
    )


def _limits(panel: BreakEvenPanel, measured_points: float) -> tuple[float, float]:
    near = [panel.break_even_points] if panel.break_even_points is not None and _is_near(panel) else []
    return padded([*_spread(panel), measured_points, *near], 0.12)


def _line(panel: BreakEvenPanel, limits: tuple[float, float], report: BusinessReport) -> dict[str, Any]:
    """Many points on a straight line, so that each place of it can be pointed at."""
    xs = [limits[0] + (limits[1] - limits[0]) * step / 24 for step in range(25)]
    place = said(provenance(panel.measured, report.timezone)) if panel.measured is not None else ""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [seen(x) for x in xs],
        "y": [seen(_net(panel, x)) for x in xs],
        "customdata": [
            f"{format_signed(x, 'points')}: {format_money(_net(panel, x), signed=True)} a year".replace(
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
    net = f"net {format_money(_net(panel, points), signed=True)} a year"
    words = said(spoken(*measured("measured improvement", improvement, report), net))
    return [
        {**trace, "hovertemplate": TEMPLATE}
        for trace in dot_traces(
            [Dot(points, _net(panel, points), None, panel.shade is not None, words)], _STYLE, MEASURED, limits
        )
    ]


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
    if _is_near(panel):
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
