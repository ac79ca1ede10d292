"""Whether series that differ in one label are copies of one scrape: by the moments of their samples, and by
values that only one process can have.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.copy_candidates import LabelSet, without

# by which a sample's time may differ from the moment of its value: slow scrapes, and clocks of two servers
_SLACK_SECONDS = 2.0
FAR_SLACK_SECONDS = 10.0  # the same of clocks that are wrong
_SAME = 1e-9  # relative; a float that went through another store's text
# what a process tells of when it began is exact, and the next one may have begun soon after
_SAME_MOMENT_SECONDS = 0.001

Point = tuple[float, float]


class Likeness(StrEnum):
    """What two series say of each other."""

    IN_TURN = "one after the other"
    TOO_FEW = "too few samples"
    ALIKE = "alike"
    NEARLY = "alike but for some seconds"
    DIFFERENT = "different"
    ONE_SCRAPE = "one scrape"


_WORST_FIRST = (
    Likeness.ONE_SCRAPE,
    Likeness.DIFFERENT,
    Likeness.NEARLY,
    Likeness.ALIKE,
    Likeness.TOO_FEW,
    Likeness.IN_TURN,
)


@dataclass(frozen=True, slots=True)
class Compared:
    """A group of series that are equal but for the candidate's labels: the labels they share, what was found,
    the ends in unix seconds, and the newest value.
    """

    shared: LabelSet
    likeness: Likeness
    until_seconds: float
    spacing_seconds: float
    largest: float


def compare_groups(
    series: Iterable[Timeline], labels: Sequence[str], *, are_moments: bool = False
) -> tuple[Compared, ...]:
    """Each group of two and more series that differ in these labels alone, in each of which there are
    samples; `are_moments`: their values are unix seconds.
    """
    groups: dict[LabelSet, list[list[Point]]] = defaultdict(list)
    for each in series:
        points = [(seconds, value) for seconds, value in each.points if value is not None]
        if points:
            groups[without(each.labels, labels)].append(points)
    return tuple(
        _compare(shared, members, are_moments=are_moments)
        for shared, members in sorted(groups.items())
        if len(members) > 1
    )


def lone_groups(series: Iterable[Timeline], labels: Sequence[str], least_samples: int) -> frozenset[LabelSet]:
    """The shared labels of what has that many samples and exists only once."""
    samples: dict[LabelSet, list[int]] = defaultdict(list)
    for each in series:
        if each.points:
            samples[without(each.labels, labels)].append(len(each.points))
    return frozenset(
        shared for shared, counts in samples.items() if len(counts) == 1 and counts[0] >= least_samples
    )


def _compare(shared: LabelSet, members: list[list[Point]], *, are_moments: bool) -> Compared:
    found = [_likeness(first, second, are_moments=are_moments) for first, second in pairwise(members)]
    worst = next(each for each in _WORST_FIRST if each in found)
    spacing = max(
        ((points[-1][0] - points[0][0]) / (len(points) - 1) for points in members if len(points) > 1),
        default=0.0,
    )
    newest = sorted(points[-1][0] for points in members)
    return Compared(shared, worst, newest[-2], spacing, max(points[-1][1] for points in members))


def _likeness(first: list[Point], second: list[Point], *, are_moments: bool) -> Likeness:
    if first[-1][0] < second[0][0] or second[-1][0] < first[0][0]:
        return Likeness.IN_TURN
    if _is_one_scrape(first, second):
        return Likeness.ONE_SCRAPE
    verdicts, far = (
        [
            *_between(first, second, slack_seconds, are_moments=are_moments),
            *_between(second, first, slack_seconds, are_moments=are_moments),
        ]
        for slack_seconds in (_SLACK_SECONDS, FAR_SLACK_SECONDS)
    )
    if not all(verdicts):
        return Likeness.NEARLY if len(far) > 1 and all(far) else Likeness.DIFFERENT
    return Likeness.ALIKE if len(verdicts) > 1 else Likeness.TOO_FEW


def _is_one_scrape(first: list[Point], second: list[Point]) -> bool:
    """Whether all moments of the one, as far as the other reaches, are moments of the other."""
    begin, end = max(first[0][0], second[0][0]), min(first[-1][0], second[-1][0])
    moments = [{seconds for seconds, _ in points if begin <= seconds <= end} for points in (first, second)]
    fewer, more = sorted(moments, key=len)
    return bool(fewer) and fewer <= more


def _between(
    bounds: list[Point], judged: list[Point], slack_seconds: float, *, are_moments: bool
) -> list[bool]:
    """For each judged sample between two others: whether a counter with these bounds can have had that value
    then.

    Around a restart that either of them saw nothing can be said: the other one may have missed it.
    """
    moments = [seconds for seconds, _ in bounds]
    found = []
    for index, (seconds, value) in enumerate(judged):
        before, after = (
            bisect_right(moments, seconds - slack_seconds) - 1,
            bisect_left(moments, seconds + slack_seconds),
        )
        is_inside = before >= 0 and after < len(bounds)
        if (
            is_inside
            and not _has_fallen(bounds[max(0, before - 1) : after + 2])
            and not _has_fallen(judged[max(0, index - 1) : index + 2])
        ):
            tolerance = (
                _SAME_MOMENT_SECONDS if are_moments else _SAME * max(abs(value), abs(bounds[after][1]))
            )
            found.append(bounds[before][1] - tolerance <= value <= bounds[after][1] + tolerance)
    return found


def _has_fallen(points: list[Point]) -> bool:
    return any(later < earlier for (_, earlier), (_, later) in pairwise(points))
