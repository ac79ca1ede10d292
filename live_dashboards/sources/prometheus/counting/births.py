"""What a series had counted before its first sample: whether it began at zero then, goes on from another one,
or cannot be told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from live_dashboards.model.metrics import EXPORTED
from live_dashboards.sources.prometheus.counting.samples import KINSHIP, TARGET_LABELS, Samples, SeriesKey
from live_dashboards.sources.prometheus.reply import without
from live_dashboards.sources.queries import REQUESTS

_SUM = "_sum"
_SUFFIXES = ("_total", "_bucket", _SUM, "_count")
# a series that went on under another name did so within two scrapes, which are not quite regular
_SCRAPES_APART = 2.5
_NEIGHBOURS_APART = 1.5  # a series with samples at so few pauses' distance has missed no scrape in between
_CLOCK_SLACK_SECONDS = 1.0
# exporters that derive when they began from how long they run tell moments that differ a little
_SAME_START_SECONDS = 10.0
# by which clocks may differ: a start from longer ago than the last scrape is no restart since
_CLOCKS_SECONDS = 300.0
_OF_ONE_PROCESS = frozenset({"le", "status"})  # labels in which counters of one process differ
_A_FEW = 10.0  # requests, of which a rate tells nothing
# times what a process can have counted since it began, at the rate of before or after: it did not begin to
# count then
_SURELY_MORE = 10.0


@dataclass(frozen=True, slots=True)
class Birth:
    """The first sample of a series after its absence: `before` is when (at the latest) and at which value it
    was seen last, None where it never was.
    """

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


class Restart(Enum):
    """Whether a process began anew."""

    NONE = "none"
    MAYBE = "maybe"
    SURE = "sure"


@dataclass(frozen=True, slots=True)
class Rules:
    """Decides births from the samples around them, in the range that begins at `start_seconds`.

    `remembered` are series of which more is known than their samples: (unix seconds, value) that they had
    before a stretch of samples, in time order.
    """

    samples: Samples
    start_seconds: float
    remembered: Mapping[SeriesKey, Sequence[tuple[float, float]]] = field(default_factory=dict)

    def unseen(self, birth: Birth) -> Unseen:
        """By the first rule that decides.

        A series that was there before goes on, unless its process began anew meanwhile. One that was created
        in the range, or whose process began in it and had no such series before, counts from zero; so does
        one that a target's scrape did not hold yet, if that target's requests have grown by as much since.
        One whose sibling has just ended, or was created at the very same moment, goes on from there. Else it
        counted anything from nothing to its first value.
        """
        if birth.before is not None:
            return self._since(birth, *birth.before)
        elder = self._elder(birth)
        if elder is not None:
            return _goes_on(birth, elder[1])
        if (
            birth.value <= 0
            or (self._was_created(birth) and not self._is_twice_there(birth))
            or self._came_with_its_process(birth)
        ):
            return Unseen.exactly(birth.value)
        return self._by_neighbours(birth)

    def _since(self, birth: Birth, seen_seconds: float, value: float) -> Unseen:
        """Of a series that was there before: it goes on, from what was counted under another name meanwhile,
        or anew.
        """
        elder = self._elder(birth)
        if elder is not None and elder[0] > seen_seconds:
            return _goes_on(birth, elder[1])
        return self.since_meanwhile(birth, seen_seconds, value) or self._own_growth(
            birth, seen_seconds, value
        )

    def since_meanwhile(self, birth: Birth, seen_seconds: float, value: float) -> Unseen | None:
        """Of a series that is back after it was seen at a value, when another one that has stood in its place
        meanwhile is gone; None where none has.
        """
        meanwhile = max(
            ((last, key) for key, last in self._ended(birth) if last[0] > seen_seconds),
            key=lambda each: each[0],
            default=None,
        )
        return None if meanwhile is None else self._since_another(birth, (seen_seconds, value), *meanwhile)

    def _own_growth(self, birth: Birth, seen_seconds: float, value: float) -> Unseen:
        """Of a series that was there before, if nothing has counted for it meanwhile."""
        if birth.value < value:
            return Unseen.exactly(birth.value)
        restart = self.restarted(birth.key, seen_seconds, birth.seconds)
        if restart is Restart.SURE:
            return Unseen.exactly(birth.value)
        return Unseen(birth.value - value, birth.value if restart is Restart.MAYBE else birth.value - value)

    def _since_another(
        self, birth: Birth, before: tuple[float, float], last: tuple[float, float], key: SeriesKey
    ) -> Unseen:
        """Of a series that is back when another one is gone: it goes on from there if that one had gone on
        from it, and for itself if that one had not.

        Two processes that are there in turn count for themselves: the one begins below what the other one
        had. Where the moment at which they changed places was not scraped, what tells the process, or how
        they change places at other times, tells it; else either may be.
        """
        own = self._own_growth(birth, *before)
        if last[1] > birth.value:
            return own
        gone_on = Unseen.exactly(birth.value - last[1])
        is_told = self.samples.process_start(self.samples.place(birth.key), birth.seconds) is not None
        if is_told and (last[1] >= before[1] or own == Unseen.exactly(birth.value)):
            return gone_on
        longest = _SCRAPES_APART * self.samples.pause_seconds(self.samples.place(birth.key))
        then = [*self._changes(birth, key, before[0] - _CLOCK_SLACK_SECONDS, before[0] + longest)] or [
            *self._changes(birth, key, -math.inf, math.inf)
        ]
        if then and not any(then):
            return own
        return (
            gone_on if then and all(then) else Unseen(min(own.low, gone_on.low), max(own.high, gone_on.high))
        )

    def _changes(
        self, birth: Birth, other: SeriesKey, after_seconds: float, until_seconds: float
    ) -> Iterator[bool]:
        """Where else a series and another one follow each other within two scrapes, in the samples of a
        while: whether the one goes on from the other.
        """
        longest = _SCRAPES_APART * self.samples.pause_seconds(self.samples.place(birth.key))
        points = sorted(
            (*sample, key == other)
            for key in (birth.key, other)
            for sample in self.samples.between(key, after_seconds, until_seconds)
        )
        for (sooner, before, was_other), (later, after, is_other) in pairwise(points):
            if was_other != is_other and later - sooner <= longest and later != birth.seconds:
                yield after >= before

    def _by_neighbours(self, birth: Birth) -> Unseen:
        """Of a series whose beginning nothing tells: by what ended just before it, and what grew
        meanwhile.
        """
        # the greatest of several
        sibling = max((value for _, (_, value) in self._ended(birth)), default=None)
        if sibling is None and (
            self._began_with_its_count(birth)
            if birth.key.metric.endswith(_SUM)
            else self._grew_as_much(birth)
        ):
            return Unseen.exactly(birth.value)
        if sibling is not None and sibling <= birth.value:
            return Unseen.exactly(birth.value - sibling)
        return Unseen(0.0, birth.value)

    def restarted(self, key: SeriesKey, after_seconds: float, until_seconds: float) -> Restart:
        """Whether the process behind a series began anew between two moments.

        Surely where it was created in between, or, of a process that tells no start, all requests like it
        fell. Where another start is told that lies in between (but for the clocks), surely too if requests
        like it fell, were a few, or have grown by far more than they go on to; else what tells the start may
        not be what counts: a gateway keeps what was pushed to it.
        """
        created = self._created(key, until_seconds)
        if created is not None and after_seconds < created <= until_seconds:
            return Restart.SURE
        place = self.samples.place(key)
        began, before = (
            self.samples.process_start(place, until_seconds),
            self.samples.process_start(place, after_seconds),
        )
        if began is None:
            return Restart.SURE if self._all_fell(key, after_seconds, until_seconds) else Restart.NONE
        is_another = (
            after_seconds < began
            if before is None
            else abs(began - before) > _SAME_START_SECONDS and began > after_seconds - _CLOCKS_SECONDS
        )
        if not is_another:
            return Restart.NONE
        return Restart.MAYBE if self._may_go_on(key, after_seconds, until_seconds) else Restart.SURE

    def neighbours_seconds(self, key: SeriesKey) -> float:
        """By how much neighbouring samples of a series lie apart at most: between others it has missed
        scrapes.
        """
        return _NEIGHBOURS_APART * self.samples.pause_seconds(self.samples.place(key))

    def restarts(self, key: SeriesKey) -> tuple[float, ...]:
        """The scrapes in which the process behind a series may be another one than in the scrape before."""
        falls = (
            later
            for like in self._like(key)
            for (_, before), (later, after) in pairwise(self.samples.between(like, -math.inf, math.inf))
            if after < before
        )
        told = self.samples.between(_created_key(key), -math.inf, math.inf)
        created = (later for (_, before), (later, after) in pairwise(told) if after != before)
        return (
            *falls,
            *(moment for moment, _ in self.samples.told_starts(self.samples.place(key))),
            *created,
        )

    def _like(self, key: SeriesKey) -> Iterator[SeriesKey]:
        """The requests where a series is counted that agree with it in every label that both have, but for
        how a request ended.
        """
        own = {name: value for name, value in key.labels if name not in _OF_ONE_PROCESS}
        for like in self.samples.there(self.samples.place(key), REQUESTS):
            if like != key and all(
                own.get(name, value) == value for name, value in like.labels if name not in _OF_ONE_PROCESS
            ):
                yield like

    def _all_fell(self, key: SeriesKey, after_seconds: float, until_seconds: float) -> bool:
        """Whether requests like a series fell between two moments, none but a few went on, and it holds no
        more than they have counted since.
        """
        histories = [self._history(like, after_seconds, until_seconds) for like in self._like(key)]
        own = self.samples.newest(counted_with(key), until_seconds)
        if own is not None and own[1] > sum(points[-1][1] for points in histories if points) + _A_FEW:
            return False
        known = [points for points in histories if len(points) > 1]
        fell = [_falls(points) for points in known]
        return any(fell) and all(
            has_fallen or points[0][1] <= _A_FEW for has_fallen, points in zip(fell, known, strict=True)
        )

    def _history(
        self, key: SeriesKey, after_seconds: float, until_seconds: float
    ) -> list[tuple[float, float]]:
        """The last sample up to one moment, or what is remembered of it, and all from then up to another;
        nothing where it is not known what was there before.
        """
        told = [
            sample
            for sample in self.remembered.get(key, ())
            if sample[0] <= after_seconds + _CLOCK_SLACK_SECONDS
        ]
        last = max(
            (sample for sample in (self.samples.newest(key, after_seconds), *told) if sample is not None),
            default=None,
        )
        return [] if last is None else [last, *self.samples.between(key, after_seconds, until_seconds)]

    def _may_go_on(self, key: SeriesKey, after_seconds: float, until_seconds: float) -> bool:
        """Whether requests like a series may have gone on between two moments: none fell, they are not few,
        and have not grown by far more than they do.
        """
        before = grown = possible = 0.0
        for like in {*self._like(key), key} if key.metric == REQUESTS else self._like(key):
            points = self._history(like, after_seconds, until_seconds)
            if len(points) > 1:
                if _falls(points):
                    return False
                before, grown = before + points[0][1], grown + points[-1][1] - points[0][1]
                possible += self._rate(like, points[0][0], points[-1][0]) * (points[-1][0] - points[0][0])
        return before > _A_FEW and grown <= _SURELY_MORE * (possible + _A_FEW)

    def _rate(self, key: SeriesKey, before_seconds: float, after_seconds: float) -> float:
        """What a series grows by in a second: between neighbouring scrapes before one moment or after
        another, the most there is; anything where there are none.
        """
        spans = (
            self.samples.between(key, -math.inf, before_seconds),
            self.samples.between(key, after_seconds - _CLOCK_SLACK_SECONDS, math.inf),
        )
        pairs = [pair for points in spans for pair in pairwise(points)]
        return max(
            ((later[1] - sooner[1]) / (later[0] - sooner[0]) for sooner, later in pairs), default=math.inf
        )

    def _elder(self, birth: Birth) -> tuple[float, float] | None:
        """The last sample of an earlier series that was created at the very same moment: it is the same
        counter under another name, whatever lies between.

        Not where that moment is the start of the process, which all of its counters may share, or where
        another process is told.
        """
        created = self._own_creation(birth)
        if created is None:
            return None
        began = self.samples.process_start(self.samples.place(birth.key), birth.seconds)
        samples = (
            self._last_before(key, birth, created)
            for key in self._of_metric(birth.key)
            if not self._is_of_another(key, birth, began)
        )
        return max((sample for sample in samples if sample is not None), default=None)

    def _is_of_another(self, key: SeriesKey, birth: Birth, began_seconds: float | None) -> bool:
        told = self.samples.process_start(self.samples.place(key), birth.seconds)
        return (
            told is not None and began_seconds is not None and abs(told - began_seconds) > _SAME_START_SECONDS
        )

    def _own_creation(self, birth: Birth) -> float | None:
        """When a series that begins was created; None where that is the start of its process, which says
        nothing of the series.
        """
        created = self._created(birth.key, birth.seconds)
        began = self.samples.process_start(self.samples.place(birth.key), birth.seconds)
        return (
            None
            if created is None or (began is not None and abs(began - created) < _CLOCK_SLACK_SECONDS)
            else created
        )

    def _is_twice_there(self, birth: Birth) -> bool:
        """Whether a series that was created at the very same moment was there before and still is: one
        counter that is scraped twice.
        """
        created, since = self._own_creation(birth), birth.seconds - _CLOCK_SLACK_SECONDS
        others = (key for key in self._of_metric(birth.key) if self._created(key, birth.seconds) == created)
        return any(
            self.samples.newest(key, since) is not None and self._gone(key, birth) is None for key in others
        )

    def _of_metric(self, wanted: SeriesKey) -> Iterator[SeriesKey]:
        every = dict.fromkeys(
            (
                *self.samples.of_metric(wanted.metric),
                *(key for key in self.remembered if key.metric == wanted.metric),
            )
        )
        return (key for key in every if key != wanted and _is_kind(key, wanted) and _agree(key, wanted))

    def _last_before(
        self, key: SeriesKey, birth: Birth, created_seconds: float
    ) -> tuple[float, float] | None:
        """The last sample of a series that ended before a birth, if it was created then."""
        told = [sample for sample in self.remembered.get(key, ()) if sample[0] < birth.seconds]
        last = max((sample for sample in (self._gone(key, birth), *told) if sample is not None), default=None)
        if last is None or self._is_there(key, birth) or self._created(key, last[0]) != created_seconds:
            return None
        return last

    def _gone(self, key: SeriesKey, birth: Birth) -> tuple[float, float] | None:
        """The last sample before a birth of a series that is not there any more then, though it may be back
        later.
        """
        return None if self._is_there(key, birth) else self.samples.newest(key, birth.seconds)

    def _is_there(self, key: SeriesKey, birth: Birth) -> bool:
        """Whether a series is there at a birth: in the same scrape, or with samples around it that are
        neighbours.
        """
        last = self.samples.newest(key, birth.seconds)
        after = next(iter(self.samples.between(key, birth.seconds, math.inf)), None)
        if after is None or last is None:
            return after is not None or (last is not None and last[0] == birth.seconds)
        return last[0] == birth.seconds or after[0] - last[0] <= self.neighbours_seconds(key)

    def _was_created(self, birth: Birth) -> bool:
        """Whether the series was created in the range."""
        created = self._own_creation(birth)
        return created is not None and self.start_seconds < created

    def _created(self, key: SeriesKey, until_seconds: float) -> float | None:
        """When a series was created, as it was told last up to a moment."""
        created = _created_key(key)
        told = self.samples.newest(created, until_seconds) or max(
            (sample for sample in self.remembered.get(created, ()) if sample[0] <= until_seconds),
            default=None,
        )
        return None if told is None else told[1]

    def _beginning(self, birth: Birth) -> float | None:
        """When the process of a series that begins began: as it is told, or at the scrape before its requests
        went on lower under another name, or all fell.
        """
        place = self.samples.place(birth.key)
        told = self.samples.process_start(place, birth.seconds)
        if told is not None:
            return told
        fallen = [sooner for sooner, later in self.samples.falls(place) if later <= birth.seconds]
        return fallen[-1] if fallen else None

    def _came_with_its_process(self, birth: Birth) -> bool:
        began = self._beginning(birth)
        return began is not None and self.start_seconds < began and not self._stood_before(birth, began)

    def _stood_before(self, birth: Birth, began_seconds: float) -> bool:
        """Whether an earlier series of the metric is of the same process: under its address, or under another
        one.
        """
        place = self.samples.place(birth.key)
        places = (place, *self.samples.same_process(place, birth.seconds))
        for where in places:
            for key in self.samples.there(where, birth.key.metric):
                if key != birth.key and self.samples.between(
                    key, began_seconds, birth.seconds - _CLOCK_SLACK_SECONDS
                ):
                    return True
        is_older = began_seconds < self.samples.first_seconds(place)
        return is_older and any(
            key.metric == birth.key.metric and self.samples.place(key) in places
            for key in self._remembered_at(began_seconds, birth.seconds)
        )

    def _remembered_at(self, after_seconds: float, until_seconds: float) -> Iterator[SeriesKey]:
        return (
            key
            for key, told in self.remembered.items()
            if any(after_seconds < seconds <= until_seconds for seconds, _ in told)
        )

    def _ended(self, birth: Birth) -> Iterator[tuple[SeriesKey, tuple[float, float]]]:
        """The series of the same metric, kind and process that are gone within two scrapes before this one,
        with their last samples.
        """
        place = self.samples.place(birth.key)
        since = birth.seconds - _SCRAPES_APART * self.samples.pause_seconds(place)
        for where in (place, *self.samples.same_process(place, birth.seconds)):
            for key in self.samples.there(where, birth.key.metric):
                last = self._gone(key, birth) if key != birth.key and _is_kind(key, birth.key) else None
                if last is not None and since <= last[0] and not self._another(key, last[0], birth):
                    yield key, last

    def _another(self, key: SeriesKey, last_seconds: float, birth: Birth) -> bool:
        """Whether a series that ended at the place of a birth was of another process."""
        place = self.samples.place(birth.key)
        if self.samples.place(key) != place:
            return False
        began, before = (
            self.samples.process_start(place, birth.seconds),
            self.samples.process_start(place, last_seconds),
        )
        if began is not None:
            return before is not None and abs(began - before) > _SAME_START_SECONDS
        return any(last_seconds < later <= birth.seconds for _, later in self.samples.falls(place))

    def _began_with_its_count(self, birth: Birth) -> bool:
        """Whether the number of what is added up in a sum began at zero in the same scrape."""
        count = SeriesKey(birth.key.metric.removesuffix(_SUM) + "_count", birth.key.labels)
        value = self.samples.value_of(count, birth.seconds)
        if (
            value is None
            or self.samples.newest(count, birth.seconds - _CLOCK_SLACK_SECONDS) is not None
            or count in self._remembered_at(-math.inf, birth.seconds)
        ):
            return False
        return self.unseen(Birth(count, birth.seconds, value)) == Unseen.exactly(value)

    def _grew_as_much(self, birth: Birth) -> bool:
        """Whether the target was scraped just before, without this series, and its requests have grown by at
        least as much since.
        """
        place = self.samples.place(birth.key)
        counted = [key for key in self.samples.there(place, REQUESTS) if key != birth.key]
        scrapes = (self.samples.newest(key, birth.seconds - _CLOCK_SLACK_SECONDS) for key in counted)
        before_seconds = max((scrape[0] for scrape in scrapes if scrape is not None), default=-math.inf)
        if birth.seconds - before_seconds > _SCRAPES_APART * self.samples.pause_seconds(place):
            return False
        pairs = (
            (self.samples.value_of(key, before_seconds), self.samples.value_of(key, birth.seconds))
            for key in counted
        )
        return birth.value <= sum(
            after - before if after >= before else after
            for before, after in pairs
            if before is not None and after is not None
        )


def _goes_on(birth: Birth, value: float) -> Unseen:
    """A series that goes on from a value; anything where it is lower."""
    return Unseen.exactly(birth.value - value) if value <= birth.value else Unseen(0.0, birth.value)


def _agree(one: SeriesKey, other: SeriesKey) -> bool:
    """Whether two series have the same values of all labels that both have, but for where they are scraped
    and how an edge is spelt.
    """
    own = dict(one.labels)
    return all(
        own.get(name, value) == value for name, value in other.labels if name not in {*TARGET_LABELS, "le"}
    )


def _falls(points: Sequence[tuple[float, float]]) -> bool:
    return any(after < before for (_, before), (_, after) in pairwise(points))


def counted_with(key: SeriesKey) -> SeriesKey:
    """The series that counts what a sum or a bucket holds; of others themselves."""
    base = next(
        (key.metric.removesuffix(suffix) for suffix in (_SUM, "_bucket") if key.metric.endswith(suffix)), None
    )
    return key if base is None else SeriesKey(f"{base}_count", without(key.labels, ("le",)))


def _created_key(key: SeriesKey) -> SeriesKey:
    return SeriesKey(created_metric(key.metric), without(key.labels, ("le",)))


def _is_kind(one: SeriesKey, other: SeriesKey) -> bool:
    return one.edge == other.edge and all(one.label(name) == other.label(name) for name in KINSHIP)


def created_metric(metric: str) -> str:
    """The name of the metric that tells since when a counter or histogram counts (OpenMetrics)."""
    base = next((metric.removesuffix(suffix) for suffix in _SUFFIXES if metric.endswith(suffix)), metric)
    return f"{base}{EXPORTED.created}"
