"""A report in a few lines, for the cell of a notebook: the badge, what it says, and a small table of the
numbers behind it.
"""

from __future__ import annotations

from live_dashboards.model.business_report import BusinessReport
from live_dashboards.model.card import Card
from live_dashboards.model.dashboards import Report
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.moment import format_second, format_window
from live_dashboards.model.number import NOTHING, format_estimate, format_number
from live_dashboards.model.presentation import count_words, state_words
from live_dashboards.model.report import AbReport, VariantFacts


def ab_card(report: AbReport) -> Card:
    """Verdict and what to do, and requests, accuracy, error rate and p95 of each variant."""
    answer = report.answer
    return Card(
        (_badge(report), f"{answer.verdict}: {answer.sentence}", answer.do_now, _about(report)),
        ("variant", "requests", "accuracy", "error rate", "p95"),
        tuple(map(_variant, report.variants)),
        ("requests", "accuracy", "error rate", "p95"),
        "95 % intervals in parentheses, of p95 the bucket that holds it; to_pandas() has all numbers",
    )


def business_card(report: BusinessReport) -> Card:
    """The recommendation, and net value, ROI, payback and chance."""
    advice = report.recommendation
    said = f"{advice.verdict}: {'; '.join(advice.reasons)}" if advice.reasons else advice.verdict
    return Card(
        (_badge(report), f"recommendation: {said}", _about(report)),
        ("challenger against baseline", "value", ""),
        report.headline_words,
        ("value",),
        "the amounts and what was measured: case.assumptions, case.inputs; to_pandas() has all numbers",
    )


def _badge(report: Report) -> str:
    return f"{report.badge.kind.value}: {report.badge.second_line}"


def _about(report: Report) -> str:
    """Which test, over which time."""
    whom = f"{report.challenger} against {report.baseline}" if report.challenger else f"{report.baseline}"
    where = f", experiment {report.experiment}" if report.experiment else ""
    return f"{format_window(report.window_seconds)} up to {format_second(report.at)}: {whom}{where}"


def _variant(facts: VariantFacts) -> tuple[str, ...]:
    counted = f"{count_words(facts.requests)}{state_words(facts.requests)}"
    return (facts.variant, counted, *map(_estimate, (facts.accuracy, facts.error_rate, facts.p95_latency_ms)))


def _estimate(found: Measurement) -> str:
    """The value with its interval where it has one."""
    if found.value is None:
        return NOTHING
    limits = found.interval
    words = (
        format_number(found.value, found.unit)
        if limits is None
        else format_estimate(found.value, limits.low, limits.high, found.unit)
    )
    return f"{words}{state_words(found)}"
