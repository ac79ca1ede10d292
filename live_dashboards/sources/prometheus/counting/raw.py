"""Raw samples read around seams: of all counters of the targets there, of when their processes began, and of
the same processes under former addresses.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from live_dashboards.model.moment import format_exact_duration
from live_dashboards.sources.prometheus.counting.births import counted_with, created_metric
from live_dashboards.sources.prometheus.counting.growth import COUNTER_LABEL, joined, labels_of
from live_dashboards.sources.prometheus.counting.samples import (
    METRIC,
    PROCESS_START,
    TARGET_LABELS,
    Samples,
    SeriesKey,
    key_of,
)
from live_dashboards.sources.prometheus.counting.seams import (
    FOLLOWERS,
    Looking,
    Target,
    metric_of,
    narrowed,
    target_matchers,
    target_of,
    targets_in,
)
from live_dashboards.sources.prometheus.counting.stretches import Stretch
from live_dashboards.sources.prometheus.exchange import Ask, Question, instant
from live_dashboards.sources.prometheus.grid import SAME_MOMENT_SECONDS
from live_dashboards.sources.prometheus.reply import Labels, Outcome, series_in
from live_dashboards.sources.prometheus.scope import DAY_SECONDS, Scope
from live_dashboards.sources.queries import REQUESTS, AbQuery, render

_REQUESTS_CREATED = created_metric(REQUESTS)
# how finely it is looked for when a series was scraped last: each minute of two days
_FINEST_LOOK_SECONDS, _LOOKS = 60, 2880


class RawReader:
    """Reads stretches, each once, whichever range asks for it."""

    def __init__(self, ask: Ask, scope: Scope, queries: Iterable[AbQuery]) -> None:
        self._ask = ask
        self._scope = scope
        counted = [*queries]
        metrics = {metric_of(query, scope) for query in counted} | {REQUESTS}
        # the requests that births are held against are read, too, and what tells when series were created
        names = "|".join(sorted(metrics | {created_metric(metric) for metric in metrics}))
        self._counters = render(f'{{{METRIC}=~"{names}", $experiment}}', matchers=scope.matchers)
        self._aged = tuple(
            dict.fromkeys(
                (REQUESTS, *(metric_of(query, scope) for query in counted if query.name not in FOLLOWERS))
            )
        )
        self._known: set[Stretch] = set()
        self.samples = Samples(scope.copy_labels, scope.pause_seconds)
        # of the series that were there before a stretch with births, when (unix seconds) and at which values
        # they were seen last before it
        self.remembered: dict[SeriesKey, list[tuple[float, float]]] = {}

    def read(self, looking: Looking, stretches: Sequence[Stretch], *, with_births: bool) -> None:
        """Read what is not known yet; with births also what was there before them, and what returning targets
        held before their pause.
        """
        fresh = [stretch for stretch in stretches if stretch not in self._known]
        self._known.update(fresh)
        start_seconds = looking.edges.start_seconds
        self._take_at((stretch, stretch.targets) for stretch in fresh)
        born = [
            (stretch, targets)
            for stretch in fresh
            if with_births and (targets := self._of_elder_processes(stretch))
        ]
        self._take_former_addresses(born)
        elder = {
            stretch: targets | more
            for (stretch, targets), more in zip(
                born, self._take_former_names(born, start_seconds), strict=True
            )
        }
        open_to = [
            (stretch, targets)
            for stretch in fresh
            if (targets := elder.get(stretch, frozenset()) | stretch.returning)
        ]
        asked = [
            question
            for stretch, targets in open_to
            for question in self._memory_questions(stretch, targets, start_seconds)
        ]
        outcomes = iter(self._ask(asked) if asked else ())
        for stretch, _ in open_to:
            self._remember(stretch, next(outcomes), next(outcomes))

    def _remember(self, stretch: Stretch, values: Outcome, moments: Outcome) -> None:
        """Keep the last value of each series; of copies the greatest of those that were seen within some
        minutes of the last one: others may have missed a restart.
        """
        seen = {
            SeriesKey(each.label(COUNTER_LABEL), labels_of(each.labels)): each.last
            for each in series_in(moments)
            if each.last is not None
        }
        there: dict[Labels, float] = {}
        for key, seconds in seen.items():
            there[self._where(key)] = max(seconds, there.get(self._where(key), seconds))
        copies: dict[SeriesKey, list[tuple[float, float]]] = {}
        for each in series_in(values):
            if each.last is not None:
                key = key_of(each)
                seconds = seen.get(counted_with(key)) or there.get(self._where(key), stretch.first_seconds)
                copies.setdefault(self.samples.series(key), []).append((seconds, each.last))
        for key, told in copies.items():
            newest_seconds = max(seconds for seconds, _ in told)
            value = max(
                value
                for seconds, value in told
                if seconds >= newest_seconds - self._scope.shortest_rate_seconds
            )
            if key.metric == PROCESS_START:
                self.samples.add_start(key, stretch.first_seconds, value)
            else:
                self.remembered.setdefault(key, []).append((newest_seconds, value))

    def _where(self, key: SeriesKey) -> Labels:
        """The target of a series, and of copies of one scrape the copy."""
        return tuple(pair for pair in key.labels if pair[0] in (*TARGET_LABELS, *self._scope.copy_labels))

    def _of_elder_processes(self, stretch: Stretch) -> frozenset[Target]:
        """The targets of whose processes it is not known that all began within the stretch: of the others
        nothing before it matters.
        """
        began: dict[Target, float] = {}
        for key in self.samples.of_metric(PROCESS_START):
            told = [
                value
                for _, value in self.samples.between(
                    key, stretch.first_seconds - SAME_MOMENT_SECONDS, stretch.end_seconds
                )
            ]
            if told:
                began[target_of(key.labels)] = min(*told, began.get(target_of(key.labels), math.inf))
        return frozenset(
            target for target in stretch.targets if began.get(target, 0.0) <= stretch.first_seconds
        )

    def seen_before(self, key: SeriesKey, seconds: float) -> tuple[float, float] | None:
        """When, at the latest, and at which value a series was seen last before a moment; None where it was
        not seen.

        Where a remembered value is that of an older sample, which is read around each restart, it is that
        sample.
        """
        read = self.samples.newest(key, seconds)
        told = max((told for told in self.remembered.get(key, ()) if told[0] <= seconds), default=None)
        if read is None or told is None:
            return read or told
        return told if told[0] > read[0] and told[1] != read[1] else read

    def _take_at(self, places: Iterable[tuple[Stretch, frozenset[Target]]]) -> None:
        """Read the samples of stretches at some targets each, if any."""
        questions = [
            question
            for stretch, targets in places
            if targets
            for question in self._questions(stretch, targets)
        ]
        self.samples.add(series_in(*self._ask(questions)))

    def _questions(self, stretch: Stretch, targets: Iterable[Target]) -> list[Question]:
        span = format_exact_duration(stretch.end_seconds - stretch.first_seconds)
        selectors = narrowed(self._counters, targets), f"{PROCESS_START}{{{target_matchers(targets)}}}"
        return [
            instant(f"{selector}[{span}]", stretch.end_seconds, keeps_name=True) for selector in selectors
        ]

    def _take_former_addresses(self, open_to: Sequence[tuple[Stretch, frozenset[Target]]]) -> None:
        asked = [
            (stretch, moments)
            for stretch, targets in open_to
            if (moments := self._moments(PROCESS_START, stretch, targets))
        ]
        questions = [
            instant(self._same_process(stretch, moments), stretch.begin_seconds) for stretch, moments in asked
        ]
        outcomes = self._ask(questions) if questions else ()
        former = [
            (stretch, targets_in(outcome) - stretch.targets)
            for (stretch, _), outcome in zip(asked, outcomes, strict=True)
        ]
        self._take_at(former)

    def _moments(self, metric: str, stretch: Stretch, targets: frozenset[Target]) -> list[float]:
        """When the processes of targets began, or their counters were created, as it is told last in a
        stretch.
        """
        keys = [key for key in self.samples.of_metric(metric) if target_of(key.labels) in targets]
        told = (self.samples.newest(key, stretch.end_seconds) for key in keys)
        return sorted({sample[1] for sample in told if sample is not None})

    def _same_process(self, stretch: Stretch, moments: Sequence[float]) -> str:
        """The processes of the same jobs, just before the stretch, that began at one of these moments."""
        selector = f"{PROCESS_START}{{{target_matchers(stretch.targets, 'job')}}}"
        newest = f"last_over_time({selector}[{format_exact_duration(self._scope.shortest_rate_seconds)}])"
        return " or ".join(f"({newest} == {moment!r})" for moment in moments)

    def _take_former_names(
        self, born: Sequence[tuple[Stretch, frozenset[Target]]], start_seconds: float
    ) -> list[frozenset[Target]]:
        """Of each stretch the other targets whose counters were created at the very moments of those that
        begin there and are older than it: these go on in them.
        """
        moments = [
            [
                moment
                for moment in self._moments(_REQUESTS_CREATED, stretch, targets)
                if moment < stretch.first_seconds
            ]
            for stretch, targets in born
        ]
        asked = [(stretch, each) for (stretch, _), each in zip(born, moments, strict=True) if each]
        outcomes = iter(
            self._ask([self._same_created(stretch, each, start_seconds) for stretch, each in asked])
            if asked
            else ()
        )
        same = [targets_in(next(outcomes)) if each else frozenset() for each in moments]
        found = [targets - stretch.targets for (stretch, _), targets in zip(born, same, strict=True)]
        self._take_at((stretch, targets) for (stretch, _), targets in zip(born, found, strict=True))
        return found

    def _same_created(self, stretch: Stretch, moments: Sequence[float], start_seconds: float) -> Question:
        selector = render(f"{_REQUESTS_CREATED}{{$experiment}}", matchers=self._scope.matchers)
        span = format_exact_duration(_memory_seconds(start_seconds, stretch.end_seconds))
        newest = f"last_over_time({selector}[{span}])"
        return instant(" or ".join(f"({newest} == {moment!r})" for moment in moments), stretch.end_seconds)

    def _memory_questions(
        self, stretch: Stretch, targets: frozenset[Target], start_seconds: float
    ) -> tuple[Question, Question]:
        """The last values from before the samples, as long ago as the range and a day before it, when they
        were scraped, and when the processes began.
        """
        span = format_exact_duration(_memory_seconds(start_seconds, stretch.first_seconds))
        selectors = narrowed(self._counters, targets), f"{PROCESS_START}{{{target_matchers(targets)}}}"
        values = " or ".join(f"last_over_time({selector}[{span}])" for selector in selectors)
        whole_seconds = stretch.first_seconds - start_seconds + DAY_SECONDS
        looks = f"[{span}:{max(_FINEST_LOOK_SECONDS, round(whole_seconds / _LOOKS))}s]"
        aged = (
            (metric, narrowed(render(f"{metric}{{$experiment}}", matchers=self._scope.matchers), targets))
            for metric in self._aged
        )
        moments = joined(
            (metric, f"last_over_time(timestamp({selector}){looks})") for metric, selector in aged
        )
        return instant(values, stretch.first_seconds, keeps_name=True), instant(
            moments, stretch.first_seconds
        )


def _memory_seconds(start_seconds: float, at_seconds: float) -> float:
    return max(0.0, at_seconds - start_seconds) + DAY_SECONDS
