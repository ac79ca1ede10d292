"""Is it worth it per year: the net value as a dot with its interval, and where its uncertainty comes from."""

from __future__ import annotations

from live_dashboards.model.business_report import BusinessReport, NetPanel
from live_dashboards.model.chart import (
    Chart,
    Guide,
    Mark,
    Room,
    Row,
    Rows,
    Said,
    Sayings,
    Scale,
    Sentences,
    Words,
    drawn_value,
)
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.number import USD, format_money_limits
from live_dashboards.model.presentation import ASSUMED, INK, MEASURED, MUTED, RESULT, VariantStyle
from live_dashboards.panels.sayings import level_words, measured, spoken

_WHOLE, _PARTIAL = VariantStyle(RESULT, INK, "o", ()), VariantStyle(RESULT, INK, "D", ())


def charts(report: BusinessReport) -> tuple[Chart, ...]:
    """A row for the net value; where a parameter is a range, one each for what was measured and what was
    assumed; the chance in words.
    """
    panel, words = report.net, Sentences(report.net.words)
    if panel.shown is None or panel.shown.value is None:
        return (words,)
    sources = (("measurements", panel.statistical, MEASURED), ("your ranges", panel.assumed, ASSUMED))
    spreads = (_spread(name, limits, colour) for name, limits, colour in sources if limits is not None)
    rows = Rows(
        (_net(panel, panel.shown, report), *spreads),
        Scale(USD, around=(0.0,)),
        "USD a year",
        "line: 95 % interval" if panel.interval is not None else "",
        guides=(Guide(0.0),),
        room=Room(names_inches=1.15),
        table=(drawn_value("net", "net_annual_value", "", panel.net),) if panel.interval is not None else (),
    )
    return rows, words


def _net(panel: NetPanel, shown: Measurement, report: BusinessReport) -> Row:
    is_whole, limits = panel.net.value is not None, panel.interval
    line = (Mark("span", RESULT, interval=limits, look="limits"),) if limits is not None else ()
    dot = Mark(
        "dot",
        RESULT,
        shown.value,
        style=_WHOLE if is_whole else _PARTIAL,
        is_filled=limits is not None,
        size=1.5,
        said=_said(panel, shown, report),
    )
    return Row("net value" if is_whole else "partial", (*line, dot), (Words(panel.shown_words),))


def _said(panel: NetPanel, shown: Measurement, report: BusinessReport) -> Sayings:
    title = "net value a year" if panel.net.value is not None else "partial: a term is missing"
    limits = panel.interval
    return measured(title, shown, report, "no interval" if limits is None else level_words(0.95, limits, USD))


def _spread(name: str, limits: Interval, colour: str) -> Row:
    """What the net value's uncertainty is from this source alone."""
    said = spoken(
        Said(f"{name} alone", "title"),
        "net value a year, from this alone",
        level_words(0.95, limits, USD),
    )
    words = Words(format_money_limits(limits.low, limits.high), MUTED)
    return Row(name, (Mark("span", colour, interval=limits, look="spread", said=said),), (words,), colour)
