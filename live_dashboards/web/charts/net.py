"""Is it worth it per year: the net value as a dot with its interval, and where its uncertainty comes from."""

from __future__ import annotations

from live_dashboards.model.business_report import BusinessReport, NetPanel
from live_dashboards.model.limits import finite_ends, padded
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.number import format_money_limits
from live_dashboards.model.presentation import INK, MUTED, VariantStyle
from live_dashboards.web.charts.base import Figure
from live_dashboards.web.charts.hover import TEMPLATE, bold, joined, level_words, measured
from live_dashboards.web.charts.marks import Dot, dot_traces, interval_traces
from live_dashboards.web.charts.money import ASSUMED, MEASURED, RESULT, money_axis
from live_dashboards.web.charts.rows import Row, rows_layout

_WHOLE, _PARTIAL = VariantStyle(RESULT, INK, "o", ()), VariantStyle(RESULT, INK, "D", ())
_Source = tuple[str, Interval, str]


def figure(report: BusinessReport) -> Figure | None:
    """A row for the net value; where a parameter is a range, one each for what was measured and what was
    assumed.
    """
    panel = report.net
    shown = panel.shown
    if not panel.head.is_drawn or shown is None or shown.value is None:
        return None
    sources = _sources(panel)
    limits = padded(
        finite_ends(
            [shown.value, 0.0],
            [each for each in (panel.interval, *(limits for _, limits, _ in sources)) if each is not None],
        )
    )
    traces = (
        interval_traces([(panel.interval, 0.0)], RESULT, limits, width=4)
        if panel.interval is not None
        else []
    )
    for y, (name, interval, colour) in enumerate(sources, start=1):
        traces += [
            {**trace, **_source_hover(name, interval, trace)}
            for trace in interval_traces([(interval, float(y))], colour, limits, width=4)
        ]
    dot = Dot(shown.value, 0.0, None, panel.interval is not None, _hover(panel, shown, report))
    traces += dot_traces([dot], _WHOLE if panel.net.value is not None else _PARTIAL, RESULT, limits, size=14)
    note = "; line: 95 % interval" if panel.interval is not None else ""
    return {
        "data": traces,
        "layout": rows_layout(
            _rows(panel, sources), money_axis(f"USD a year{note}", limits), panel.head.origin
        ),
    }


def _sources(panel: NetPanel) -> list[_Source]:
    pairs = (
        ("measurements alone", panel.statistical, MEASURED),
        ("your ranges alone", panel.assumed, ASSUMED),
    )
    return [(name, limits, colour) for name, limits, colour in pairs if limits is not None]


def _source_hover(name: str, interval: Interval, trace: Figure) -> Figure:
    words = joined(
        bold(name), "net value a year, from this alone", level_words(0.95, interval, "usd_per_year")
    )
    return {"customdata": [words] * len(trace["x"]), "hovertemplate": TEMPLATE, "hoverinfo": "all"}


def _hover(panel: NetPanel, shown: Measurement, report: BusinessReport) -> str:
    title = "net value a year" if panel.net.value is not None else "partial: a term is missing"
    interval = (
        level_words(0.95, panel.interval, "usd_per_year") if panel.interval is not None else "no interval"
    )
    return joined(measured(title, shown, report, interval=interval))


def _rows(panel: NetPanel, sources: list[_Source]) -> list[Row]:
    name = "net value" if panel.net.value is not None else "partial"
    apart = (
        Row(each, ((format_money_limits(limits.low, limits.high), MUTED),), colour)
        for each, limits, colour in sources
    )
    return [Row(name, ((panel.shown_words, INK),)), *apart]
