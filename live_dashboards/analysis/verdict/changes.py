"""What changed during the test, so that the evidence before and after may be of two things."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from live_dashboards.analysis.facts.arms import request_blocks
from live_dashboards.analysis.facts.model_changes import model_changes
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.facts.period import period_of
from live_dashboards.analysis.verdict.split import ShareChange, share_changes
from live_dashboards.model.evidence import DatedChange
from live_dashboards.model.number import format_percent
from live_dashboards.model.snapshot import Accumulated

# of the log of the odds, as from 50 to 56 % or from 1 to 1.3 %: users who stay with their variant vary a
# share by less
_MATTERS = 0.25
_SMALLEST_SHARE = 1e-6


class SplitStep(NamedTuple):
    """A moment (unix seconds) from which on a challenger has another share of the requests of both arms, as
    fractions.
    """

    at_seconds: float
    before: float
    after: float


def changes(page: PageFacts) -> tuple[DatedChange, ...]:
    """Everything that is known to have changed, in the order of time."""
    return tuple(
        sorted((*_splits(page), *_left_out(page), *_models(page), *_restarts(page)), key=lambda each: each.at)
    )


def _splits(page: PageFacts) -> Iterator[DatedChange]:
    for name in page.roles.names:
        counted = period_of(page, name)[1] if name != page.roles.baseline else None
        for step in split_steps(page, counted, name) if counted is not None else ():
            label = f"{name} {format_percent(100 * step.after, 2)}"
            yield DatedChange(datetime.fromtimestamp(step.at_seconds, UTC), label, "split", name)


def _left_out(page: PageFacts) -> Iterator[DatedChange]:
    for each in period_of(page, page.roles.challenger)[0].excluded:
        yield DatedChange(each.begin, "left out", "excluded")


def _models(page: PageFacts) -> Iterator[DatedChange]:
    for each in model_changes(page):
        yield DatedChange(each.at, each.label, "model", each.variant)


def _restarts(page: PageFacts) -> Iterator[DatedChange]:
    """The moments since the start of a test at which instances started anew, once a variant and block."""
    starts = [
        period.start for name in page.roles.names if (period := period_of(page, name)[0]).start is not None
    ]
    found = {
        (end, page.roles.by_model.get(series.label("model_name")))
        for series in page.counted.prometheus.restarts.series
        for end, count in series.points
        if count
    }
    for end, variant in found:
        at = datetime.fromtimestamp(end, UTC)
        if variant is not None and starts and at > min(starts):
            yield DatedChange(at, f"{variant} restarts", "restart", variant)


def split_steps(page: PageFacts, counted: Accumulated, challenger: str) -> tuple[SplitStep, ...]:
    """The steps of a challenger's share that are larger than what users who stay with their variant make of
    it; one within a block, which has a share of its own then, is one step.
    """
    ours, theirs = (request_blocks(page, counted, name) for name in (challenger, page.roles.baseline))
    ends = [
        end for end in sorted({*ours, *theirs}) if round(ours.get(end, 0.0)) + round(theirs.get(end, 0.0)) > 0
    ]
    blocks = [
        (round(ours.get(end, 0.0)), round(ours.get(end, 0.0)) + round(theirs.get(end, 0.0))) for end in ends
    ]
    begins = [counted.start_seconds, *ends]
    return tuple(
        SplitStep(begins[first.block], first.before, last.after)
        for first, last in _whole_steps(share_changes(blocks))
        if abs(_log_odds(last.after) - _log_odds(first.before)) >= _MATTERS
    )


def _whole_steps(found: Sequence[ShareChange]) -> Iterator[tuple[ShareChange, ShareChange]]:
    """The first and the last of changes in neighbouring blocks, of which two make one step."""
    index = 0
    while index < len(found):
        is_double = index + 1 < len(found) and found[index + 1].block == found[index].block + 1
        yield found[index], found[index + is_double]
        index += 1 + is_double


def _log_odds(share: float) -> float:
    inner = min(max(share, _SMALLEST_SHARE), 1 - _SMALLEST_SHARE)
    return math.log(inner / (1 - inner))
