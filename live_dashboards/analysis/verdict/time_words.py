"""What a page tells of the time within which arms are compared: when the traffic split changed, and where
that would have turned the answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from live_dashboards.analysis.facts.arms import request_blocks
from live_dashboards.analysis.facts.page import Page
from live_dashboards.analysis.facts.period import period_of
from live_dashboards.analysis.verdict.decision import carried_words
from live_dashboards.analysis.verdict.effect import Compared
from live_dashboards.analysis.verdict.split import share_changes
from live_dashboards.model.judgement import Comparison, Period
from live_dashboards.model.metrics import metric_of
from live_dashboards.model.number import format_percent, format_signed
from live_dashboards.model.snapshot import Accumulated

# of the log of the odds, as from 50 to 56 % or from 1 to 1.3 %: users who stay with their variant vary a
# share by less
_MATTERS = 0.25
_MOST_NAMED, _SMALLEST_SHARE = 4, 1e-6
_ASTRAY = 0.25  # of half the interval: rates that differ by less than that disagree in nothing but noise


def time_words(page: Page, rows: Sequence[Compared]) -> tuple[str, ...]:
    """What is left out; where the rates of all requests say another thing than those within blocks of time,
    then the moments at which the challenger's share changed.
    """
    period, counted = period_of(page, page.roles.challenger)
    if counted is None or page.roles.challenger is None or period.start is None:
        return ()
    astray = (_astray_words(each.row) for each in rows if each.row.sequential and is_astray(each.row))
    excluded = page.settings["AB_EXCLUDE"] or ()
    carried = (
        f"{metric_of(row.metric).words} of {row.treatment}: {text}"
        for row in (each.row for each in rows)
        for text in carried_words(row, excluded)
    )
    descriptive = (
        f"{metric_of(row.metric).words} of {row.treatment} decides nothing: {row.descriptive}"
        for row in (each.row for each in rows)
        if row.descriptive
    )
    return (
        *_excluded_words(period),
        *astray,
        *carried,
        *descriptive,
        *_split_words(page, counted, page.roles.challenger),
    )


def _excluded_words(period: Period) -> Iterator[str]:
    """The stretches that are left out, each with its share of the requests since the start; of one that holds
    nothing, that it does.
    """
    parts = [
        f"{_moment(each.begin.timestamp())} to {_moment(each.end.timestamp())} "
        f"({format_percent(each.share_percent) if each.share_percent else 'nothing of this test'})"
        for each in period.excluded
    ]
    if parts:
        yield f"left out of all arms by AB_EXCLUDE, of the requests since the start: {', '.join(parts)}"


def is_astray(row: Comparison) -> bool:
    """Whether the difference over all requests leaves the interval of that within blocks, or has another sign
    and is far from it.
    """
    if row.pooled is None or row.estimate is None or row.low is None or row.high is None:
        return False
    off = abs(row.pooled - row.estimate)
    return not row.low <= row.pooled <= row.high or (
        row.pooled * row.estimate < 0 and off > _ASTRAY * (row.high - row.low) / 2
    )


def _astray_words(row: Comparison) -> str:
    pooled, within = (format_signed(value or 0.0, "points") for value in (row.pooled, row.estimate))
    which = f"{within} at the same time, which counts; {pooled} over all requests"
    return (
        f"{metric_of(row.metric).words} of {row.treatment}: {which}, as the arms' traffic changed while "
        "the rate moved"
    )


def _split_words(page: Page, counted: Accumulated, challenger: str) -> Iterator[str]:
    ours, theirs = (request_blocks(page, counted, name) for name in (challenger, page.roles.baseline))
    ends = [
        end for end in sorted({*ours, *theirs}) if round(ours.get(end, 0.0)) + round(theirs.get(end, 0.0)) > 0
    ]
    blocks = [
        (round(ours.get(end, 0.0)), round(ours.get(end, 0.0)) + round(theirs.get(end, 0.0))) for end in ends
    ]
    changes = [
        change
        for change in share_changes(blocks)
        if abs(_log_odds(change.after) - _log_odds(change.before)) >= _MATTERS
    ]
    if not changes:
        return
    begins = [counted.start_seconds, *ends]
    steps = [
        f"{format_percent(100 * change.after)} from {_moment(begins[change.block])}"
        for change in changes[:_MOST_NAMED]
    ]
    more = f" and {len(changes) - _MOST_NAMED} more changes" if len(changes) > _MOST_NAMED else ""
    yield (
        f"the split changed: {challenger} had {format_percent(100 * changes[0].before)} of the pair's "
        f"requests, {', '.join(steps)}{more}"
    )


def _log_odds(share: float) -> float:
    inner = min(max(share, _SMALLEST_SHARE), 1 - _SMALLEST_SHARE)
    return math.log(inner / (1 - inner))


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%-d %b %H:%M} UTC"
