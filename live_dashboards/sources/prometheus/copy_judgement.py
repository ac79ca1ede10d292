"""Looks at samples of series that differ in one label alone, at a few moments, and says whether they are
copies: first at the requests, then at all else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from live_dashboards.errors import SourceError
from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.snapshot import Timeline
from live_dashboards.settings import Settings
from live_dashboards.sources.prometheus.copy_candidates import LabelSet
from live_dashboards.sources.prometheus.copy_evidence import (
    FAR_SLACK_SECONDS,
    Compared,
    Likeness,
    compare_groups,
    lone_groups,
)
from live_dashboards.sources.prometheus.counting.births import created_metric
from live_dashboards.sources.prometheus.counting.samples import PROCESS_START
from live_dashboards.sources.prometheus.exchange import Question, instant
from live_dashboards.sources.prometheus.failed_questions import Ask
from live_dashboards.sources.prometheus.matchers import joined, one_of
from live_dashboards.sources.prometheus.reply import Outcome, Reply
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import ERRORS, LATENCY, REQUESTS, render

_LOOKBACK_SECONDS = 300.0  # a copy that has ended is found by its overlap for so long after its last sample
_SCRAPES_SEEN = 6
_MOST_INSTANCES = 50  # named in a selector
_TARGET = ("job", "instance")
_SUM, _BUCKET = f"{LATENCY}_sum", f"{LATENCY}_bucket"
_CREATED = tuple(map(created_metric, (REQUESTS, ERRORS, _SUM)))
_CPU = "process_cpu_seconds_total"
_MOMENTS = frozenset({PROCESS_START, *_CREATED})
_OF_ONE_PROCESS = (_SUM, *_MOMENTS)  # of two processes these are never equal for long
# asked of earlier moments too: few series, and no two processes have gone on alike
_LONG_KEPT = frozenset({ERRORS, _SUM, f"{LATENCY}_count"})
_LIKE = frozenset({Likeness.ALIKE, Likeness.NEARLY})
_APART = frozenset({Likeness.DIFFERENT, Likeness.ONE_SCRAPE})


class Verdict(StrEnum):
    """What the samples say."""

    COPIES = "copies"
    DIFFERENT = "different"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Found:
    """The labels in which alone series differ, what they are, and why that cannot be told."""

    labels: tuple[str, ...]
    verdict: Verdict
    why: str = ""


def judge(
    ask: Ask, scope: Scope, settings: Settings, labels: tuple[str, ...], moments: Sequence[float]
) -> Found:
    """Whether the series that differ in these labels alone are copies; `moments` (unix seconds, in order) are
    those at which there were some.
    """
    span_seconds = scope.shortest_rate_seconds + _LOOKBACK_SECONDS
    requests = render(f"{REQUESTS}{{$experiment}}", matchers=scope.matchers)
    outcomes = ask([instant(f"{requests}[{span_seconds:.0f}s]", moment) for moment in _few(moments)])
    seen = [compare_groups(outcome.series, labels) for outcome in outcomes if isinstance(outcome, Reply)]
    failure = next((outcome.reason for outcome in outcomes if isinstance(outcome, SourceError)), "")
    likenesses = {each.likeness for look in seen for each in look}
    if likenesses & _APART or (likenesses <= {Likeness.IN_TURN} and not failure):
        return Found(labels, Verdict.DIFFERENT)
    looks = [
        _Look.at(alike, scope.at_seconds)
        for look in seen
        if (alike := [each for each in look if each.likeness in _LIKE])
    ]
    if not looks:
        return Found(labels, Verdict.UNSURE, failure or "too few samples")
    return _judge_all(ask, scope, settings, labels, looks)


def _few(moments: Sequence[float]) -> list[float]:
    """The newest one, and two from long before: what is alike by chance does not stay so."""
    return sorted({moments[-1], moments[len(moments) // 2], moments[len(moments) // 10]}, reverse=True)


@dataclass(frozen=True, slots=True)
class _Look:
    """A stretch in which requests look like copies: its end and length, and which targets do."""

    end_seconds: float
    span_seconds: float
    alike: tuple[Compared, ...]

    @classmethod
    def at(cls, alike: Sequence[Compared], latest_seconds: float) -> _Look:
        """The last few scrapes of the groups that are alike; some more where clocks may be wrong."""
        spacing_seconds = max(each.spacing_seconds for each in alike)
        end_seconds = min(latest_seconds, max(each.until_seconds for each in alike) + spacing_seconds)
        more_seconds = (
            2 * FAR_SLACK_SECONDS if any(each.likeness is Likeness.NEARLY for each in alike) else 0.0
        )
        return cls(end_seconds, math.ceil(_SCRAPES_SEEN * spacing_seconds + more_seconds) + 1, tuple(alike))

    @property
    def targets(self) -> frozenset[LabelSet]:
        return frozenset(_target(each.shared) for each in self.alike)

    def question(self, selector: str) -> Question:
        return instant(f"{selector}[{self.span_seconds:.0f}s]", self.end_seconds)


def _judge_all(
    ask: Ask, scope: Scope, settings: Settings, labels: tuple[str, ...], looks: Sequence[_Look]
) -> Found:
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
        (look, metric, compare_groups(_series(outcome), labels, are_moments=metric in _MOMENTS))
        for (look, metric, _), outcome in told
    ]
    likenesses = {
        each.likeness
        for look, _, groups in compared
        for each in (*groups, *look.alike)
        if _target(each.shared) in look.targets
    }
    if likenesses & _APART:
        return Found(labels, Verdict.DIFFERENT)
    failure = next((outcome.reason for outcome in outcomes if isinstance(outcome, SourceError)), "")
    lone = next(
        (
            metric
            for (look, metric, _), outcome in zip(asked, outcomes, strict=True)
            if look is looks[0] and _has_lone(look, _series(outcome), labels)
        ),
        "",
    )
    if failure or lone:
        return Found(labels, Verdict.UNSURE, failure or f"only one of them has {lone}")
    if Likeness.NEARLY in likenesses:
        return Found(
            labels,
            Verdict.UNSURE,
            "they tell of moments some seconds apart, as clocks do that are not set alike",
        )
    if not any(
        metric in _OF_ONE_PROCESS and _says_one_process(look, groups) for look, metric, groups in compared
    ):
        return Found(
            labels,
            Verdict.UNSURE,
            f"equal counts may be chance, and neither {_SUM} nor "
            f"{PROCESS_START} nor a {EXPORTED.created} is there to compare",
        )
    return Found(labels, Verdict.COPIES)


def _series(outcome: Outcome) -> tuple[Timeline, ...]:
    return () if isinstance(outcome, SourceError) else outcome.series


def _says_one_process(look: _Look, groups: Iterable[Compared]) -> bool:
    return any(
        each.likeness is Likeness.ALIKE and each.largest > 0 and _target(each.shared) in look.targets
        for each in groups
    )


def _has_lone(look: _Look, series: Iterable[Timeline], labels: tuple[str, ...]) -> bool:
    """Whether one of the copies has had a counter for several scrapes that the other one lacks altogether: a
    pod may just have ended, or a copy begun.
    """
    return any(_target(shared) in look.targets for shared in lone_groups(series, labels, _SCRAPES_SEEN // 2))


def _selectors(look: _Look, scope: Scope, settings: Settings) -> dict[str, str]:
    """By metric: the counters of the test, and what a process tells of itself."""
    online = (settings["AB_ONLINE_LABELLED_METRIC"], settings["AB_ONLINE_CORRECT_METRIC"])
    own = (ERRORS, _SUM, f"{LATENCY}_count", _BUCKET, *_CREATED, *filter(None, online))
    process = f"{{{_of_targets(look.targets)}}}"
    return {metric: render(f"{metric}{{$experiment}}", matchers=scope.matchers) for metric in own} | {
        metric: metric + process for metric in (PROCESS_START, _CPU)
    }


def _of_targets(targets: Iterable[LabelSet]) -> str:
    """The matchers of these targets' jobs, and of their instances where they are few."""
    found = [dict(target) for target in targets]
    values = {name: sorted({target.get(name, "") for target in found}) for name in _TARGET}
    kept = {name: each for name, each in values.items() if name == "job" or len(each) <= _MOST_INSTANCES}
    return joined(*(one_of(name, each) for name, each in kept.items()))


def _target(shared: LabelSet) -> LabelSet:
    return tuple(pair for pair in shared if pair[0] in _TARGET)
