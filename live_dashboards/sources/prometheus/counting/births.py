"""What a series had counted before its first sample: whether it began at zero then, goes on from another one, or cannot be told."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from live_dashboards.sources.prometheus.counting.samples import Samples, SeriesKey
from live_dashboards.sources.queries import REQUESTS

_SUM = "_sum"
_SUFFIXES = ("_total", "_bucket", _SUM, "_count")
_KINSHIP = ("model_name", "status")  # the labels that part what is counted; others say only where, and may be respelt
_SCRAPES_APART = 2.5  # a series that went on under another name did so within two scrapes, which are not quite regular
_CLOCK_SLACK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Birth:
    """The first sample of a series after its absence: `before` is when (at the latest) and at which value it was seen last, None where it never was."""

    key: SeriesKey
    seconds: float
    value: float
    before: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Unseen:
    """What a series had counted within the range when it was first seen: at least `low`, at most `high`."""

    low: float
    high: float

    @classmethod
    def exactly(cls, value: float) -> Unseen:
        """What is known."""
        return cls(value, value)


@dataclass(frozen=True, slots=True)
class Rules:
    """Decides births from the samples around them, in the range that begins at `start_seconds`.

    `remembered` are series of which more is known than their samples: that they were there before a moment.
    """

    samples: Samples
    start_seconds: float
    remembered: Mapping[SeriesKey, float] = field(default_factory=dict)

    def unseen(self, birth: Birth) -> Unseen:
        """By the first rule that decides.

        A series that was there before goes on, unless its process began anew meanwhile. One that was created in the range, or whose process began in it and
        had no such series before, counts from zero; so does one that a target's scrape did not hold yet, if that target's requests have grown by as much
        since. One whose sibling has just ended goes on from there. Else it counted anything from nothing to its first value.
        """
        if birth.before is not None:
            seen_seconds, value = birth.before
            is_anew = birth.value < value or self.restarted(birth.key, seen_seconds, birth.seconds)
            return Unseen.exactly(birth.value if is_anew else birth.value - value)
        if birth.value <= 0 or self._was_created(birth) or self._came_with_its_process(birth):
            return Unseen.exactly(birth.value)
        sibling = self._ended_sibling(birth)
        if sibling is None and (self._began_with_its_count(birth) if birth.key.metric.endswith(_SUM) else self._grew_as_much(birth)):
            return Unseen.exactly(birth.value)
        if sibling is not None and sibling <= birth.value:
            return Unseen.exactly(birth.value - sibling)
        return Unseen(0.0, birth.value)

    def restarted(self, key: SeriesKey, after_seconds: float, until_seconds: float) -> bool:
        """Whether the process behind a series began between two of its samples; of the first one it may be known only that it was there before a moment."""
        place = self.samples.place(key)
        began, before = self.samples.process_start(place, until_seconds), self.samples.process_start(place, after_seconds)
        if began is None or began > until_seconds:
            return False
        is_another = before is not None and began - before > _SCRAPES_APART * self.samples.pause_seconds(place)  # moments of one process may differ a little
        return after_seconds < began or is_another

    def begins(self, key: SeriesKey, after_seconds: float, until_seconds: float) -> tuple[float, ...]:
        """When processes began within a while where the series is scraped."""
        return tuple(began for began in self.samples.process_starts(self.samples.place(key)) if after_seconds < began <= until_seconds)

    def _was_created(self, birth: Birth) -> bool:
        """Whether the series was created in the range, and no other one that has just ended is the same counter."""
        told = self._created(birth.key, birth.seconds)
        if told is None or not self.start_seconds < told <= birth.seconds + _CLOCK_SLACK_SECONDS:
            return False
        return all(self._created(key, birth.seconds) != told for key, _ in self._ended(birth))

    def _created(self, key: SeriesKey, until_seconds: float) -> float | None:
        """When a series was created, as it was told last up to a moment."""
        created = SeriesKey(created_metric(key.metric), tuple(pair for pair in key.labels if pair[0] != "le"))
        told = self.samples.newest(created, until_seconds)
        return None if told is None else told[1]

    def _came_with_its_process(self, birth: Birth) -> bool:
        began = self.samples.process_start(self.samples.place(birth.key), birth.seconds)
        return began is not None and self.start_seconds < began <= birth.seconds + _CLOCK_SLACK_SECONDS and not self._stood_before(birth, began)

    def _stood_before(self, birth: Birth, began_seconds: float) -> bool:
        """Whether an earlier series of the metric is of the same process: under its address, or under another one."""
        place = self.samples.place(birth.key)
        for where in (place, *self.samples.same_process(place, birth.seconds)):
            for key in self.samples.there(where, birth.key.metric):
                if key != birth.key and self.samples.between(key, began_seconds - _CLOCK_SLACK_SECONDS, birth.seconds - _CLOCK_SLACK_SECONDS):
                    return True
        is_older = began_seconds < self.samples.first_seconds(place)
        return is_older and any(key.metric == birth.key.metric and self.samples.place(key) == place for key in self._remembered_at(birth.seconds))

    def _remembered_at(self, seconds: float) -> Iterator[SeriesKey]:
        return (key for key, before in self.remembered.items() if before <= seconds)

    def _ended_sibling(self, birth: Birth) -> float | None:
        """The last value of what may go on in this series, the greatest of several."""
        return max((value for _, value in self._ended(birth)), default=None)

    def _ended(self, birth: Birth) -> Iterator[tuple[SeriesKey, float]]:
        """The series of the same metric and kind that are gone within two scrapes before this one, with their last values."""
        place = self.samples.place(birth.key)
        since = birth.seconds - _SCRAPES_APART * self.samples.pause_seconds(place)
        for where in (place, *self.samples.same_process(place, birth.seconds)):
            for key in self.samples.there(where, birth.key.metric):
                last = self.samples.newest(key, math.inf)
                if key != birth.key and _is_kind(key, birth.key) and last is not None and since <= last[0] < birth.seconds:
                    yield key, last[1]

    def _began_with_its_count(self, birth: Birth) -> bool:
        """Whether the number of what is added up in a sum began at zero in the same scrape."""
        count = SeriesKey(birth.key.metric.removesuffix(_SUM) + "_count", birth.key.labels)
        value = self.samples.value_of(count, birth.seconds)
        if value is None or self.samples.newest(count, birth.seconds - _CLOCK_SLACK_SECONDS) is not None or count in self._remembered_at(birth.seconds):
            return False
        return self.unseen(Birth(count, birth.seconds, value)) == Unseen.exactly(value)

    def _grew_as_much(self, birth: Birth) -> bool:
        """Whether the target was scraped just before, without this series, and its requests have grown by at least as much since."""
        place = self.samples.place(birth.key)
        counted = [key for key in self.samples.there(place, REQUESTS) if key != birth.key]
        scrapes = (self.samples.newest(key, birth.seconds - _CLOCK_SLACK_SECONDS) for key in counted)
        before_seconds = max((scrape[0] for scrape in scrapes if scrape is not None), default=-math.inf)
        if birth.seconds - before_seconds > _SCRAPES_APART * self.samples.pause_seconds(place):
            return False
        pairs = ((self.samples.value_of(key, before_seconds), self.samples.value_of(key, birth.seconds)) for key in counted)
        return birth.value <= sum(after - before if after >= before else after for before, after in pairs if before is not None and after is not None)


def _is_kind(one: SeriesKey, other: SeriesKey) -> bool:
    return one.edge == other.edge and all(one.label(name) == other.label(name) for name in _KINSHIP)


def created_metric(metric: str) -> str:
    """The name of the metric that tells since when a counter or histogram counts (OpenMetrics)."""
    base = next((metric.removesuffix(suffix) for suffix in _SUFFIXES if metric.endswith(suffix)), metric)
    return f"{base}_created"
