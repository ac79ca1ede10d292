"""Whether the same scrapes are stored several times, as a highly available pair of Prometheus does, and by
which labels these copies differ.

No name of a label and no likeness of totals is trusted: `auto` asks for the samples themselves, and only
where series differ in one label alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from live_dashboards.errors import SourceError
from live_dashboards.model.notices import COUNTED_ONCE, NOT_THERE, PERHAPS_TWICE
from live_dashboards.settings import Settings
from live_dashboards.sources.prometheus.copy_judgement import (
    CopiesVerdict,
    FoundCopies,
    candidates,
    judge,
    possible_labels,
)
from live_dashboards.sources.prometheus.exchange import Ask, Question, looked_up, over_time
from live_dashboards.sources.prometheus.own_series import HISTORY_SECONDS
from live_dashboards.sources.prometheus.promql import STEPS
from live_dashboards.sources.prometheus.recorded import (
    RECORD_ONCE,
    apart_words,
    counts_each,
    label_words,
    twice_words,
)
from live_dashboards.sources.prometheus.reply import Outcome, series_in
from live_dashboards.sources.prometheus.scope import DAY_SECONDS, Scope
from live_dashboards.sources.queries import REQUESTS, render

_FINEST_SECONDS, _FINE_LOOKS = 15.0, 96
# as long as an instant query looks back; every hour of 90 days
_COARSEST_SECONDS, _COARSE_LOOKS = 300.0, 2160


@dataclass(frozen=True, slots=True)
class Copies:
    """The labels in which alone copies differ, to be left out of what tells series apart, and what is told of
    it.

    `twice` says that every copy counts all the same, and why: nothing can be concluded from such counts.
    """

    labels: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    twice: str = ""


def find_copies(ask: Ask, scope: Scope, settings: Settings) -> Copies:
    """The copies among the series of the scope's requests: as PROMETHEUS_REPLICA_LABELS names them, or found
    by their samples.

    Where no series has a label but those of the test and of its target, one small question is all that is
    asked.
    """
    wanted = settings["PROMETHEUS_REPLICA_LABELS"]
    named: tuple[str, ...] | None = None if wanted == "auto" else wanted
    if named == () or not scope.has_requests:
        return Copies()
    if scope.is_recorded:
        return _of_steps(ask, scope, settings, named)
    span = _Span.of(scope, settings)
    return (
        _found(ask, scope, span, settings)
        if named is None
        else _named(ask, span, _selector(REQUESTS, scope), named)
    )


@dataclass(frozen=True, slots=True)
class _Span:
    """From when to when copies matter, in unix seconds: in the window, the last day, and the whole test."""

    start_seconds: float
    end_seconds: float
    window_seconds: float

    @classmethod
    def of(cls, scope: Scope, settings: Settings) -> _Span:
        start_seconds = (
            scope.at_seconds - HISTORY_SECONDS if settings.start is None else settings.start.timestamp()
        )
        latest_seconds = scope.at_seconds - max(scope.window_seconds, DAY_SECONDS)
        return cls(min(start_seconds, latest_seconds), scope.at_seconds, scope.window_seconds)

    @property
    def spans(self) -> tuple[tuple[float, float], ...]:
        """The window, and all of it."""
        return (self.end_seconds - self.window_seconds, self.end_seconds), (
            self.start_seconds,
            self.end_seconds,
        )

    def about(self, path: str, selector: str) -> Question:
        """The question after names or series of the selector."""
        return looked_up(path, selector, self.start_seconds, self.end_seconds)

    def looks(self, promql: str) -> list[Question]:
        """The PromQL finely over the window, and coarsely over the whole span."""
        fine_seconds = max(_FINEST_SECONDS, self.window_seconds // _FINE_LOOKS)
        coarse_seconds = max(_COARSEST_SECONDS, (self.end_seconds - self.start_seconds) // _COARSE_LOOKS)
        return [
            over_time(promql, self.end_seconds - self.window_seconds, self.end_seconds, fine_seconds),
            over_time(promql, self.start_seconds, self.end_seconds, coarse_seconds),
        ]


def _selector(metric: str, scope: Scope) -> str:
    return render(f"{metric}{{$experiment}}", matchers=scope.matchers)


def _named(ask: Ask, span: _Span, selector: str, named: tuple[str, ...]) -> Copies:
    known = ask([span.about("labels", selector)])[0]
    lacking = () if isinstance(known, SourceError) else tuple(sorted(set(named) - set(known.names)))
    used = tuple(name for name in named if name not in lacking)
    told = (
        (
            (
                f"{COUNTED_ONCE}: those that differ in {label_words(used)} alone, "
                "as PROMETHEUS_REPLICA_LABELS says"
            ),
        )
        if used
        else ()
    )
    missing = (
        (
            (
                f"{NOT_THERE} {label_words(lacking)}, which no series of {selector} has: set it to auto, or "
                "to the label that tells the copies apart"
            ),
        )
        if lacking
        else ()
    )
    return Copies(used, (*told, *missing))


def _found(ask: Ask, scope: Scope, span: _Span, settings: Settings) -> Copies:
    """What the samples say of each label in which alone series differ."""
    judged = _judged(ask, scope, span, settings)
    if isinstance(judged, SourceError):
        return Copies(told=(_cannot_ask(judged),))
    sure, unsure = _of(judged, CopiesVerdict.COPIES), _of(judged, CopiesVerdict.UNSURE)
    return Copies(_labels(sure), (*map(_merged_words, sure), *map(_unsure_words, unsure)))


def _judged(ask: Ask, scope: Scope, span: _Span, settings: Settings) -> list[FoundCopies] | SourceError:
    overlaps = _overlaps(ask, span, _selector(REQUESTS, scope))
    if isinstance(overlaps, SourceError):
        return overlaps
    return [judge(ask, scope, settings, candidate, moments) for candidate, moments in overlaps.items()]


def _of(judged: Sequence[FoundCopies], verdict: CopiesVerdict) -> list[FoundCopies]:
    return [each for each in judged if each.verdict is verdict]


def _labels(several: Sequence[FoundCopies]) -> tuple[str, ...]:
    return tuple(sorted({label for each in several for label in each.labels}))


def _of_steps(ask: Ask, scope: Scope, settings: Settings, named: tuple[str, ...] | None) -> Copies:
    """Of recorded steps: copies among them can be named; of copies that were recorded as one it can only be
    told that they count twice.
    """
    span, steps = _Span.of(scope, settings), _selector(STEPS[REQUESTS], scope)
    if named is not None:
        return _of_named_steps(ask, scope, span, _named(ask, span, steps, named), named)
    raw = _judged(ask, replace(scope, steps_at_seconds=None), span, settings)
    overlaps = _overlaps(ask, span, steps)
    apart = () if isinstance(overlaps, SourceError) else tuple(overlaps)
    if isinstance(raw, SourceError):
        return Copies(told=(*map(_steps_words, apart), _cannot_ask(raw)))
    sure = _labels(_of(raw, CopiesVerdict.COPIES))
    twice = _twice(ask, scope, span, sure)
    if twice and sure in apart:
        return Copies(told=(apart_words(sure),), twice=apart_words(sure))
    doubtful = [each for each in _of(raw, CopiesVerdict.UNSURE) if _twice(ask, scope, span, each.labels)]
    return Copies(
        told=(*map(_steps_words, apart), *filter(None, (twice,)), *map(_recorded_words, doubtful)),
        twice=twice,
    )


def _of_named_steps(ask: Ask, scope: Scope, span: _Span, found: Copies, named: tuple[str, ...]) -> Copies:
    """What is told of labels of copies that somebody has named, where the rules have recorded each copy,
    too.
    """
    known = ask([span.about("labels", _selector(REQUESTS, scope))])[0]
    raw = () if isinstance(known, SourceError) else tuple(name for name in named if name in known.names)
    twice = _twice(ask, scope, span, raw, found.labels)
    # the label is the right one, of what the rules have read
    told = tuple(text for text in found.told if not (text.startswith(NOT_THERE) and raw))
    return Copies(found.labels, (*told, *filter(None, (twice,))), twice)


def _twice(ask: Ask, scope: Scope, span: _Span, labels: tuple[str, ...], merged: tuple[str, ...] = ()) -> str:
    """That recorded steps count every copy; nothing where they count each scrape once, or no copies are
    known.
    """
    counts_all = bool(labels) and counts_each(ask, scope, span.spans, labels, merged)
    return twice_words(labels) if counts_all else ""


def _overlaps(
    ask: Ask, span: _Span, selector: str
) -> Mapping[tuple[str, ...], tuple[float, ...]] | SourceError:
    """For each label (or labels together) in which alone series differ that were there at the same time:
    those moments, in unix seconds.
    """
    names = ask([span.about("labels", selector)])[0]
    if isinstance(names, SourceError):
        return names
    possible = possible_labels(names.names)
    if not possible:
        return {}
    series = ask([span.about("series", selector)])[0]
    if isinstance(series, SourceError):
        return series
    found = candidates((each.labels for each in series.series), possible)
    looks = [span.looks(f"count(count without ({', '.join(labels)}) ({selector}) > 1)") for labels in found]
    outcomes = iter(ask(list(chain.from_iterable(looks)))) if looks else iter(())
    moments = {
        labels: _moments([next(outcomes) for _ in each]) for labels, each in zip(found, looks, strict=True)
    }
    return {labels: each for labels, each in moments.items() if each}


def _moments(outcomes: Sequence[Outcome]) -> tuple[float, ...]:
    """The moments with a value; an outcome that failed is told by who asks."""
    points = (point for series in series_in(*outcomes) for point in series.points)
    return tuple(sorted({seconds for seconds, value in points if value is not None}))


def _merged_words(found: FoundCopies) -> str:
    return (
        f"{COUNTED_ONCE}: {_differ(found.labels)}, and every counter of theirs says the same "
        "(PROMETHEUS_REPLICA_LABELS=none counts each by itself)"
    )


def _unsure_words(found: FoundCopies) -> str:
    return (
        f"{PERHAPS_TWICE}: {_differ(found.labels)}, and whether these are copies of one scrape cannot "
        f"be told ({found.why}): {_say(found.labels)}"
    )


def _steps_words(labels: tuple[str, ...]) -> str:
    return (
        f"{PERHAPS_TWICE}: of the recorded steps {_differ(labels)}, and steps of copies look like steps "
        f"of different requests: {_say(labels)}"
    )


def _recorded_words(found: FoundCopies) -> str:
    return (
        f"{PERHAPS_TWICE}: the rules have recorded series that differ in {label_words(found.labels)} "
        "alone, and whether these are copies of one scrape cannot be told "
        f"({found.why}): if they are, {RECORD_ONCE}"
    )


def _cannot_ask(failure: SourceError) -> str:
    return f"{PERHAPS_TWICE}, as it cannot be told whether there are copies: {failure.reason}"


def _differ(labels: Sequence[str]) -> str:
    return f"there are series that differ in {label_words(labels)} alone"


def _say(labels: Sequence[str]) -> str:
    return f"set PROMETHEUS_REPLICA_LABELS={','.join(labels)} if they are copies, none if they are not"
