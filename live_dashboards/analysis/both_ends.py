"""Counts that are known only to lie between two ends: what is concluded stands where it is the same at all of
them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from live_dashboards.analysis.decision import NO_VERDICT
from live_dashboards.analysis.effect import Compared
from live_dashboards.analysis.facts.ends import around_rows, widest, without_interval
from live_dashboards.analysis.facts.page import Page
from live_dashboards.analysis.guardrails import guardrails
from live_dashboards.model.judgement import UNKNOWN, Guardrail, SplitTest, Verdict
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.notices import TELL_STARTS, WHY, at_least_words
from live_dashboards.model.number import format_interval

Judged = tuple[tuple[Guardrail, ...], Verdict]


def other_pages(page: Page) -> tuple[Page, ...]:
    """The page at the other ends of its counts; none where all are known."""
    return tuple(replace(page, counted=facts) for facts in page.counted.other_ends)


def standing(page: Page, judge: Callable[[Page], Judged], rows: tuple[Compared, ...]) -> Judged:
    """The guardrails and the verdict of the lower ends, each as unknown where it is another one at another
    end of what may have been counted.

    A guardrail has the comparison of `rows`, with the limits that hold at every end, and words that then name
    both; a verdict becomes NO VERDICT, which names what it would be.
    """
    guards, verdict = judge(page)
    others = [judge(each) for each in other_pages(page)]
    wide = {(each.name, each.comparison.treatment): each for each in guardrails(page, rows)}
    stood = tuple(_guardrail(guard, wide[_key(guard)], [each[0] for each in others]) for guard in guards)
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


def _guardrail(guard: Guardrail, wide: Guardrail, others: list[tuple[Guardrail, ...]]) -> Guardrail:
    same = [each for guards in others for each in guards if _key(each) == _key(guard)]
    different = next((each for each in same if each.outcome != guard.outcome), None)
    if different is None:
        return replace(guard, comparison=wide.comparison, words=wide.words)
    words = f"{guard.words} at the least that was counted; {different.words} at the most"
    return replace(guard, comparison=wide.comparison, outcome=UNKNOWN, words=words)


def _words(page: Page) -> tuple[str, ...]:
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


def widest_rows(rows: Sequence[Compared], others: Sequence[Sequence[Compared]]) -> tuple[Compared, ...]:
    """The comparisons with the limits that hold at every end; without limits where they have none at one."""
    by_row = [{(each.row.metric, each.row.treatment): each for each in several} for several in others]
    return tuple(
        _widest_row(
            each, [named[key] for named in by_row if (key := (each.row.metric, each.row.treatment)) in named]
        )
        for each in rows
    )


def _widest_row(found: Compared, others: Sequence[Compared]) -> Compared:
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
        return Compared(
            without_interval(row, f"no interval at one of the ends, {WHY}"), (inputs[0], inputs[1])
        )
    return Compared(
        replace(wide, method=f"{row.method}; the widest of all that may have been counted"),
        (inputs[0], inputs[1]),
    )
