"""How much of the evidence is of the models that serve now, where one of a pair's two was replaced during the
test; what separates them, and how long it takes to have more of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from live_dashboards.analysis.facts.arms import arm
from live_dashboards.analysis.facts.model_changes import pair_changes
from live_dashboards.analysis.facts.page import SOURCE_TITLES, PageFacts
from live_dashboards.analysis.facts.period import block_begin, period_of
from live_dashboards.analysis.verdict.blocks import shared_blocks
from live_dashboards.analysis.verdict.effect import margins
from live_dashboards.model.judgement import ModelChange
from live_dashboards.model.metrics import ERROR_RATE, ONLINE_ACCURACY
from live_dashboards.model.number import format_percent, ordinal
from live_dashboards.model.snapshot import Accumulated

_LEAST_SHARE = 0.5  # of the evidence for SHIP
_LONGEST_DAYS = 180.0
_SAME_MOMENT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class PresentModel:
    """The changes of a pair's models, the part of the evidence (0 to 1) after the last of them, and when it
    will be half at the rate since then; None of what cannot be told.
    """

    changes: tuple[ModelChange, ...]
    share: float | None = None
    half_at: datetime | None = None

    @property
    def is_enough(self) -> bool:
        """Whether half of the evidence or more is of the models that serve now."""
        return self.share is not None and self.share >= _LEAST_SHARE

    @property
    def start_words(self) -> str:
        """The setting with which the test begins with the last change, to the minute after it."""
        after = self.changes[-1].at + timedelta(minutes=1) - timedelta(microseconds=1)
        return f"AB_START={after:%Y-%m-%dT%H:%MZ}"


def present_model(page: PageFacts) -> PresentModel | None:
    """Of the page's challenger and its baseline, by that of what decides and accumulates of which the least
    is of the present models; None where no model changed.

    Blocks have the weights of the comparison, n1 n2 / (n1 + n2); one in which a model changes is of the one
    before.
    """
    changes, counted = pair_changes(page), period_of(page, page.roles.challenger)[1]
    if not changes:
        return None
    since, metrics = changes[-1].at.timestamp(), _metrics(page) if counted is not None else ()
    weighed = [_weighed(page, counted, metric, since) for metric in metrics if counted is not None]
    known = [(new / (old + new), old, new, seconds) for old, new, seconds in weighed if old + new > 0]
    if not known:
        return PresentModel(changes)
    share, old, new, seconds = min(known)
    return PresentModel(changes, share, _half_at(page.at, old - new, new / seconds if seconds > 0 else 0.0))


def _metrics(page: PageFacts) -> tuple[str, ...]:
    """What decides and accumulates: a test set is the newest model's own."""
    counter = page.settings["AB_ONLINE_CORRECT_METRIC"]
    is_online = page.settings["AB_SUCCESS_METRIC"] != ERROR_RATE and counter is not None
    return (*margins(page), *([ONLINE_ACCURACY] if is_online else []))


def _weighed(
    page: PageFacts, counted: Accumulated, metric: str, since_seconds: float
) -> tuple[float, float, float]:
    """The information of the blocks before a moment, of those from then on, and how many seconds the latter
    take.
    """
    arms = (arm(page, counted, name, metric).blocks for name in reversed(page.roles.pair))
    blocks, step = shared_blocks(*arms), counted.block("requests").step_seconds
    begins = [block_begin(group[0], step, counted.start_seconds) for group in blocks.groups]
    weights = [
        ours.n * theirs.n / (ours.n + theirs.n)
        for ours, theirs in zip(blocks.treatment, blocks.control, strict=True)
    ]
    first = sum(begin < since_seconds - _SAME_MOMENT_SECONDS for begin in begins)
    seconds = blocks.ends[-1] - begins[first] if first < len(begins) else 0.0
    return math.fsum(weights[:first]), math.fsum(weights[first:]), seconds


def _half_at(at: datetime, lacking: float, per_second: float) -> datetime | None:
    if per_second <= 0 or lacking / per_second > _LONGEST_DAYS * 86_400:
        return None
    return at + timedelta(seconds=max(0.0, lacking / per_second))


def lacking_words(found: PresentModel) -> str:
    """Why the evidence allows no SHIP."""
    newer = _newer_words(found.changes)
    if found.share is None:
        return f"how much of the evidence is of {newer} is not known"
    return f"only {format_percent(100 * found.share)} of the evidence is of {newer}"


def separating_words(found: PresentModel) -> tuple[str, ...]:
    """What would change that: another start of the test, or waiting, where its end can be told."""
    waiting = (
        (f"waiting until {_moment(found.half_at)}, when half of it is at the present rate",)
        if found.half_at is not None
        else ()
    )
    return (f"{found.start_words}, chosen after looking, which leaves out what was before", *waiting)


def model_words(page: PageFacts) -> Iterator[str]:
    """A sentence a challenger whose own model changed; that of the page's challenger tells the baseline's,
    too.
    """
    for name in page.roles.names[1:]:
        found = present_model(replace(page, roles=replace(page.roles, challenger=name)))
        if found is not None and (
            name == page.roles.challenger or any(each.variant == name for each in found.changes)
        ):
            after = (
                f"; {format_percent(100 * found.share)} of the evidence on {name} is after that"
                if found.share is not None
                else ""
            )
            yield f"{found.start_words}, chosen after looking, separates {_newer_words(found.changes)}{after}"


def change_marks(changes: Iterable[ModelChange]) -> tuple[tuple[datetime, str], ...]:
    """What stands over a time axis at the changes, one at a moment and variant."""
    return tuple(dict.fromkeys((each.at, each.label) for each in changes))


def _newer_words(changes: Sequence[ModelChange]) -> str:
    """The newest change of each variant, and which one it is."""
    last = {each.variant: each for each in changes}
    told = (f"{name} ({_change_words(each, changes)})" for name, each in last.items())
    return f"the newer model{'s' if len(last) > 1 else ''} of {' and '.join(told)}"


def _change_words(last: ModelChange, changes: Sequence[ModelChange]) -> str:
    times = sum(each.variant == last.variant for each in changes)
    which = f", the {ordinal(times)} change" if times > 1 else ""
    return f"{last.what}, {SOURCE_TITLES[last.source]}, {_moment(last.at)}{which}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%-d %b %H:%M} UTC"
