"""Looks at samples of series that differ in one label alone, at a few moments, and says whether they are
copies: first at the requests, then at all else; by the moments of their samples, and by values that only one
process can have.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.snapshot import Timeline
from live_dashboards.settings import Settings
from live_dashboards.sources.prometheus.counting.births import created_metric
from live_dashboards.sources.prometheus.counting.samples import PROCESS_START, TARGET_LABELS, Point
from live_dashboards.sources.prometheus.exchange import Ask, Question, instant
from live_dashboards.sources.prometheus.promql import joined, one_of
from live_dashboards.sources.prometheus.reply import Labels, Reply, failure_in, series_in, without
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import ERRORS, EXPERIMENT_LABEL, LATENCY, REQUESTS, render

_LOOKBACK_SECONDS = 300.0  # a copy that has ended is found by its overlap for so long after its last sample
_SCRAPES_SEEN = 6
_MOST_INSTANCES = 50  # named in a selector
_SUM, _BUCKET = f"{LATENCY}_sum", f"{LATENCY}_bucket"
_CREATED = tuple(map(created_metric, (REQUESTS, ERRORS, _SUM)))
_CPU = "process_cpu_seconds_total"
_MOMENTS = frozenset({PROCESS_START, *_CREATED})
_OF_ONE_PROCESS = (_SUM, *_MOMENTS)  # of two processes these are never equal for long
# asked of earlier moments too: few series, and no two processes have gone on alike
_LONG_KEPT = frozenset({ERRORS, _SUM, f"{LATENCY}_count"})

# by which a sample's time may differ from the moment of its value: slow scrapes, and clocks of two servers
_SLACK_SECONDS = 2.0
FAR_SLACK_SECONDS = 10.0  # the same of clocks that are wrong
_SAME = 1e-9  # relative; a float that went through another store's text
# what a process tells of when it began is exact, and the next one may have begun soon after
_SAME_MOMENT_SECONDS = 0.001

# they tell apart what is counted
NEVER_COPIES = frozenset({"__name__", "model_name", EXPERIMENT_LABEL, "status", "le", "metric_type"})
_IDENTITY = NEVER_COPIES | {"job", "instance"}  # of what is scraped, too: never found, but may be named


class Likeness(StrEnum):
    """What two series say of each other, the worst first."""

    ONE_SCRAPE = "one scrape"
    DIFFERENT = "different"
    NEARLY = "alike but for some seconds"
    ALIKE = "alike"
    TOO_FEW = "too few samples"
    IN_TURN = "one after the other"


_LIKE = frozenset({Likeness.ALIKE, Likeness.NEARLY})
_APART = frozenset({Likeness.DIFFERENT, Likeness.ONE_SCRAPE})


class CopiesVerdict(StrEnum):
    """What the samples say."""

    COPIES = "copies"
    DIFFERENT = "different"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class FoundCopies:
    """The labels in which alone series differ, what they are, and why that cannot be told."""

    labels: tuple[str, ...]
    verdict: CopiesVerdict
    why: str = ""


def judge(
    ask: Ask, scope: Scope, settings: Settings, labels: tuple[str, ...], moments: Sequence[float]
) -> FoundCopies:
    """Whether the series that differ in these labels alone are copies; `moments` (unix seconds, in order) are
    those at which there were some.
    """
    span_seconds = scope.shortest_rate_seconds + _LOOKBACK_SECONDS
    requests = render(f"{REQUESTS}{{$experiment}}", matchers=scope.matchers)
    outcomes = ask([instant(f"{requests}[{span_seconds:.0f}s]", moment) for moment in _few(moments)])
    seen = [compare_groups(outcome.series, labels) for outcome in outcomes if isinstance(outcome, Reply)]
    failure = failure_in(outcomes)
    likenesses = {each.likeness for look in seen for each in look}
    if likenesses & _APART or (likenesses <= {Likeness.IN_TURN} and not failure):
        return FoundCopies(labels, CopiesVerdict.DIFFERENT)
    looks = [
        _AlikeStretch.at(alike, scope.at_seconds)
        for look in seen
        if (alike := [each for each in look if each.likeness in _LIKE])
    ]
    if not looks:
        return FoundCopies(labels, CopiesVerdict.UNSURE, failure or "too few samples")
    return _judge_all(ask, scope, settings, labels, looks)


def _few(moments: Sequence[float]) -> list[float]:
    """The newest one, and two from long before: what is alike by chance does not stay so."""
    return sorted({moments[-1], moments[len(moments) // 2], moments[len(moments) // 10]}, reverse=True)


@dataclass(frozen=True, slots=True)
class _AlikeStretch:
    """A stretch in which requests look like copies: its end and length, and which targets do."""

    end_seconds: float
    span_seconds: float
    alike: tuple[ComparedSeries, ...]

    @classmethod
    def at(cls, alike: Sequence[ComparedSeries], latest_seconds: float) -> _AlikeStretch:
        """The last few scrapes of the groups that are alike; some more where clocks may be wrong."""
        spacing_seconds = max(each.spacing_seconds for each in alike)
        end_seconds = min(latest_seconds, max(each.until_seconds for each in alike) + spacing_seconds)
        more_seconds = (
            2 * FAR_SLACK_SECONDS if any(each.likeness is Likeness.NEARLY for each in alike) else 0.0
        )
        return cls(end_seconds, math.ceil(_SCRAPES_SEEN * spacing_seconds + more_seconds) + 1, tuple(alike))

    @property
    def targets(self) -> frozenset[Labels]:
        return frozenset(_target(each.shared) for each in self.alike)

    def question(self, selector: str) -> Question:
        return instant(f"{selector}[{self.span_seconds:.0f}s]", self.end_seconds)


def _judge_all(
    ask: Ask, scope: Scope, settings: Settings, labels: tuple[str, ...], looks: Sequence[_AlikeStretch]
) -> FoundCopies:
    """Whether every other counter of these targets agrees too, and one that only one process can have is
    among them.
    """
    asked = [
        (look, metric, selector)
        for look in looks
        for metric, selector in _selectors(look, scope, settings).items()
        if metric in _LONG_KEPT or look is looks[0]
    ]
    outcomes = ask([look.question(selector) for look, _, selector in asked])
    told = zip(asked, outcomes, strict=True)
    compared = [
        (look, metric, compare_groups(series_in(outcome), labels, are_moments=metric in _MOMENTS))
        for (look, metric, _), outcome in told
    ]
    likenesses = {
        each.likeness
        for look, _, groups in compared
        for each in (*groups, *look.alike)
        if _target(each.shared) in look.targets
    }
    if likenesses & _APART:
        return FoundCopies(labels, CopiesVerdict.DIFFERENT)
    failure = failure_in(outcomes)
    lone = next(
        (
            metric
            for (look, metric, _), outcome in zip(asked, outcomes, strict=True)
            if look is looks[0] and _has_lone(look, series_in(outcome), labels)
        ),
        "",
    )
    if failure or lone:
        return FoundCopies(labels, CopiesVerdict.UNSURE, failure or f"only one of them has {lone}")
    if Likeness.NEARLY in likenesses:
        return FoundCopies(
            labels,
            CopiesVerdict.UNSURE,
            "they tell of moments some seconds apart, as clocks do that are not set alike",
        )
    if not any(
        metric in _OF_ONE_PROCESS
        and each.likeness is Likeness.ALIKE
        and each.largest > 0
        and _target(each.shared) in look.targets
        for look, metric, groups in compared
        for each in groups
    ):
        return FoundCopies(
            labels,
            CopiesVerdict.UNSURE,
            f"equal counts may be chance, and neither {_SUM} nor "
            f"{PROCESS_START} nor a {EXPORTED.created} is there to compare",
        )
    return FoundCopies(labels, CopiesVerdict.COPIES)


def _has_lone(look: _AlikeStretch, series: Iterable[Timeline], labels: tuple[str, ...]) -> bool:
    """Whether one of the copies has had a counter for several scrapes that the other one lacks altogether: a
    pod may just have ended, or a copy begun.
    """
    return any(_target(shared) in look.targets for shared in lone_groups(series, labels, _SCRAPES_SEEN // 2))


def _selectors(look: _AlikeStretch, scope: Scope, settings: Settings) -> dict[str, str]:
    """By metric: the counters of the test, and what a process tells of itself."""
    online = (settings["AB_ONLINE_LABELLED_METRIC"], settings["AB_ONLINE_CORRECT_METRIC"])
    own = (ERRORS, _SUM, f"{LATENCY}_count", _BUCKET, *_CREATED, *filter(None, online))
    process = f"{{{_of_targets(look.targets)}}}"
    return {metric: render(f"{metric}{{$experiment}}", matchers=scope.matchers) for metric in own} | {
        metric: metric + process for metric in (PROCESS_START, _CPU)
    }


def _of_targets(targets: Iterable[Labels]) -> str:
    """The matchers of these targets' jobs, and of their instances where they are few."""
    found = [dict(target) for target in targets]
    values = {name: sorted({target.get(name, "") for target in found}) for name in TARGET_LABELS}
    kept = {name: each for name, each in values.items() if name == "job" or len(each) <= _MOST_INSTANCES}
    return joined(*(one_of(name, each) for name, each in kept.items()))


def _target(shared: Labels) -> Labels:
    return tuple(pair for pair in shared if pair[0] in TARGET_LABELS)


@dataclass(frozen=True, slots=True)
class ComparedSeries:
    """A group of series that are equal but for the candidate's labels: the labels they share, what was found,
    the ends in unix seconds, and the newest value.
    """

    shared: Labels
    likeness: Likeness
    until_seconds: float
    spacing_seconds: float
    largest: float


def compare_groups(
    series: Iterable[Timeline], labels: Sequence[str], *, are_moments: bool = False
) -> tuple[ComparedSeries, ...]:
    """Each group of two and more series that differ in these labels alone, in each of which there are
    samples; `are_moments`: their values are unix seconds.
    """
    groups: dict[Labels, list[list[Point]]] = defaultdict(list)
    for each in series:
        points = [(seconds, value) for seconds, value in each.points if value is not None]
        if points:
            groups[without(each.labels, labels)].append(points)
    return tuple(
        _compare(shared, members, are_moments=are_moments)
        for shared, members in sorted(groups.items())
        if len(members) > 1
    )


def lone_groups(series: Iterable[Timeline], labels: Sequence[str], least_samples: int) -> frozenset[Labels]:
    """The shared labels of what has that many samples and exists only once."""
    samples: dict[Labels, list[int]] = defaultdict(list)
    for each in series:
        if each.points:
            samples[without(each.labels, labels)].append(len(each.points))
    return frozenset(
        shared for shared, counts in samples.items() if len(counts) == 1 and counts[0] >= least_samples
    )


def _compare(shared: Labels, members: list[list[Point]], *, are_moments: bool) -> ComparedSeries:
    found = [_likeness(first, second, are_moments=are_moments) for first, second in pairwise(members)]
    worst = next(each for each in Likeness if each in found)
    spacing = max(
        ((points[-1][0] - points[0][0]) / (len(points) - 1) for points in members if len(points) > 1),
        default=0.0,
    )
    newest = sorted(points[-1][0] for points in members)
    return ComparedSeries(shared, worst, newest[-2], spacing, max(points[-1][1] for points in members))


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
) -> Iterator[bool]:
    """For each judged sample between two others: whether a counter with these bounds can have had that value
    then.

    Around a restart that either of them saw nothing can be said: the other one may have missed it.
    """
    moments = [seconds for seconds, _ in bounds]
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
            yield bounds[before][1] - tolerance <= value <= bounds[after][1] + tolerance


def _has_fallen(points: list[Point]) -> bool:
    return any(later < earlier for (_, earlier), (_, later) in pairwise(points))


def possible_labels(names: Iterable[str]) -> tuple[str, ...]:
    """Of a metric's label names those in which copies may differ."""
    return tuple(sorted(name for name in set(names) - _IDENTITY if name.isascii() and name.isidentifier()))


def candidates(series: Iterable[Labels], possible: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The labels in which alone some of these series differ: each by itself, and those that differ only
    together.
    """
    names = frozenset(possible)
    by_target: dict[Labels, list[Mapping[str, str]]] = defaultdict(list)
    for labels in series:
        by_target[without(labels, names)].append(dict(labels))
    found = {
        candidate for each in by_target.values() if len(each) > 1 for candidate in _of_a_target(each, names)
    }
    return tuple(sorted(found))


def _of_a_target(series: list[Mapping[str, str]], names: frozenset[str]) -> set[tuple[str, ...]]:
    values = {name: [each.get(name, "") for each in series] for name in names}
    differing = tuple(sorted(name for name in names if len(set(values[name])) > 1))
    alone: set[tuple[str, ...]] = {(name,) for name in differing if _collapses(series, name, differing)}
    is_together = len(differing) > 1 and all(len(set(values[name])) == len(series) for name in differing)
    return alone or ({differing} if is_together else set())


def _collapses(series: list[Mapping[str, str]], name: str, differing: tuple[str, ...]) -> bool:
    """Whether two of the series differ in that label and in no other one."""
    rest = [other for other in differing if other != name]
    return len({tuple(each.get(other, "") for other in rest) for each in series}) < len(series)
