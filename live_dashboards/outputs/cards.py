"""A run or a report in few words: one line on stderr, a card in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from live_dashboards.model.business_report import BusinessReport
from live_dashboards.model.card import Card
from live_dashboards.model.dashboards import Report, dashboard_name
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.moment import format_second, format_window
from live_dashboards.model.number import NOTHING, format_estimate, format_number
from live_dashboards.model.presentation import count_words, state_words
from live_dashboards.model.report import AbReport, VariantFacts
from live_dashboards.model.snapshot import SourceState, SourceStatus

_NOTHING_NEW = {
    SourceState.FAILED: "failed",
    SourceState.CACHED: "failed, shown as it last was",
    SourceState.NO_AB_DATA: "has no A/B data",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A picture and its page."""

    image: Path
    report: Report
    is_enough: bool


def run_line(written: Sequence[Written], seconds: float, *, required: str) -> tuple[str, bool]:
    """The line, and whether something is wrong."""
    pictures = "; ".join(f"{each.image}: {_state(each.report)}" for each in written)
    wrong = tuple(dict.fromkeys(word for each in written for word in wrong_with(each, required)))
    return f"{pictures}; {seconds:.1f} s" + (f"; wrong: {', '.join(wrong)}" if wrong else ""), bool(wrong)


def wrong_with(each: Written, required: str) -> Iterator[str]:
    """What somebody should look at: a source that was asked and gave nothing new, stale values, less than was
    required. Not that a source is not set up or not asked.
    """
    report = each.report
    yield from (_failure(status) for status in report.sources if status.state in _NOTHING_NEW)
    yield from (f"questions to {status.source} failed" for status in report.sources if status.failures)
    yield from (f"{status.source} answered only in part" for status in report.sources if status.is_partial)
    yield from (
        f"{status.source} counts requests more than once" for status in report.sources if status.counted_twice
    )
    if report.has_stale:
        yield "stale values"
    if not each.is_enough:
        yield f"{report.badge.kind.value}, but --require {required} asks for more"


def conclusion(report: Report) -> str:
    """The A/B verdict, or the business recommendation."""
    return report.verdict.verdict if isinstance(report, AbReport) else report.recommendation.verdict


def _state(report: Report) -> str:
    of = f" of {report.experiment!r}" if report.experiment else ""
    badge = report.badge
    return (
        f"{dashboard_name(report)}{of}, {badge.kind.value}, {badge.values_live} of {badge.values_total} "
        f"values live, {conclusion(report)}"
    )


def _failure(status: SourceStatus) -> str:
    return f"{status.source} {_NOTHING_NEW[status.state]}"


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
        "the amounts and what was measured: report.ledger, report.inputs; to_pandas() has all numbers",
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
