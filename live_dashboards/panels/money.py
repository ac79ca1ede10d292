"""What the panels about the money have in common: heads, and how a case is said in words."""

from __future__ import annotations

import math

from live_dashboards.model.business_case import BusinessCase, BusinessReport, Term
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.moment import format_duration
from live_dashboards.model.number import (
    format_interval,
    format_money,
    format_money_estimate,
    format_money_rounded,
    format_percent,
    interval_step,
    round_to_step,
)
from live_dashboards.model.quality import Quality
from live_dashboards.model.report import Head

INTERVAL = "95 % interval, however often one looks"
_INPUT_LABELS = {
    "accuracy_improvement": "accuracy",
    "latency_increase_ms": "mean latency",
    "error_rate_improvement": "error rate",
    "requests_per_day": "requests a day",
}
_PLAIN = {
    "annual_revenue_increase": "revenue",
    "annual_cost_increase": "cost",
    "annual_risk_reduction": "risk",
}


def input_label(name: str, quality: Quality) -> str:
    """What a measured input is called: a value that stands in the place of the accuracy by its own name."""
    if name == "accuracy_improvement" and not quality.is_share:
        return quality.metric().title
    return _INPUT_LABELS[name]


def sentence(words: str, quality: Quality) -> str:
    """Beginning with a capital, but where it begins with the name of a value, which keeps its letters."""
    is_named = not quality.is_share and words.startswith(quality.metric().title)
    return words if is_named else words[:1].upper() + words[1:]


def head(report: BusinessReport, title: str, subtitle: str, note: str = "") -> Head:
    """Of a panel that has something to draw."""
    return Head(title, subtitle, report.origin, note=note)


def nothing(title: str, subtitle: str, asked: str, reason: object) -> Head:
    """Of a panel that has nothing to draw."""
    return Head(title, subtitle, Origin.MISSING, asked=asked, reason=str(reason))


def window_words(seconds: float) -> str:
    """The window as people say it, hours up to two days: `24h`, `7d`."""
    hours = seconds / 3600
    return f"{hours:g}h" if hours == int(hours) and hours <= 48 else format_duration(seconds)


def term_words(term: Term) -> str:
    """A term as one word: revenue, cost, risk."""
    return _PLAIN.get(term.name, term.words)


def partial_words(case: BusinessCase) -> str:
    """`revenue only`, or what is left of several."""
    names = [term_words(term) for term in case.terms if term.name in case.partial_terms]
    return f"{' and '.join(names)} only" if names else "nothing measured"


def missing_words(case: BusinessCase) -> str:
    """The terms that are not measured."""
    return " and ".join(term_words(term) for term in case.terms if term.value.value is None)


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


def rounded_money(amount: Measurement, *, signed: bool = False) -> str:
    """The amount in no more digits than its 95 % interval carries."""
    low, high = (amount.interval.low, amount.interval.high) if amount.interval else (None, None)
    return format_money_rounded(amount.value, low, high, signed=signed)


def format_days(payback: Measurement) -> str:
    """Days to payback in no more digits than its interval carries: `28 days`; below a day `< 1 day`."""
    if payback.value is None:
        return "–"
    step = interval_step(payback.interval.low, payback.interval.high) if payback.interval else None
    days = round_to_step(payback.value, max(1.0, step or 1.0))
    if days < 1:
        return "less than a day" if payback.value < 1 else f"{math.ceil(payback.value)} days"
    return f"{days:,.0f} day{'s' if days != 1 else ''}"


def headline_words(case: BusinessCase) -> tuple[tuple[str, str, str], ...]:
    """The strip's large words: net value or what there is of it, ROI, payback, chance."""
    net, sure = case.net, case.net.interval
    if net.value is None:
        gone = f"{missing_words(case)} not measured"
        return (
            (
                partial_words(case).capitalize(),
                format_money(case.partial_total.value, signed=True),
                f"a year; {default_words(case)}".rstrip("; "),
            ),
            ("ROI", "–", gone),
            ("Payback", "–", gone),
            ("Chance of net > 0", "–", "partial data"),
        )
    beside = "no interval"
    if sure:
        beside = (
            f"95 %: {format_money_estimate(net.value, sure.low, sure.high).partition(' (')[2].rstrip(')')}"
        )
    chance = case.probability_net_positive
    return (
        ("Net value a year", rounded_money(net), "; ".join(filter(None, (beside, default_words(case))))),
        ("ROI", _roi(case.roi), _limits_words(case.roi, "percent")),
        ("Payback", format_days(case.payback), _limits_words(case.payback, "days")),
        (
            "Chance of net > 0",
            chance_words(chance),
            "for one look" if chance.value is not None else "no interval",
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
