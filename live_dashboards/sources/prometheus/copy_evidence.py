"""Whether series that differ in one label are copies of one scrape: by the moments of their samples, and by values that only one process can have."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.copy_candidates import LabelSet, without

_SLACK_SECONDS = 2.0  # by which a sample's time may differ from the moment of its value: slow scrapes, and clocks of two servers
_SAME = 1e-9  # relative; a float that went through another store's text

Point = tuple[float, float]


class Likeness(StrEnum):
    """What two series say of each other."""

    IN_TURN = "one after the other"
    TOO_FEW = "too few samples"
    ALIKE = "alike"
    DIFFERENT = "different"
    ONE_SCRAPE = "one scrape"


@dataclass(frozen=True, slots=True)
class Compared:
    """A group of series that are equal but for the candidate's labels: the labels they share, what was found, the ends in unix seconds, and the newest value."""

    shared: LabelSet
    likeness: Likeness
    until_seconds: float
    spacing_seconds: float
    largest: float


def compare_groups(series: Iterable[Timeline], labels: Sequence[str]) -> tuple[Compared, ...]:
    """Each group of two and more series that differ in these labels alone, in each of which there are samples."""
    groups: dict[LabelSet, list[list[Point]]] = defaultdict(list)
    for each in series:
        points = [(seconds, value) for seconds, value in each.points if value is not None]
        if points:
            groups[without(each.labels, labels)].append(points)
    return tuple(_compare(shared, members) for shared, members in sorted(groups.items()) if len(members) > 1)


def lone_groups(series: Iterable[Timeline], labels: Sequence[str]) -> frozenset[LabelSet]:
    """The shared labels of what exists only once."""
    counts: dict[LabelSet, int] = defaultdict(int)
    for each in series:
        counts[without(each.labels, labels)] += bool(each.points)
    return frozenset(shared for shared, count in counts.items() if count == 1)


def _compare(shared: LabelSet, members: list[list[Point]]) -> Compared:
    found = [_likeness(first, second) for first, second in pairwise(members)]
    worst = next(each for each in (Likeness.ONE_SCRAPE, Likeness.DIFFERENT, Likeness.ALIKE, Likeness.TOO_FEW, Likeness.IN_TURN) if each in found)
    spacing = max(((points[-1][0] - points[0][0]) / (len(points) - 1) for points in members if len(points) > 1), default=0.0)
    newest = sorted(points[-1][0] for points in members)
    return Compared(shared, worst, newest[-2], spacing, max(points[-1][1] for points in members))


def _likeness(first: list[Point], second: list[Point]) -> Likeness:
    if first[-1][0] < second[0][0] or second[-1][0] < first[0][0]:
        return Likeness.IN_TURN
    if _is_one_scrape(first, second):
        return Likeness.ONE_SCRAPE
    verdicts = [*_between(first, second), *_between(second, first)]
    if not all(verdicts):
        return Likeness.DIFFERENT
    return Likeness.ALIKE if len(verdicts) > 1 else Likeness.TOO_FEW


def _is_one_scrape(first: list[Point], second: list[Point]) -> bool:
    """Whether all moments of the one, as far as the other reaches, are moments of the other."""
    begin, end = max(first[0][0], second[0][0]), min(first[-1][0], second[-1][0])
    moments = [{seconds for seconds, _ in points if begin <= seconds <= end} for points in (first, second)]
    fewer, more = sorted(moments, key=len)
    return bool(fewer) and fewer <= more


def _between(bounds: list[Point], judged: list[Point]) -> list[bool]:
    """For each judged sample with samples before and after it: whether a counter with these bounds can have had that value then."""
    moments = [seconds for seconds, _ in bounds]
    found = []
    for seconds, value in judged:
        before, after = bisect_right(moments, seconds - _SLACK_SECONDS) - 1, bisect_left(moments, seconds + _SLACK_SECONDS)
        if before >= 0 and after < len(bounds):
            found.append(_can_be(value, [each for _, each in bounds[before : after + 1]]))
    return found


def _can_be(value: float, bounds: list[float]) -> bool:
    """Between the first and the last one; where the counter fell in between, above the one or below the other."""
    tolerance = _SAME * max(abs(value), *map(abs, bounds))
    is_above, is_below = value >= bounds[0] - tolerance, value <= bounds[-1] + tolerance
    fell = any(after < before for before, after in pairwise(bounds))
    return is_above or is_below if fell else is_above and is_below
