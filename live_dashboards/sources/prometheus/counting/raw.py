"""Raw samples read around seams: of all counters of the targets there, of when their processes began, and of the same processes under former addresses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from live_dashboards.errors import SourceError
from live_dashboards.model.duration import format_exact_duration
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.counting.births import created_metric
from live_dashboards.sources.prometheus.counting.counters import metric_of
from live_dashboards.sources.prometheus.counting.edges import SAME_MOMENT_SECONDS
from live_dashboards.sources.prometheus.counting.samples import METRIC, PROCESS_START, TARGET_LABELS, Labels, Samples, SeriesKey, key_of
from live_dashboards.sources.prometheus.counting.seams import FINEST_SECONDS, Looking, Target, narrowed, target_matchers, target_of
from live_dashboards.sources.prometheus.counting.stretches import Stretch
from live_dashboards.sources.prometheus.exchange import Question, instant
from live_dashboards.sources.prometheus.failed_questions import Ask
from live_dashboards.sources.prometheus.scope import DAY_SECONDS, Scope
from live_dashboards.sources.queries import REQUESTS, AbQuery, render


class RawReader:
    """Reads stretches, each once, whichever range asks for it."""

    def __init__(self, ask: Ask, scope: Scope, queries: Iterable[AbQuery]) -> None:
        self._ask = ask
        self._scope = scope
        self._names = _names(queries, scope)
        self._known: set[Stretch] = set()
        self.samples = Samples(scope.copy_labels, scope.pause_seconds)
        self._remembered: dict[SeriesKey, list[tuple[float, float]]] = {}

    def read(self, looking: Looking, stretches: Sequence[Stretch], *, with_births: bool) -> None:
        """Read what is not known yet; with births also what was there before them, and what returning targets held before their pause."""
        fresh = [stretch for stretch in stretches if stretch not in self._known]
        self._known.update(fresh)
        self._take(question for stretch in fresh for question in self._questions(stretch, stretch.targets))
        born = [(stretch, targets) for stretch in fresh if with_births and (targets := self._of_elder_processes(stretch))]
        self._take_former_addresses(born)
        elder = dict(born)
        open_to = [(stretch, targets) for stretch in fresh if (targets := elder.get(stretch, frozenset()) | stretch.returning)]
        told = self._told([self._memory_question(stretch, targets, looking.range.start_seconds) for stretch, targets in open_to])
        seen: list[tuple[Timeline, ...]] = [()] * len(open_to)
        if self._scope.copy_labels:
            seen = self._told([self._seen_question(stretch, targets, looking.range.start_seconds) for stretch, targets in open_to])
        for (stretch, _), values, moments in zip(open_to, told, seen, strict=True):
            for key, value in self._newest_told(values, moments):
                self._remember(key, stretch.first_seconds, value)

    def _told(self, questions: list[Question]) -> list[tuple[Timeline, ...]]:
        return [() if isinstance(outcome, SourceError) else outcome.series for outcome in (self._ask(questions) if questions else ())]

    def _newest_told(self, told: Iterable[Timeline], seen: Iterable[Timeline]) -> Iterator[tuple[SeriesKey, float]]:
        """The last value of each series; of copies the greatest of those that were seen within some minutes of the last one, as others may have missed a restart."""
        last_seen = {each.labels: each.last for each in seen if each.last is not None}
        found: dict[SeriesKey, list[tuple[float, float]]] = {}
        for each in told:
            if each.last is not None:
                key = key_of(each)
                found.setdefault(self.samples.series(key), []).append((last_seen.get(self._copy_of(key), -math.inf), each.last))
        for key, copies in found.items():
            newest = max(seconds for seconds, _ in copies)
            yield key, max(value for seconds, value in copies if seconds >= newest - self._scope.shortest_rate_seconds)

    def _copy_of(self, key: SeriesKey) -> Labels:
        """The target of a series, and of copies of one scrape the copy."""
        return tuple(pair for pair in key.labels if pair[0] in (*TARGET_LABELS, *self._scope.copy_labels))

    def _remember(self, key: SeriesKey, seconds: float, value: float) -> None:
        if key.metric == PROCESS_START:
            self.samples.add_start(key, seconds, value)
        else:
            self._remembered.setdefault(key, []).append((seconds, value))

    def _of_elder_processes(self, stretch: Stretch) -> frozenset[Target]:
        """The targets of whose processes it is not known that all began within the stretch: of the others nothing before it matters."""
        began: dict[Target, float] = {}
        for key in self.samples.of_metric(PROCESS_START):
            told = [value for _, value in self.samples.between(key, stretch.first_seconds - SAME_MOMENT_SECONDS, stretch.end_seconds)]
            if told:
                began[target_of(key.labels)] = min(*told, began.get(target_of(key.labels), math.inf))
        return frozenset(target for target in stretch.targets if began.get(target, 0.0) <= stretch.first_seconds)

    @property
    def remembered(self) -> Mapping[SeriesKey, float]:
        """Of the series that were there before a stretch with births, when the first such stretch began, in unix seconds."""
        return {key: min(seconds for seconds, _ in told) for key, told in self._remembered.items()}

    def seen_before(self, key: SeriesKey, seconds: float) -> tuple[float, float] | None:
        """When, at the latest, and at which value a series was seen last before a moment; None where it was not seen.

        A remembered value has no moment of its own. Where it is that of an older sample, which is read around each restart, it is that sample.
        """
        read = self.samples.newest(key, seconds)
        told = max((told for told in self._remembered.get(key, ()) if told[0] <= seconds), default=None)
        if read is None or told is None:
            return read or told
        return told if told[0] > read[0] and told[1] != read[1] else read

    def _take(self, questions: Iterable[Question]) -> None:
        for outcome in self._ask(list(questions)):
            if not isinstance(outcome, SourceError):
                self.samples.add(outcome.series)

    def _questions(self, stretch: Stretch, targets: Iterable[Target]) -> list[Question]:
        span = format_exact_duration(stretch.end_seconds - stretch.first_seconds)
        selectors = narrowed(self._counters, targets), f"{PROCESS_START}{{{target_matchers(targets)}}}"
        return [instant(f"{selector}[{span}]", stretch.end_seconds, keeps_name=True) for selector in selectors]

    @property
    def _counters(self) -> str:
        return render(f'{{{METRIC}=~"{self._names}", $experiment}}', matchers=self._scope.matchers)

    def _take_former_addresses(self, open_to: Sequence[tuple[Stretch, frozenset[Target]]]) -> None:
        asked = [(stretch, moments) for stretch, targets in open_to if (moments := self._processes(stretch, targets))]
        questions = [instant(self._same_process(stretch, moments), stretch.begin_seconds) for stretch, moments in asked]
        former = []
        for (stretch, _), outcome in zip(asked, self._ask(questions) if questions else (), strict=True):
            found = frozenset() if isinstance(outcome, SourceError) else frozenset(target_of(series.labels) for series in outcome.series)
            former.extend([(stretch, found - stretch.targets)] if found - stretch.targets else [])
        self._take(question for stretch, targets in former for question in self._questions(stretch, targets))

    def _processes(self, stretch: Stretch, targets: frozenset[Target]) -> list[float]:
        """When the processes of targets began."""
        keys = [key for key in self.samples.of_metric(PROCESS_START) if target_of(key.labels) in targets]
        return sorted({sample[1] for key in keys if (sample := self.samples.newest(key, stretch.end_seconds)) is not None})

    def _same_process(self, stretch: Stretch, moments: Sequence[float]) -> str:
        """The processes of the same jobs, just before the stretch, that began at one of these moments."""
        selector = f"{PROCESS_START}{{{target_matchers(stretch.targets, 'job')}}}"
        newest = f"last_over_time({selector}[{format_exact_duration(self._scope.shortest_rate_seconds)}])"
        return " or ".join(f"({newest} == {moment!r})" for moment in moments)

    def _memory_question(self, stretch: Stretch, targets: frozenset[Target], start_seconds: float) -> Question:
        """The last values from before the samples, as long ago as the range and a day before it, and when the processes that counted them began."""
        span = _memory_span(stretch, start_seconds)
        selectors = narrowed(self._counters, targets), f"{PROCESS_START}{{{target_matchers(targets)}}}"
        return instant(" or ".join(f"last_over_time({selector}[{span}])" for selector in selectors), stretch.first_seconds, keeps_name=True)

    def _seen_question(self, stretch: Stretch, targets: frozenset[Target], start_seconds: float) -> Question:
        """When each copy saw these targets last before the samples, to some minutes, in unix seconds."""
        selector = narrowed(render(f"{REQUESTS}{{$experiment}}", matchers=self._scope.matchers), targets)
        steps = f"{_memory_span(stretch, start_seconds)}:{format_exact_duration(FINEST_SECONDS)}"
        labels = ", ".join((*TARGET_LABELS, *self._scope.copy_labels))
        return instant(f"max by ({labels}) (max_over_time(timestamp({selector})[{steps}]))", stretch.first_seconds)


def _memory_span(stretch: Stretch, start_seconds: float) -> str:
    return format_exact_duration(max(0.0, stretch.first_seconds - start_seconds) + DAY_SECONDS)


def _names(queries: Iterable[AbQuery], scope: Scope) -> str:
    """A pattern for the counters' metrics, for the requests that births are held against, and for what tells when they were created."""
    metrics = {metric_of(query, scope) for query in queries} | {REQUESTS}
    return "|".join(sorted(metrics | {created_metric(metric) for metric in metrics}))
