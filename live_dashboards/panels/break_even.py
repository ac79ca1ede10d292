"""How large the improvement in accuracy must be, against how large it was measured."""

from __future__ import annotations

from dataclasses import replace

from live_dashboards.model.axis import finite_ends, number_labels, padded, round_ticks
from live_dashboards.model.business_case import BusinessCase, BusinessReport
from live_dashboards.model.chart import Curve, Said, Sayings, Spot, Words, drawn_value
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import format_money, format_number, format_signed
from live_dashboards.model.presentation import INK, MEASURED, MUTED
from live_dashboards.model.report import Head
from live_dashboards.panels import money
from live_dashboards.panels.sayings import measured, provenance, spoken

_FAR = 5.0
_MOST_TICKS = 5


def head(report: BusinessReport) -> Head:
    """Where it breaks even, and whether it surely has."""
    case, subtitle = report.case, "net value, USD a year, over the improvement in accuracy, pt"
    improvement = case.inputs.accuracy_improvement.difference
    if not _is_known(case):
        reason = case.net.reason or improvement.reason
        return money.nothing("Break-even unknown", subtitle, "all terms of the net value", reason)
    note = f"effect unknown: {improvement.reason}"
    if improvement.interval is not None:
        note = f"shaded: 95 % interval of the measured improvement, {improvement.reason or ''}".rstrip(", ")
    return money.head(report, _title(case), subtitle, note)


def _is_known(case: BusinessCase) -> bool:
    has_revenue = any(term.effect == "accuracy_improvement" for term in case.terms)
    return (
        case.net.value is not None
        and case.inputs.accuracy_improvement.difference.value is not None
        and has_revenue
    )


def _title(case: BusinessCase) -> str:
    """By the net value's 95 % interval, which also knows how unsure the other terms are."""
    points, net = _break_even_points(case), case.net.interval
    if points is None:
        return "Accuracy does not decide the net value"
    needed = f"Breaks even at {format_number(points, 'points', signed=True)}"
    if net is None or net.low is None or net.high is None:
        return needed
    return f"{needed}: {'proven' if net.low > 0 else 'not reached' if net.high < 0 else 'not proven'}"


def _break_even_points(case: BusinessCase) -> float | None:
    found = case.break_even_accuracy_improvement.value
    return None if found is None else 100 * found


def charts(report: BusinessReport) -> tuple[Curve, ...]:
    """A line through all improvements, a dot at the measured one over its interval, a dashed line where it
    crosses zero, if that is near enough to hide nothing.
    """
    improvement = _in_points(report.case.inputs.accuracy_improvement.difference)
    points, shade = improvement.value or 0.0, improvement.interval
    spread, needed = finite_ends((0.0, points), (shade,)), _break_even_points(report.case)
    near = [needed] if needed is not None and abs(needed) <= _FAR * max(1e-9, *map(abs, spread)) else []
    low, high = padded([*spread, *near], 0.12)
    ticks = round_ticks(low, high, _MOST_TICKS)
    shown = None if shade is None or shade.low is None or shade.high is None else (shade.low, shade.high)
    legend = "shade: measured interval" if shown else "effect unknown: no interval"
    return (
        Curve(
            tuple((x, _net_usd(report.case, x)) for x in (low, high)),
            lambda x, net_usd: _said(x, net_usd, improvement, report),
            f"accuracy improvement, points\n{legend}",
            tuple(zip(ticks, number_labels(ticks, "points"), strict=True)),
            "net value, USD a year",
            shown,
            spots=(_measured(improvement, points, report),),
            guides=tuple(near),
            above=_above(points, needed, low, is_near=bool(near)),
            table=(drawn_value("break_even", "measured improvement", "", improvement),),
        ),
    )


def _above(
    points: float, needed: float | None, low: float, *, is_near: bool
) -> tuple[tuple[float, Words], ...]:
    """The measured improvement and the break-even over their places; one off the axis is named at its
    beginning.
    """
    measured_words = (points, Words(f"measured {format_signed(points, 'points')}", MEASURED))
    if needed is None:
        return (measured_words,)
    words = f"break-even {format_signed(needed, 'points')}"
    if is_near:
        return measured_words, (needed, Words(words, INK))
    return measured_words, (low, Words(f"{words}, off the axis", MUTED))


def _net_usd(case: BusinessCase, points: float) -> float:
    """Net value in USD a year at that improvement, with all other terms as they are."""
    revenue = next(term for term in case.terms if term.effect == "accuracy_improvement")
    at_zero = (case.net.value or 0.0) - (revenue.contribution.value or 0.0)
    volume, multiplier = (
        case.assumption(name).amount.point for name in ("BASE_TRADING_VOLUME", "ACCURACY_REVENUE_MULTIPLIER")
    )
    return at_zero + points * (365 * volume * multiplier / 100)


def _measured(improvement: Measurement, points: float, report: BusinessReport) -> Spot:
    net_usd = _net_usd(report.case, points)
    net = f"net {format_money(net_usd, signed=True)} a year"
    said = spoken(*measured("measured improvement", improvement, report), net)
    return Spot("measured", points, net_usd, MEASURED, said, improvement.interval is not None)


def _said(points: float, net_usd: float, improvement: Measurement, report: BusinessReport) -> Sayings:
    return spoken(
        Said("net value by accuracy improvement", "title"),
        Said(f"{format_signed(points, 'points')}: {format_money(net_usd, signed=True)} a year", "value"),
        *provenance(improvement, report.timezone),
    )


def _in_points(improvement: Measurement) -> Measurement:
    limits = improvement.interval
    return replace(
        improvement,
        name="accuracy_difference",
        value=100 * (improvement.value or 0.0),
        unit="points",
        interval=limits.times(100) if limits is not None else None,
        drawn_interval=None,
        n=None,
        inputs=(improvement,),
    )
