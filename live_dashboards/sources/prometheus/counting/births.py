"""What a series had counted before its first sample: whether it began at zero then, goes on from another one, or cannot be told."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from live_dashboards.sources.prometheus.counting.samples import KINSHIP, Place, Samples, SeriesKey
from live_dashboards.sources.queries import REQUESTS

_SUM = "_sum"
_SUFFIXES = ("_total", "_bucket", _SUM, "_count")
_SCRAPES_APART = 2.5  # a series that went on under another name did so within two scrapes, which are not quite regular
_CLOCK_SLACK_SECONDS = 1.0
_SAME_START_SECONDS = 10.0  # exporters that derive when they began from how long they run tell moments that differ a little
_A_FEW = 10.0  # requests, of which a rate tells nothing
_SURELY_MORE = 10.0  # times what a process can have counted since it began, at the rate of before or after: it did not begin to count then


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

    `remembered` are series of which more is known than their samples: (unix seconds, value) that they had before a stretch of samples, in time order.
    """

    samples: Samples
    start_seconds: float
    remembered: Mapping[SeriesKey, Sequence[tuple[float, float]]] = field(default_factory=dict)

    def unseen(self, birth: Birth) -> Unseen:
        """By the first rule that decides.

        A series that was there before goes on, unless its process began anew meanwhile. One that was created in the range, or whose process began in it and
        had no such series before, counts from zero; so does one that a target's scrape did not hold yet, if that target's requests have grown by as much
        since. One whose sibling has just ended, or was created at the very same moment, goes on from there. Else it counted anything from nothing to its
        first value.
        """
        if birth.before is not None:
            seen_seconds, value = birth.before
            is_anew = birth.value < value or self.restarted(birth.key, seen_seconds, birth.seconds)
            return Unseen.exactly(birth.value if is_anew else birth.value - value)
        elder = self._elder(birth)
        if elder is not None:
            return Unseen.exactly(birth.value - elder) if elder <= birth.value else Unseen(0.0, birth.value)
        if birth.value <= 0 or self._was_created(birth) or self._came_with_its_process(birth):
            return Unseen.exactly(birth.value)
        return self._by_neighbours(birth)

    def _by_neighbours(self, birth: Birth) -> Unseen:
        """Of a series whose beginning nothing tells: by what ended just before it, and what grew meanwhile."""
        sibling = self._ended_sibling(birth)
        if sibling is None and (self._began_with_its_count(birth) if birth.key.metric.endswith(_SUM) else self._grew_as_much(birth)):
            return Unseen.exactly(birth.value)
        if sibling is not None and sibling <= birth.value:
            return Unseen.exactly(birth.value - sibling)
        return Unseen(0.0, birth.value)

    def restarted(self, key: SeriesKey, after_seconds: float, until_seconds: float) -> bool:
        """Whether the process behind a series began anew between two moments.

        It did where all its requests fell in between, or another start of it is told; unless its requests went on as they do: then what tells the start is
        not what counts (a gateway that keeps what was pushed to it). Of the first start that is told it may be known only that it lies in between; the moment
        at which it is told counts, as clocks differ.
        """
        place = self.samples.place(key)
        if any(after_seconds < later <= until_seconds for _, later in self.samples.falls(place)):
            return True
        began, before = self.samples.process_start(place, until_seconds), self.samples.process_start(place, after_seconds)
        if began is None:
            return False
        is_another = after_seconds < began if before is None else abs(began - before) > _SAME_START_SECONDS
        return is_another and not self._go_on(place, after_seconds, until_seconds, began)

    def restarts(self, key: SeriesKey) -> tuple[float, ...]:
        """The scrapes in which the process behind a series may be another one than in the scrape before."""
        place = self.samples.place(key)
        return (*(later for _, later in self.samples.falls(place)), *(moment for moment, _ in self.samples.told_starts(place)))

    def _go_on(self, place: Place, after_seconds: float, until_seconds: float, began_seconds: float) -> bool:
        """Whether the requests at a place are far more than a process that began then can have counted, and what they have grown by since before is not."""
        anew = grown = possible = possible_anew = 0.0
        for key in self.samples.there(place, REQUESTS):
            before, after = self.samples.newest(key, after_seconds), self.samples.newest(key, until_seconds)
            if before is not None and after is not None and after[0] > before[0]:
                rate = self._rate(key, before[0], after[0])
                anew, possible_anew = anew + after[1], possible_anew + rate * max(0.0, after[0] - began_seconds)
                grown, possible = grown + after[1] - before[1], possible + rate * (after[0] - before[0])
        return possible_anew > 0 and anew > _SURELY_MORE * (possible_anew + _A_FEW) and 0 <= grown <= _SURELY_MORE * (possible + _A_FEW)

    def _rate(self, key: SeriesKey, before_seconds: float, after_seconds: float) -> float:
        """What a series grows by in a second: before one moment or after another, whichever is more."""
        spans = self.samples.between(key, -math.inf, before_seconds), self.samples.between(key, after_seconds - _CLOCK_SLACK_SECONDS, math.inf)
        rates = [(points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0]) for points in spans if len(points) > 1]
        return max((rate for rate in rates if rate > 0), default=0.0)

    def _elder(self, birth: Birth) -> float | None:
        """The last value of an earlier series that was created at the very same moment: it is the same counter under another name, whatever lies between."""
        told = self._created(birth.key, birth.seconds)
        found = [] if told is None else [sample for key in self._of_metric(birth.key) if (sample := self._last_before(key, birth, told)) is not None]
        return max(found)[1] if found else None

    def _of_metric(self, wanted: SeriesKey) -> Iterator[SeriesKey]:
        every = dict.fromkeys((*self.samples.of_metric(wanted.metric), *(key for key in self.remembered if key.metric == wanted.metric)))
        return (key for key in every if key != wanted and _is_kind(key, wanted))

    def _last_before(self, key: SeriesKey, birth: Birth, created_seconds: float) -> tuple[float, float] | None:
        """The last sample of a series that ended before a birth, if it was created then."""
        last = self.samples.newest(key, math.inf)
        told = [sample for sample in self.remembered.get(key, ()) if sample[0] < birth.seconds]
        last = max((sample for sample in (last, *told) if sample is not None), default=None)
        if last is None or last[0] >= birth.seconds or self._created(key, last[0]) != created_seconds:
            return None
        return last

    def _was_created(self, birth: Birth) -> bool:
        """Whether the series was created in the range."""
        told = self._created(birth.key, birth.seconds)
        return told is not None and self.start_seconds < told

    def _created(self, key: SeriesKey, until_seconds: float) -> float | None:
        """When a series was created, as it was told last up to a moment."""
        created = SeriesKey(created_metric(key.metric), tuple(pair for pair in key.labels if pair[0] != "le"))
        told = self.samples.newest(created, until_seconds) or max((sample for sample in self.remembered.get(created, ()) if sample[0] <= until_seconds), default=None)
        return None if told is None else told[1]

    def _beginning(self, place: Place, until_seconds: float) -> float | None:
        """When the process at a place began: as it is told, or at the scrape before all its requests fell."""
        fallen = [sooner for sooner, later in self.samples.falls(place) if later <= until_seconds]
        told = self.samples.process_start(place, until_seconds)
        return max((moment for moment in (told, *fallen[-1:]) if moment is not None), default=None)

    def _came_with_its_process(self, birth: Birth) -> bool:
        began = self._beginning(self.samples.place(birth.key), birth.seconds)
        return began is not None and self.start_seconds < began and not self._stood_before(birth, began)

    def _stood_before(self, birth: Birth, began_seconds: float) -> bool:
        """Whether an earlier series of the metric is of the same process: under its address, or under another one."""
        place = self.samples.place(birth.key)
        places = (place, *self.samples.same_process(place, birth.seconds))
        for where in places:
            for key in self.samples.there(where, birth.key.metric):
                if key != birth.key and self.samples.between(key, began_seconds, birth.seconds - _CLOCK_SLACK_SECONDS):
                    return True
        is_older = began_seconds < self.samples.first_seconds(place)
        return is_older and any(key.metric == birth.key.metric and self.samples.place(key) in places for key in self._remembered_at(began_seconds, birth.seconds))

    def _remembered_at(self, after_seconds: float, until_seconds: float) -> Iterator[SeriesKey]:
        return (key for key, told in self.remembered.items() if any(after_seconds < seconds <= until_seconds for seconds, _ in told))

    def _ended_sibling(self, birth: Birth) -> float | None:
        """The last value of what may go on in this series, the greatest of several."""
        return max((value for _, value in self._ended(birth)), default=None)

    def _ended(self, birth: Birth) -> Iterator[tuple[SeriesKey, float]]:
        """The series of the same metric, kind and process that are gone within two scrapes before this one, with their last values."""
        place = self.samples.place(birth.key)
        since = birth.seconds - _SCRAPES_APART * self.samples.pause_seconds(place)
        for where in (place, *self.samples.same_process(place, birth.seconds)):
            for key in self.samples.there(where, birth.key.metric):
                last = self.samples.newest(key, math.inf)
                if key != birth.key and _is_kind(key, birth.key) and last is not None and since <= last[0] < birth.seconds and not self._another(key, last[0], birth):
                    yield key, last[1]

    def _another(self, key: SeriesKey, last_seconds: float, birth: Birth) -> bool:
        """Whether a series that ended at the place of a birth was of another process."""
        return self.samples.place(key) == self.samples.place(birth.key) and self.restarted(birth.key, last_seconds, birth.seconds)

    def _began_with_its_count(self, birth: Birth) -> bool:
        """Whether the number of what is added up in a sum began at zero in the same scrape."""
        count = SeriesKey(birth.key.metric.removesuffix(_SUM) + "_count", birth.key.labels)
        value = self.samples.value_of(count, birth.seconds)
        if value is None or self.samples.newest(count, birth.seconds - _CLOCK_SLACK_SECONDS) is not None or count in self._remembered_at(-math.inf, birth.seconds):
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
    return one.edge == other.edge and all(one.label(name) == other.label(name) for name in KINSHIP)


def created_metric(metric: str) -> str:
    """The name of the metric that tells since when a counter or histogram counts (OpenMetrics)."""
    base = next((metric.removesuffix(suffix) for suffix in _SUFFIXES if metric.endswith(suffix)), metric)
    return f"{base}_created"
