"""How large the improvement in accuracy must be, against how large it was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

from live_dashboards.model.axis import finite_ends, number_labels, padded, round_ticks
from live_dashboards.model.business_case import BusinessCase, BusinessReport
from live_dashboards.model.chart import Curve, Said, Sayings, Spot, Words, drawn_value
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import format_money, format_signed
from live_dashboards.model.presentation import INK, MEASURED, MUTED
from live_dashboards.model.quality import AS_LOGGED, Quality
from live_dashboards.model.report import Head
from live_dashboards.panels import money
from live_dashboards.panels.sayings import measured, provenance, spoken

_FAR = 5.0
_MOST_TICKS = 5
_LONGEST_CALLED = 24


def head(report: BusinessReport) -> Head:
    """Where it breaks even, and whether it surely has."""
    case, of = report.case, _axis_of(report.case.inputs.quality)
    subtitle = f"net value, USD a year, over the improvement in {of.what}, {of.unit_words}"
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
    of, net = _axis_of(case.inputs.quality), case.net.interval
    needed_x = of.place(case.break_even_improvement)
    if needed_x is None:
        return money.sentence(f"{of.what} does not decide the net value", case.inputs.quality)
    needed = f"Breaks even at {of.called}{of.words(needed_x)}"
    if net is None or net.low is None or net.high is None:
        return needed
    return f"{needed}: {'proven' if net.low > 0 else 'not reached' if net.high < 0 else 'not proven'}"


@dataclass(frozen=True, slots=True)
class _Axis:
    """The improvement's axis: points of a share, `times` of its fraction, or a value's own unit."""

    quality: Quality
    what: str
    called: str
    times: float
    unit: str
    unit_words: str
    label: str

    def place(self, improvement: Measurement) -> float | None:
        """Where it stands, None where it is not known."""
        return None if improvement.value is None else self.times * improvement.value

    def words(self, x: float) -> str:
        """`+3.6 pt`, or what a value does: `2.3 lower`."""
        return format_signed(x, self.unit) if self.quality.is_share else self.quality.moved(x)


def _axis_of(quality: Quality) -> _Axis:
    if quality.is_share:
        return _Axis(quality, "accuracy", "", 100.0, "points", "pt", "accuracy improvement, points")
    title = quality.metric().title
    way = "in its own unit" if quality.is_assumed else f"how much {quality.goal}"
    label = f"improvement in {title}: {way}"
    called = f"{title} " if len(title) <= _LONGEST_CALLED else ""  # the subtitle has it, too
    return _Axis(quality, title, called, 1.0, AS_LOGGED, way, label)


def charts(report: BusinessReport) -> tuple[Curve, ...]:
    """A line through all improvements, a dot at the measured one over its interval, a dashed line where it
    crosses zero, if that is near enough to hide nothing.
    """
    of = _axis_of(report.case.inputs.quality)
    improvement = _placed(report.case.inputs.accuracy_improvement.difference, of)
    found, shade = improvement.value or 0.0, improvement.interval
    spread, needed = finite_ends((0.0, found), (shade,)), of.place(report.case.break_even_improvement)
    near = [needed] if needed is not None and abs(needed) <= _FAR * max(1e-9, *map(abs, spread)) else []
    low, high = padded([*spread, *near], 0.12)
    ticks = round_ticks(low, high, _MOST_TICKS)
    shown = None if shade is None or shade.low is None or shade.high is None else (shade.low, shade.high)
    legend = "shade: measured interval" if shown else "effect unknown: no interval"
    return (
        Curve(
            tuple((x, _net_usd(report.case, x / of.times)) for x in (low, high)),
            lambda x, net_usd: _said(of, x, net_usd, improvement, report),
            f"{of.label}\n{legend}",
            tuple(zip(ticks, number_labels(ticks, of.unit), strict=True)),
            "net value, USD a year",
            shown,
            spots=(_measured(of, improvement, found, report),),
            guides=tuple(near),
            above=_above(of, found, needed, low, is_near=bool(near)),
            table=(drawn_value("break_even", "measured improvement", "", improvement),),
        ),
    )


def _above(
    of: _Axis, found: float, needed: float | None, low: float, *, is_near: bool
) -> tuple[tuple[float, Words], ...]:
    """The measured improvement and the break-even over their places; one off the axis is named at its
    beginning.
    """
    measured_words = (found, Words(f"measured {of.words(found)}", MEASURED))
    if needed is None:
        return (measured_words,)
    words = f"break-even {of.words(needed)}"
    if is_near:
        return measured_words, (needed, Words(words, INK))
    return measured_words, (low, Words(f"{words}, off the axis", MUTED))


def _net_usd(case: BusinessCase, improvement: float) -> float:
    """Net value in USD a year at that improvement, in its own unit, with all other terms as they are."""
    revenue = next(term for term in case.terms if term.effect == "accuracy_improvement")
    at_zero = (case.net.value or 0.0) - (revenue.contribution.value or 0.0)
    volume, multiplier = (
        case.assumption(name).amount.point for name in ("BASE_TRADING_VOLUME", "ACCURACY_REVENUE_MULTIPLIER")
    )
    return at_zero + improvement * (365 * volume * multiplier)


def _measured(of: _Axis, improvement: Measurement, x: float, report: BusinessReport) -> Spot:
    net_usd = _net_usd(report.case, x / of.times)
    net = f"net {format_money(net_usd, signed=True)} a year"
    said = spoken(*measured("measured improvement", improvement, report), net)
    return Spot("measured", x, net_usd, MEASURED, said, improvement.interval is not None)


def _said(of: _Axis, x: float, net_usd: float, improvement: Measurement, report: BusinessReport) -> Sayings:
    return spoken(
        Said(f"net value by {of.label.partition(',')[0]}", "title"),
        Said(f"{of.words(x)}: {format_money(net_usd, signed=True)} a year", "value"),
        *provenance(improvement, report.timezone),
    )


def _placed(improvement: Measurement, of: _Axis) -> Measurement:
    """The improvement as it stands on the axis."""
    limits = improvement.interval
    return replace(
        improvement,
        name="accuracy_difference",
        value=of.times * (improvement.value or 0.0),
        unit=of.unit,
        interval=limits.times(of.times) if limits is not None else None,
        drawn_interval=None,
        n=None,
        inputs=(improvement,),
    )
