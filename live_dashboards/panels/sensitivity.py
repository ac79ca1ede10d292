"""Which input decides: how far each moves the net value alone."""

from __future__ import annotations

from live_dashboards.model.business_case import BusinessReport, Swing
from live_dashboards.model.chart import (
    DrawnValue,
    Guide,
    Mark,
    Room,
    Row,
    Rows,
    Said,
    Sayings,
    Scale,
    Words,
)
from live_dashboards.model.number import USD, format_interval, format_money, format_number
from live_dashboards.model.presentation import ASSUMED, FAINT, MEASURED, MUTED
from live_dashboards.model.quality import AS_LOGGED
from live_dashboards.model.report import Head
from live_dashboards.panels import money
from live_dashboards.panels.sayings import provenance, spoken

_OWN_UNITS = frozenset({"ms", AS_LOGGED})


def head(report: BusinessReport) -> Head:
    """Which input moves the net value most."""
    case, subtitle = report.case, "net value, USD a year, with one input at its 95 % limits"
    if not case.swings or case.net.value is None:
        reason = "no input has an interval or a range" if case.net.value is not None else case.net.reason
        asked = "intervals of the inputs, ranges of the assumptions"
        return money.nothing("What decides is unknown", subtitle, asked, reason)
    note = "measured: its interval; assumed: your range; a parameter without a range does not vary"
    title = money.sentence(f"{case.swings[0].title} decides most", case.inputs.quality)
    return money.head(report, title, subtitle, note)


def charts(report: BusinessReport) -> tuple[Rows, ...]:
    """A tornado: a bar an input from one of its 95 % limits to the other, around the net value."""
    swings, net_usd = report.case.swings, report.case.net.value or 0.0
    return (
        Rows(
            tuple(_row(swing, report) for swing in swings),
            Scale(USD, around=(net_usd, 0.0)),
            "net value, USD a year, at an input's 95 % limits",
            "tick: net value",
            "dashed: net value",
            "95 % limits",
            guides=(Guide(0.0), Guide(net_usd, "over")),
            empty="no input varies",
            room=Room(1.62, 0.4),
            table=tuple(_drawn(swing, report) for swing in swings),
        ),
    )


def _row(swing: Swing, report: BusinessReport) -> Row:
    kind, colour = ("assumed", ASSUMED) if swing.is_assumed else ("measured", MEASURED)
    low, high = sorted((swing.net_at_low_usd, swing.net_at_high_usd))
    return Row(
        swing.title,
        (Mark("bar", colour, ends=(low, high), look="filled", said=_said(swing, kind, report)),),
        (Words(_words(swing), MUTED),),
        of=kind if swing.is_assumed else "",
        below=Words(kind, ASSUMED if swing.is_assumed else FAINT),
        suffix=f", {kind}",
    )


def _said(swing: Swing, kind: str, report: BusinessReport) -> Sayings:
    low, high = sorted((swing.net_at_low_usd, swing.net_at_high_usd))
    return spoken(
        Said(swing.title, "title"),
        kind,
        f"low end {_one(swing, swing.input_low)}: net {format_money(swing.net_at_low_usd)} a year",
        f"high end {_one(swing, swing.input_high)}: net {format_money(swing.net_at_high_usd)} a year",
        f"net value {format_interval(low, high, 'usd')}",
        *provenance(report.case.net, report.timezone),
    )


def _one(swing: Swing, value: float) -> str:
    if swing.unit == "fraction":
        return format_number(100 * value, "points", signed=True)
    if swing.unit in _OWN_UNITS:
        return format_number(value, swing.unit, signed=True)
    return format_money(value) if swing.unit.startswith("USD") else format_number(value)


def _words(swing: Swing) -> str:
    low, high = swing.input_low, swing.input_high
    if swing.unit == "fraction":
        return format_interval(100 * low, 100 * high, "points", signed=True)
    if swing.unit in _OWN_UNITS:
        return format_interval(low, high, swing.unit, signed=True)
    return f"{_one(swing, low)} to {_one(swing, high)}"


def _drawn(swing: Swing, report: BusinessReport) -> DrawnValue:
    kind = "assumed" if swing.is_assumed else "measured"
    low, high = sorted((swing.net_at_low_usd, swing.net_at_high_usd))
    net_usd, origin = report.case.net.value, report.origin.value
    return DrawnValue("sensitivity", kind, None, swing.name, net_usd, low, high, USD, origin, None)
