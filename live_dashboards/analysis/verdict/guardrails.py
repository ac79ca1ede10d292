"""What is guarded of every challenger, judged by the very intervals that the effect panel shows, and what
holds at every end of open counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from live_dashboards.analysis.facts.ends import around_rows, widest, without_interval
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.facts.period import period_of
from live_dashboards.analysis.verdict.effect import ComparedRates
from live_dashboards.analysis.verdict.latency import UNMEASURED, latency_of, unmeasured_words
from live_dashboards.model.guarded import Guarded
from live_dashboards.model.judgement import (
    HARM,
    NO_VERDICT,
    NOT_SHOWN,
    SHOWN,
    UNKNOWN,
    WAIVED,
    Guardrail,
    MetricDifference,
    SplitTest,
    Verdict,
)
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.metrics import OVER_OBJECTIVE
from live_dashboards.model.notices import TELL_STARTS, WHY, at_least_words
from live_dashboards.model.number import format_estimate, format_interval, unit_suffix

Judged = tuple[tuple[Guardrail, ...], Verdict]


def guardrails(page: PageFacts, rows: tuple[ComparedRates, ...]) -> tuple[Guardrail, ...]:
    """What is guarded of every challenger, judged by the very intervals that the effect panel shows."""
    every = (*page.settings.guarded, page.settings.mean_guarded)
    guarded = {each.metric: each for each in every}
    return tuple(
        _guardrail(page, guarded[each.row.metric], each.row) for each in rows if each.row.metric in guarded
    )


def outcome(harm_low: float | None, high: float | None, margin: float) -> str:
    """`shown` where the upper limit is below the margin, even if the lower one is above 0; else `harm` where
    the lower one is; else `not_shown`.

    Harm has a limit of its own, which finds it early: missing one costs more than a false alarm. None is one
    that cannot be told yet. All three are in one unit.
    """
    if high is None:
        return UNKNOWN
    return SHOWN if high < margin else HARM if harm_low is not None and harm_low > 0 else NOT_SHOWN


def _guardrail(page: PageFacts, guarded: Guarded, row: MetricDifference) -> Guardrail:
    margin = guarded.margin
    is_unknown = row.metric == OVER_OBJECTIVE and row.estimate is None
    if is_unknown and latency_of(page, row.treatment) == UNMEASURED:
        return _unmeasured(page, guarded, row)
    is_known = row.has_interval and row.estimate is not None
    words = (
        f"{_estimate_words(row, margin)}, margin {_margin_words(row, margin)}{_edge_words(page, row)}"
        if is_known
        else row.reason or "not measured"
    )
    return Guardrail(guarded.name, guarded.label, _outcome(row, margin), margin, row, words)


def _unmeasured(page: PageFacts, guarded: Guarded, row: MetricDifference) -> Guardrail:
    """The latency where an arm has no response times: it blocks SHIP unless AB_WAIVE says otherwise."""
    found = WAIVED if guarded.name in page.settings.waived else UNKNOWN
    words = unmeasured_words(page, row.treatment)
    return Guardrail(guarded.name, guarded.label, found, guarded.margin, row, words, is_measured=False)


def _margin_words(row: MetricDifference, margin: float) -> str:
    """Points are said without their unit, as that stands beside them."""
    return f"{margin:g}" if row.what.is_share else f"{margin:g}{unit_suffix(row.unit)}"


def _outcome(row: MetricDifference, margin: float) -> str:
    return outcome(row.harm_low if row.sequential else row.low, row.high, margin)


def _estimate_words(row: MetricDifference, margin: float) -> str:
    """The difference with its limits; with those for harm where they decide, and say something else than the
    others.
    """
    decides = (
        _outcome(row, margin) != SHOWN
        and row.low is not None
        and row.harm_low is not None
        and (row.low > 0) != (row.harm_low > 0)
    )
    low, high = (row.harm_low, row.harm_high) if decides else (row.low, row.high)
    words = format_estimate(row.estimate or 0.0, low, high, row.unit, signed=True)
    return f"{words}, limits for harm" if decides else words


def _edge_words(page: PageFacts, row: MetricDifference) -> str:
    """Which bucket edge is judged where the objective is none."""
    counted = period_of(page, row.treatment)[1]
    objective_ms = float(page.settings["AB_LATENCY_OBJECTIVE_MS"])
    if (
        row.metric != OVER_OBJECTIVE
        or counted is None
        or counted.edge_seconds is None
        or math.isclose(counted.edge_seconds * 1000, objective_ms)
    ):
        return ""
    if counted.far_edge_seconds is not None:
        low, high = sorted((counted.edge_seconds, counted.far_edge_seconds))
        return (
            f"; {objective_ms:g} ms lies in the bucket from {low * 1000:.3g} to {high * 1000:.3g} ms, "
            "whose ends are both judged"
        )
    return f"; {objective_ms:g} ms is no bucket edge, so {counted.edge_seconds * 1000:g} ms is judged"


def other_pages(page: PageFacts) -> tuple[PageFacts, ...]:
    """The page at the other ends of its counts; none where all are known."""
    return tuple(replace(page, counted=facts) for facts in page.counted.other_ends)


def standing(
    page: PageFacts, judge: Callable[[PageFacts], Judged], rows: tuple[ComparedRates, ...]
) -> Judged:
    """The guardrails and the verdict of the lower ends, each as unknown where it is another one at another
    end of what may have been counted.

    A guardrail has the comparison of `rows`, with the limits that hold at every end, and words that then name
    both; a verdict becomes NO VERDICT, which names what it would be.
    """
    guards, verdict = judge(page)
    others = [judge(each) for each in other_pages(page)]
    wide = {(each.name, each.comparison.treatment): each for each in guardrails(page, rows)}
    stood = tuple(
        _widest_guardrail(guard, wide[_key(guard)], [each[0] for each in others]) for guard in guards
    )
    different = sorted({each.verdict for _, each in others} - {verdict.verdict})
    if not different:
        return stood, verdict
    reasons = (
        f"{verdict.verdict} at the least that was counted, {' or '.join(different)} at the most",
        *_words(page),
    )
    return stood, Verdict(NO_VERDICT, "1: the data allow none", reasons, (TELL_STARTS,))


def _key(guard: Guardrail) -> tuple[str, str]:
    return guard.name, guard.comparison.treatment


def _widest_guardrail(guard: Guardrail, wide: Guardrail, others: list[tuple[Guardrail, ...]]) -> Guardrail:
    same = [each for guards in others for each in guards if _key(each) == _key(guard)]
    different = next((each for each in same if each.outcome != guard.outcome), None)
    if different is None:
        return replace(guard, comparison=wide.comparison, words=wide.words)
    words = f"{guard.words} at the least that was counted; {different.words} at the most"
    return replace(guard, comparison=wide.comparison, outcome=UNKNOWN, words=words)


def _words(page: PageFacts) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            text
            for counted in page.counted.prometheus.accumulated
            for answer in counted.totals
            for text in at_least_words(answer)
        )
    )


def widest_split(found: SplitTest, others: Sequence[SplitTest]) -> SplitTest:
    """The split test with shares in limits that hold at every end; not judged where it would be another one
    at one of them.
    """
    by_variant = [{share.variant: share for share in each.observed} for each in others]
    observed = tuple(
        _widest_share(share, [named[share.variant] for named in by_variant if share.variant in named])
        for share in found.observed
    )
    flags = sorted({str(each.flag) for each in others} - {str(found.flag)})
    if not flags or found.flag is None:
        return replace(found, observed=observed)
    return replace(
        found,
        observed=observed,
        flag=None,
        p_value=None,
        reason=f"{found.flag} at the least that was counted, {' or '.join(flags)} at the most, {WHY}",
    )


def _widest_share(share: Measurement, others: Sequence[Measurement]) -> Measurement:
    values = [each.value for each in (share, *others) if each.value is not None]
    if len(set(values)) < 2:
        return share
    between = format_interval(min(values), max(values), share.unit).replace(" to ", " and ")
    return replace(
        widest(share, others), reason="; ".join(filter(None, (share.reason, f"between {between}, {WHY}")))
    )


def widest_rows(
    rows: Sequence[ComparedRates], others: Sequence[Sequence[ComparedRates]]
) -> tuple[ComparedRates, ...]:
    """The comparisons with the limits that hold at every end; without limits where they have none at one."""
    by_row = [{(each.row.metric, each.row.treatment): each for each in several} for several in others]
    return tuple(
        _widest_row(
            each, [named[key] for named in by_row if (key := (each.row.metric, each.row.treatment)) in named]
        )
        for each in rows
    )


def _widest_row(found: ComparedRates, others: Sequence[ComparedRates]) -> ComparedRates:
    row = found.row
    if all(
        (other.row.estimate, other.row.low, other.row.high) == (row.estimate, row.low, row.high)
        for other in others
    ):
        return found
    inputs = tuple(
        widest(side, [other.inputs[index] for other in others]) for index, side in enumerate(found.inputs)
    )
    wide = around_rows(row, [other.row for other in others])
    if wide is None:
        return ComparedRates(
            without_interval(row, f"no interval at one of the ends, {WHY}"), (inputs[0], inputs[1])
        )
    return ComparedRates(
        replace(wide, method=f"{row.method}; the widest of all that may have been counted"),
        (inputs[0], inputs[1]),
    )
