"""The panels about the money: net value, its parts, what decides, where it breaks even, when it is paid
back.
"""

from __future__ import annotations

import math

from live_dashboards.analysis.facts.page import Page
from live_dashboards.model.business_case import BusinessCase, Term
from live_dashboards.model.business_report import (
    BreakEvenPanel,
    NetPanel,
    PartBar,
    PartsPanel,
    PaybackPanel,
    SensitivityPanel,
)
from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.model.number import (
    format_interval,
    format_money,
    format_money_estimate,
    format_money_rounded,
    format_number,
    format_percent,
    interval_step,
    round_to_step,
)
from live_dashboards.model.report import Head

_INTERVAL = "95 % interval, however often one looks"
_PLAIN = {
    "annual_revenue_increase": "revenue",
    "annual_cost_increase": "cost",
    "annual_risk_reduction": "risk",
}


def term_words(term: Term) -> str:
    """A term as one word: revenue, cost, risk."""
    return _PLAIN.get(term.name, term.title.lower())


def partial_words(case: BusinessCase) -> str:
    """`revenue only`, or what is left of several."""
    names = [term_words(term) for term in case.terms if term.name in case.partial_terms]
    return f"{' and '.join(names)} only" if names else "nothing measured"


def chance_words(probability: Measurement) -> str:
    """A probability as people read it, never 0 % or 100 %; from one to another where counts are known only to
    be at least something.
    """
    if probability.value is None:
        return "–"
    ends = probability.interval
    if ends is not None and ends.low is not None and ends.high is not None and ends.low != ends.high:
        return f"{_chance(ends.low).removesuffix(' %')} to {_chance(ends.high)}"
    return _chance(probability.value)


def _chance(share: float) -> str:
    return (
        "> 99.9 %"
        if share > 0.999
        else "< 0.1 %"
        if share < 0.001
        else format_percent(100 * share, 2 if 0.01 < share < 0.99 else 3 if share > 0.5 else 1)
    )


def default_words(case: BusinessCase) -> str:
    """`with 3 default assumptions`, empty where all are the user's."""
    count = sum(each.is_default for each in case.assumptions)
    return f"with {count} default assumption{'s' if count > 1 else ''}" if count else ""


def _head(found: Page, title: str, subtitle: str, note: str = "") -> Head:
    return Head(title, subtitle, found.page_origin, note=note)


def _nothing(title: str, subtitle: str, asked: str, reason: str) -> Head:
    return Head(title, subtitle, Origin.MISSING, asked=asked, reason=reason)


def net_panel(found: Page, case: BusinessCase) -> NetPanel:
    """What it is worth a year, and how sure that is."""
    subtitle = "net value, USD a year: projection, challenger takes all traffic"
    if case.net.value is None:
        return _partial_net(found, case, subtitle)
    has_interval = case.net.interval is not None
    words = (
        [f"chance that it is above 0, for one look: {chance_words(case.probability_net_positive)}"]
        if has_interval
        else []
    )
    if case.spread.assumed is not None:
        words.append("your ranges and the measurements both count")
    title = " ".join(filter(None, (f"{format_net(case)} a year", default_words(case))))
    note = f"line: {_INTERVAL}" if has_interval else str(case.net.reason or "no interval")
    assumed, statistical = (
        case.spread.assumed,
        case.spread.statistical if case.spread.assumed is not None else None,
    )
    return NetPanel(
        _head(found, title, subtitle, note),
        case.net,
        statistical,
        assumed,
        case.probability_net_positive,
        None,
        tuple(words),
    )


def _partial_net(found: Page, case: BusinessCase, subtitle: str) -> NetPanel:
    if case.partial_total.value is None:
        return NetPanel(
            _nothing(
                "No net value",
                subtitle,
                "accuracy, mean latency, error rate of both variants",
                str(case.net.reason),
            ),
            case.net,
        )
    gone = [term_words(term) for term in case.terms if term.value.value is None]
    title = (
        f"{partial_words(case).capitalize()}: {format_money(case.partial_total.value, signed=True)} a year"
    )
    note = f"partial: {' and '.join(gone)} not measured, so no net value, ROI or payback"
    return NetPanel(_head(found, title, subtitle, note), case.net, partial=case.partial_total)


def format_net(case: BusinessCase) -> str:
    """The net value in no more digits than its 95 % interval carries."""
    return _rounded(case.net)


def _rounded(measurement: Measurement, *, signed: bool = False) -> str:
    low, high = (
        (measurement.interval.low, measurement.interval.high) if measurement.interval else (None, None)
    )
    return format_money_rounded(measurement.value, low, high, signed=signed)


def parts_panel(found: Page, case: BusinessCase, stand_in: BusinessCase | None) -> PartsPanel:
    """The waterfall; a term that is not measured is a simulated bar apart from the total where a stand-in is
    given, else an empty one.
    """
    subtitle = "contribution to the net value, USD a year"
    substitutes = {term.name: term for term in stand_in.terms} if stand_in else {}
    bars = tuple(_bar(found, term, substitutes.get(term.name)) for term in case.terms)
    if all(bar.state == "missing" for bar in bars):
        return PartsPanel(
            _nothing(
                "No part is measured",
                subtitle,
                "accuracy, mean latency, error rate of both variants",
                str(case.net.reason),
            ),
            bars,
        )
    known = [term for term in case.terms if term.contribution.value is not None]
    largest = max(known, key=lambda term: abs(term.contribution.value or 0.0), default=None)
    title = (
        f"Most of it is {term_words(largest)}: {_rounded(largest.contribution, signed=True)}"
        if largest
        else "Nothing measured"
    )
    whole = case.net if case.net.value is not None else case.partial_total
    label = "net" if case.net.value is not None else "partial"
    total = PartBar(
        label,
        whole,
        case.net.interval if case.net.value is not None else None,
        "simulated" if found.is_simulated else "measured",
    )
    note = f"whisker: {_INTERVAL}" if any(bar.interval for bar in bars) else ""
    return PartsPanel(_head(found, title, subtitle, note), bars, total if whole.value is not None else None)


def _bar(found: Page, term: Term, substitute: Term | None) -> PartBar:
    saving = term.sign < 0 and (term.contribution.value or 0.0) > 0
    label = f"{term_words(term)} saved" if saving else term_words(term)
    if term.contribution.value is not None:
        return PartBar(
            label,
            term.contribution,
            term.contribution.interval,
            "simulated" if found.is_simulated else "measured",
        )
    if substitute is not None and substitute.contribution.value is not None:
        return PartBar(label, substitute.contribution, None, "simulated", f"SIMULATED: {term.value.reason}")
    return PartBar(label, term.contribution, None, "missing", "not measured")


def sensitivity_panel(found: Page, case: BusinessCase) -> SensitivityPanel:
    """Which input moves the net value most."""
    subtitle = "net value, USD a year, with one input at its 95 % limits"
    if not case.swings or case.net.value is None:
        reason = "no input has an interval or a range" if case.net.value is not None else str(case.net.reason)
        return SensitivityPanel(
            _nothing(
                "What decides is unknown",
                subtitle,
                "intervals of the inputs, ranges of the assumptions",
                reason,
            )
        )
    widest = case.swings[0]
    note = "measured: its interval; assumed: your range; a parameter without a range does not vary"
    return SensitivityPanel(
        _head(found, f"{widest.title.capitalize()} decides most", subtitle, note), case.swings, case.net.value
    )


def break_even_panel(found: Page, case: BusinessCase) -> BreakEvenPanel:
    """How large the improvement in accuracy must be, against how large it was measured."""
    subtitle = "net value, USD a year, over the improvement in accuracy, pt"
    improvement, needed = case.inputs.accuracy_improvement.difference, case.break_even_accuracy_improvement
    revenue = next((term for term in case.terms if term.effect == "accuracy_improvement"), None)
    if case.net.value is None or improvement.value is None or revenue is None:
        return BreakEvenPanel(
            _nothing(
                "Break-even unknown",
                subtitle,
                "all terms of the net value",
                str(case.net.reason or improvement.reason),
            )
        )
    rest = case.net.value - (revenue.contribution.value or 0.0)
    per_fraction = (
        365
        * case.assumption("BASE_TRADING_VOLUME").amount.point
        * case.assumption("ACCURACY_REVENUE_MULTIPLIER").amount.point
    )
    measured, shade = _in_points(improvement), _points_interval(improvement.interval)
    points = None if needed.value is None else 100 * needed.value
    note = (
        f"shaded: 95 % interval of the measured improvement, {improvement.reason or ''}".rstrip(", ")
        if shade
        else f"effect unknown: {improvement.reason}"
    )
    return BreakEvenPanel(
        _head(found, _break_even_title(points, case), subtitle, note),
        rest,
        per_fraction / 100,
        measured,
        shade,
        points,
    )


def _break_even_title(points: float | None, case: BusinessCase) -> str:
    """Where it breaks even, and whether it surely has: by the net value's 95 % interval, which also knows how
    unsure the other terms are.
    """
    if points is None:
        return "Accuracy does not decide the net value"
    needed = f"Breaks even at {format_number(points, 'points', signed=True)}"
    net = case.net.interval
    if net is None or net.low is None or net.high is None:
        return needed
    return f"{needed}: {'proven' if net.low > 0 else 'not reached' if net.high < 0 else 'not proven'}"


def _in_points(improvement: Measurement) -> Measurement:
    low_high = _points_interval(improvement.interval)
    return Measurement(
        "accuracy_difference",
        100 * (improvement.value or 0.0),
        "points",
        improvement.origin,
        improvement.variant,
        low_high,
        source=improvement.source,
        query=improvement.query,
        observed_at=improvement.observed_at,
        reason=improvement.reason,
        inputs=(improvement,),
        stale=improvement.stale,
    )


def _points_interval(interval: Interval | None) -> Interval | None:
    if interval is None:
        return None
    return Interval(*(None if end is None else 100 * end for end in (interval.low, interval.high)))


def payback_panel(found: Page, case: BusinessCase) -> PaybackPanel:
    """When the infrastructure's cost has come back."""
    subtitle = "cumulative value over 12 months, USD; infrastructure paid first"
    if not case.cash or case.net.value is None:
        return PaybackPanel(
            _nothing(
                "Payback unknown",
                subtitle,
                "net value and INFRASTRUCTURE_ANNUAL_COST",
                str(case.net.reason or case.payback.reason),
            )
        )
    title = (
        f"Paid back in {format_days(case.payback)}"
        if case.payback.value is not None
        else str(case.payback.reason).capitalize()
    )
    never = case.never_paid_back_probability
    words = (
        f"not paid back within a year in {chance_words(never)} of cases" if never.value is not None else ""
    )
    note = f"band: {_INTERVAL}" if case.cash[0].low_usd is not None else str(case.net.reason or "no interval")
    return PaybackPanel(_head(found, title, subtitle, note), case.cash, case.payback, words)


def format_days(payback: Measurement) -> str:
    """Days to payback in no more digits than its interval carries: `28 days`; below a day `< 1 day`."""
    if payback.value is None:
        return "–"
    step = interval_step(payback.interval.low, payback.interval.high) if payback.interval else None
    days = round_to_step(payback.value, max(1.0, step or 1.0))
    if days < 1:
        days = math.ceil(payback.value)
        return "less than a day" if payback.value < 1 else f"{days:g} days"
    return f"{days:,.0f} day{'s' if days != 1 else ''}"


def headline_words(case: BusinessCase) -> tuple[tuple[str, str, str], ...]:
    """The strip's large words: net value or what there is of it, ROI, payback, chance."""
    if case.net.value is None:
        first = (
            partial_words(case).capitalize(),
            format_money(case.partial_total.value, signed=True),
            f"a year; {default_words(case)}".rstrip("; "),
        )
        gone = " and ".join(term_words(term) for term in case.terms if term.value.value is None)
        return (
            first,
            ("ROI", "–", f"{gone} not measured"),
            ("Payback", "–", f"{gone} not measured"),
            ("Chance of net > 0", "–", "partial data"),
        )
    net, sure = case.net, case.net.interval
    beside = (
        f"95 %: {format_money_estimate(net.value or 0.0, sure.low, sure.high).partition(' (')[2].rstrip(')')}"
        if sure
        else "no interval"
    )
    return (
        ("Net value a year", format_net(case), "; ".join(filter(None, (beside, default_words(case))))),
        ("ROI", _roi(case.roi), _limits_words(case.roi, "percent")),
        ("Payback", format_days(case.payback), _limits_words(case.payback, "days")),
        (
            "Chance of net > 0",
            chance_words(case.probability_net_positive),
            "for one look" if case.probability_net_positive.value is not None else "no interval",
        ),
    )


def _roi(roi: Measurement) -> str:
    step = interval_step(roi.interval.low, roi.interval.high) if roi.interval else None
    return format_percent(None if roi.value is None else round_to_step(roi.value, step))


def _limits_words(measurement: Measurement, unit: str) -> str:
    if measurement.value is None:
        return str(measurement.reason)
    if measurement.interval is None:
        return "no interval"
    low, high = measurement.interval.low, measurement.interval.high
    step = interval_step(low, high)
    ends = [None if end is None else round_to_step(end, step) for end in (low, high)]
    return f"95 %: {format_interval(ends[0], ends[1], unit)}"
