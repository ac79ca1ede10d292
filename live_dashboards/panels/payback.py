"""When the infrastructure's cost has come back: what has come in, over the months."""

from __future__ import annotations

from live_dashboards.model.business_case import BusinessReport, CashPoint
from live_dashboards.model.chart import Curve, DrawnValue, Said, Sayings, Spot, Words
from live_dashboards.model.measurement import Interval
from live_dashboards.model.number import USD, format_money
from live_dashboards.model.presentation import INK, MEASURED
from live_dashboards.model.report import Head
from live_dashboards.panels import money
from live_dashboards.panels.sayings import level_words, measured, provenance, spoken

_DAYS_A_MONTH = 365 / 12
_TICKS = ((0.0, "month 0"), (3.0, "3"), (6.0, "6"), (9.0, "9"), (12.0, "12"))


def head(report: BusinessReport) -> Head:
    """In how many days, if ever."""
    case, subtitle = report.case, "cumulative value over 12 months, USD; infrastructure paid first"
    if not case.cash or case.net.value is None:
        asked, reason = "net value and INFRASTRUCTURE_ANNUAL_COST", case.net.reason or case.payback.reason
        return money.nothing("Payback unknown", subtitle, asked, reason)
    reason = str(case.payback.reason)
    title = f"{reason[0].upper()}{reason[1:]}"
    if case.payback.value is not None:
        title = f"Paid back in {money.format_days(case.payback)}"
    note = f"band: {money.INTERVAL}" if case.cash[0].low_usd is not None else case.net.reason or "no interval"
    return money.head(report, title, subtitle, note)


def charts(report: BusinessReport) -> tuple[Curve, ...]:
    """A line from the cost of the infrastructure on over its band; a dot where it crosses zero."""
    case = report.case
    points, chance = {point.month: point for point in case.cash}, case.never_paid_back_probability
    cost_usd = case.assumption("INFRASTRUCTURE_ANNUAL_COST").amount.point
    words = f"not paid back within a year in {money.chance_words(chance)} of cases"
    band = tuple(
        (point.month, point.low_usd, point.high_usd)
        for point in case.cash
        if point.low_usd is not None and point.high_usd is not None
    )
    return (
        Curve(
            tuple((point.month, point.value_usd) for point in case.cash),
            lambda month, _: _said(points[month], report),
            "months\nshade: 95 % interval" if band else "months",
            _TICKS,
            "cumulative value, USD",
            band=band,
            spots=_paid_back(report),
            above=((0.0, Words(words, MEASURED)),) if chance.value is not None and cost_usd > 0 else (),
            table=tuple(_drawn(point, report) for point in case.cash),
        ),
    )


def _paid_back(report: BusinessReport) -> tuple[Spot, ...]:
    """Where the cost has come back, if that is within the drawn months."""
    payback = report.case.payback
    month = None if payback.value is None else payback.value / _DAYS_A_MONTH
    if month is None or month > report.case.cash[-1].month:
        return ()
    said = measured("paid back", payback, report)
    beside = money.format_days(payback)
    return (Spot("payback", month, 0.0, INK, said, False, beside, size=1.3, edge_points=1.4),)


def _said(point: CashPoint, report: BusinessReport) -> Sayings:
    limits = "no interval"
    if point.low_usd is not None and point.high_usd is not None:
        limits = level_words(0.95, Interval(point.low_usd, point.high_usd), USD)
    title = Said(f"after {point.month:g} months", "title")
    value = Said(format_money(point.value_usd), "value")
    return spoken(title, value, limits, *provenance(report.case.net, report.timezone))


def _drawn(point: CashPoint, report: BusinessReport) -> DrawnValue:
    limits = point.value_usd, point.low_usd, point.high_usd
    month, origin = f"month {point.month:g}", report.origin.value
    return DrawnValue("payback", "cumulative value", None, month, *limits, "usd", origin, None)
