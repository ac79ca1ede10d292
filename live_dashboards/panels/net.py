"""Is it worth it per year: the net value as a dot with its interval, and where its uncertainty comes from."""

from __future__ import annotations

from live_dashboards.model.business_case import BusinessCase, BusinessReport
from live_dashboards.model.chart import (
    Chart,
    Guide,
    Mark,
    Room,
    Row,
    Rows,
    Said,
    Scale,
    Sentences,
    Words,
    drawn_value,
)
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.number import USD, format_money, format_money_estimate, format_money_limits
from live_dashboards.model.presentation import ASSUMED, INK, MEASURED, MUTED, RESULT, VariantStyle
from live_dashboards.model.report import Head
from live_dashboards.panels import money
from live_dashboards.panels.sayings import level_words, measured, spoken

_WHOLE, _PARTIAL = VariantStyle(RESULT, INK, "o", ()), VariantStyle(RESULT, INK, "D", ())
_SUBTITLE = "net value, USD a year: projection, challenger takes all traffic"


def head(report: BusinessReport) -> Head:
    """What it is worth a year, or what is known of it."""
    case = report.case
    if case.net.value is not None:
        title = f"{money.rounded_money(case.net)} a year {money.default_words(case)}".rstrip()
        note = (
            f"line: {money.INTERVAL}" if case.net.interval is not None else case.net.reason or "no interval"
        )
        return money.head(report, title, _SUBTITLE, note)
    if case.partial_total.value is None:
        asked = "accuracy, mean latency, error rate of both variants"
        return money.nothing("No net value", _SUBTITLE, asked, case.net.reason)
    worth = f"{format_money(case.partial_total.value, signed=True)} a year"
    note = f"partial: {money.missing_words(case)} not measured, so no net value, ROI or payback"
    return money.head(report, f"{money.partial_words(case).capitalize()}: {worth}", _SUBTITLE, note)


def charts(report: BusinessReport) -> tuple[Chart, ...]:
    """A row for the net value, or for the rest where a term is missing; where a parameter is a range, one
    each for what was measured and what was assumed; the chance in words.
    """
    case, limits, words = report.case, report.case.net.interval, Sentences(_words(report.case))
    shown = case.net if case.net.value is not None else case.partial_total
    if shown.value is None:
        return (words,)
    has_ranges = case.net.value is not None and case.spread.assumed is not None
    sources = (
        ("measurements", case.spread.statistical, MEASURED),
        ("your ranges", case.spread.assumed, ASSUMED),
    )
    spreads = (
        _spread(name, alone, colour) for name, alone, colour in sources if has_ranges and alone is not None
    )
    rows = Rows(
        (_net(shown, shown.value, report), *spreads),
        Scale(USD, around=(0.0,)),
        "USD a year",
        "line: 95 % interval" if limits is not None else "",
        guides=(Guide(0.0),),
        room=Room(names_inches=1.15),
        table=(drawn_value("net", "net_annual_value", "", case.net),) if limits is not None else (),
    )
    return rows, words


def _words(case: BusinessCase) -> tuple[str, ...]:
    chance = f"chance that it is above 0, for one look: {money.chance_words(case.probability_net_positive)}"
    ranges = "your ranges and the measurements both count"
    if case.net.value is None:
        return ()
    said = ((chance, case.net.interval), (ranges, case.spread.assumed))
    return tuple(words for words, limits in said if limits is not None)


def _net(shown: Measurement, value_usd: float, report: BusinessReport) -> Row:
    is_whole, limits = report.case.net.value is not None, report.case.net.interval
    words = format_money(value_usd)
    line: tuple[Mark, ...] = ()
    if limits is not None:
        words = format_money_estimate(value_usd, limits.low, limits.high)
        line = (Mark("span", RESULT, interval=limits, look="limits"),)
    title = "net value a year" if is_whole else "partial: a term is missing"
    told = "no interval" if limits is None else level_words(0.95, limits, USD)
    dot = Mark(
        "dot",
        RESULT,
        value_usd,
        style=_WHOLE if is_whole else _PARTIAL,
        is_filled=limits is not None,
        size=1.5,
        said=measured(title, shown, report, told),
    )
    return Row("net value" if is_whole else "partial", (*line, dot), (Words(words),))


def _spread(name: str, limits: Interval, colour: str) -> Row:
    """What the net value's uncertainty is from this source alone."""
    said = spoken(
        Said(f"{name} alone", "title"),
        "net value a year, from this alone",
        level_words(0.95, limits, USD),
    )
    words = Words(format_money_limits(limits.low, limits.high), MUTED)
    return Row(name, (Mark("span", colour, interval=limits, look="spread", said=said),), (words,), colour)
