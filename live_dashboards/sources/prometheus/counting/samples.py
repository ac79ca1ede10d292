"""Raw samples around the moments at which series begin or restart, and what can be looked up in them.

Copies of one scrape are one series here: what several Prometheus have seen of one process, in the order of
time.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low

from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.reply import Labels, without
from live_dashboards.sources.queries import REQUESTS

PROCESS_START = EXPORTED.process_start
METRIC = "__name__"
TARGET_LABELS = ("job", "instance")
# the labels that part what is counted; others say only where, and may be respelt
KINSHIP = ("model_name", "status")
Points = list[tuple[float, float]]  # (unix seconds, value)

# by which a sample may tell of an earlier moment than its own: slow scrapes, and clocks of two servers
_OLD_NEWS_SECONDS = 10.0
# longer than clocks can differ where copies go on; where pauses are not known, seconds
_SILENT_PAUSES, _SILENT_SECONDS = 2.5, 120.0
_SAME = 1e-9  # relative; a float that went through another store's text

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """One series: its metric and its labels."""

    metric: str
    labels: Labels

    def label(self, name: str) -> str:
        """The label's value, empty where it is not there."""
        return dict(self.labels).get(name, "")

    @property
    def edge(self) -> float | None:
        """A bucket's upper bound as the number that it is, however it is spelt; None for what is no
        bucket.
        """
        try:
            return float(self.label("le"))
        except ValueError:
            return None

    def without(self, names: Collection[str]) -> SeriesKey:
        """The same without these labels."""
        return SeriesKey(self.metric, without(self.labels, names))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a series is scraped: its target, and what tells several processes behind one target apart."""

    labels: Labels

    @classmethod
    def of(cls, key: SeriesKey, names: Iterable[str]) -> Place:
        """The place of a series, by the labels of these names that it has."""
        return cls(tuple(pair for pair in key.labels if pair[0] in names))


class Samples:
    """What was read raw, by series, and which series stand at a place.

    `copy_labels` tell copies of one scrape apart, which are one series here; `usual_pause_seconds` lie
    between two scrapes of a place of which one alone was read. Behind one target there may be several
    processes (pods under the address of their node, clusters in one store): the labels in which their
    `process_start_time_seconds` differ are part of the place.
    """

    def __init__(self, copy_labels: tuple[str, ...] = (), usual_pause_seconds: float = 0.0) -> None:
        self._copy_labels = copy_labels
        self._usual_pause_seconds = usual_pause_seconds
        self._copies: dict[SeriesKey, dict[SeriesKey, Points]] = {}
        self._points: dict[SeriesKey, Points] = {}  # put together from copies when they are looked up
        self._told_starts: dict[SeriesKey, Points] = {}
        # within stretches: samples of two of them are no neighbours
        self._pauses: dict[SeriesKey, list[float]] = {}
        self._found: _SeriesByPlace | None = None  # made anew after each addition

    def add(self, series: Iterable[Timeline]) -> None:
        """Take in all samples of a stretch, in series that carry their metric's name as a label; one that is
        known already changes nothing.
        """
        for each in series:
            key = self.series(key_of(each))
            copies = self._copies.setdefault(key, {})
            known = dict(copies.get(key_of(each), ()))
            known.update({seconds: value for seconds, value in each.points if value is not None})
            copies[key_of(each)] = sorted(known.items())
            self._points.pop(key, None)
            self._pauses.setdefault(key, []).extend(
                later - sooner for (sooner, _), (later, _) in pairwise(each.points)
            )
            self._found = None

    def add_start(self, key: SeriesKey, seconds: float, began_seconds: float) -> None:
        """Take in when a process began, as it was told last before a stretch that begins at that moment."""
        self._told_starts.setdefault(self.series(key), []).append((seconds, began_seconds))
        self._found = None

    @property
    def _at(self) -> _SeriesByPlace:
        if self._found is None:
            starts = {key: self._points_of(key) for key in self.of_metric(PROCESS_START)}
            told = {
                key: [*starts.get(key, ()), *self._told_starts.get(key, ())]
                for key in {**starts, **self._told_starts}
            }
            self._found = _SeriesByPlace(self._copies, told)
        return self._found

    def place(self, key: SeriesKey) -> Place:
        """Where a series is scraped."""
        return self._at.place(key)

    def there(self, place: Place, metric: str) -> Sequence[SeriesKey]:
        """The series of a metric at a place."""
        return self._at.there.get((place, metric), ())

    def of_metric(self, metric: str) -> Iterator[SeriesKey]:
        """All series of a metric."""
        return (key for key in self._copies if key.metric == metric)

    def series(self, copy: SeriesKey) -> SeriesKey:
        """The series that copies of one scrape are here; another one itself."""
        return copy.without(self._copy_labels) if self._copy_labels else copy

    def greatest_newest(self, key: SeriesKey, after_seconds: float, until_seconds: float) -> float | None:
        """The greatest of the copies' newest values within a while, as a server says it: after a restart, of
        one that has not seen it yet.
        """
        newest = (_newest(points, until_seconds) for points in self._copies.get(key, {}).values())
        return max(
            (sample[1] for sample in newest if sample is not None and sample[0] > after_seconds), default=None
        )

    def newest(self, key: SeriesKey, until_seconds: float) -> tuple[float, float] | None:
        """The newest sample up to a moment, that moment included."""
        return _newest(self._points_of(key), until_seconds)

    def between(self, key: SeriesKey, after_seconds: float, until_seconds: float) -> Points:
        """The samples after one moment and up to another."""
        points = self._points_of(key)
        return points[
            bisect_right(points, (after_seconds, math.inf)) : bisect_right(points, (until_seconds, math.inf))
        ]

    def value_of(self, key: SeriesKey, seconds: float) -> float | None:
        """The value that was scraped at that very moment."""
        newest = self.newest(key, seconds)
        return newest[1] if newest is not None and newest[0] == seconds else None

    def process_start(self, place: Place, until_seconds: float) -> float | None:
        """When the process at a place began, as it was told last up to a moment; None where it is not
        told.
        """
        told = _newest(self._at.starts.get(place, []), until_seconds)
        return None if told is None else told[1]

    def told_starts(self, place: Place) -> Sequence[tuple[float, float]]:
        """The moments at which it was told anew when the process at a place began, and when that was."""
        return self._at.starts.get(place, ())

    def same_process(self, place: Place, until_seconds: float) -> Iterator[Place]:
        """Other places whose process began at the very same moment: one process under another address."""
        began = self.process_start(place, until_seconds)
        for other in self._at.of_start.get(began, ()) if began is not None else ():
            if other != place and self.process_start(other, until_seconds) == began:
                yield other

    def falls(self, place: Place) -> Sequence[tuple[float, float]]:
        """Between which scrapes all requests at a place fell: its process began anew in between, whatever it
        is called now.
        """
        found = self._at.falls
        if place not in found:
            found[place] = tuple(_falls([(key, self._points_of(key)) for key in self.there(place, REQUESTS)]))
        return found[place]

    def pause_seconds(self, place: Place) -> float:
        """How long it is from one scrape of a place to the next, the usual pause."""
        found = self._at.pauses
        if place not in found:
            pauses = [pause for key in self._at.all_there.get(place, ()) for pause in self._pauses[key]]
            found[place] = median_low(pauses or [self._usual_pause_seconds])
        return found[place]

    def first_seconds(self, place: Place) -> float:
        """From when on there are samples of a place; infinity where there is none."""
        return min(
            (points[0][0] for key in self._at.all_there.get(place, ()) if (points := self._points_of(key))),
            default=math.inf,
        )

    def _points_of(self, key: SeriesKey) -> Points:
        if key not in self._points:
            self._points[key] = one_series(tuple(self._copies.get(key, {}).values()))
        return self._points[key]


class _SeriesByPlace:
    """What stands at which place, by the series of a moment and when their processes began as it was told."""

    def __init__(self, series: Iterable[SeriesKey], told: Mapping[SeriesKey, Points]) -> None:
        self._names = _names_apart(told)
        self._places: dict[SeriesKey, Place] = {}
        self.there: dict[tuple[Place, str], list[SeriesKey]] = {}
        self.all_there: dict[Place, list[SeriesKey]] = {}
        self.pauses: dict[Place, float] = {}
        self.falls: dict[Place, tuple[tuple[float, float], ...]] = {}
        for key in series:
            self.there.setdefault((self.place(key), key.metric), []).append(key)
            self.all_there.setdefault(self.place(key), []).append(key)
        told_at: dict[Place, Points] = {}
        for key, each in told.items():
            told_at.setdefault(self.place(key), []).extend(each)
        self.starts = {place: _changes(sorted(set(each))) for place, each in told_at.items()}
        self.of_start: dict[float, list[Place]] = {}
        for place, changes in self.starts.items():
            for began in {began for _, began in changes}:
                self.of_start.setdefault(began, []).append(place)

    def place(self, key: SeriesKey) -> Place:
        if key not in self._places:
            target = Place.of(key, TARGET_LABELS)
            self._places[key] = Place.of(key, (*TARGET_LABELS, *self._names.get(target, ())))
        return self._places[key]


def _newest(points: Points, until_seconds: float) -> tuple[float, float] | None:
    index = bisect_right(points, (until_seconds, math.inf))
    return points[index - 1] if index else None


def _names_apart(starts: Iterable[SeriesKey]) -> dict[Place, frozenset[str]]:
    """Of each target with several processes the labels in which these differ."""
    by_target: dict[Place, list[dict[str, str]]] = {}
    for key in starts:
        by_target.setdefault(Place.of(key, TARGET_LABELS), []).append(dict(key.labels))
    return {
        target: frozenset(
            name for name in set().union(*several) if len({each.get(name) for each in several}) > 1
        )
        for target, several in by_target.items()
    }


def _changes(told: Sequence[tuple[float, float]]) -> Points:
    """The samples in time order at which another value is told."""
    return [sample for index, sample in enumerate(told) if index == 0 or told[index - 1][1] != sample[1]]


def _falls(several: Sequence[tuple[SeriesKey, Points]]) -> Iterator[tuple[float, float]]:
    """Neighbouring scrapes between which every counter fell, of counters of which each is there under one
    name at a time.
    """
    by_kind: dict[Labels, list[Points]] = {}
    for key, points in several:
        by_kind.setdefault(tuple(pair for pair in key.labels if pair[0] in KINSHIP), []).append(points)
    chains = [
        sorted((points for points in each if points), key=lambda points: points[0])
        for each in by_kind.values()
    ]
    if any(later[0][0] <= sooner[-1][0] for chain in chains for sooner, later in pairwise(chain)):
        return  # several processes, or more labels than these: which of them began anew is not told
    counters = [dict(point for points in chain for point in points) for chain in chains]
    for sooner, later in pairwise(sorted({seconds for counter in counters for seconds in counter})):
        pairs = [
            (counter[sooner], counter[later])
            for counter in counters
            if counter.get(sooner) and later in counter
        ]
        if pairs and all(after < before for before, after in pairs):
            yield sooner, later


def key_of(series: Timeline) -> SeriesKey:
    """The key of a series that carries its metric's name as a label."""
    return SeriesKey(series.label(METRIC), without(series.labels, (METRIC,)))


def one_series(copies: Sequence[Sequence[Point]]) -> list[Point]:
    """The samples of all copies of a counter, each in the order of time, as those of one series, which falls
    only where the counter did.

    What lies below the newest value is older news, unless it tells of a restart: one that its own copy has
    fallen at and no other one has told yet, one that a copy has said twice while no other says more, or one
    after a silence of all. Just after a restart another copy may not have seen it, and says nothing here.
    """
    if len(copies) == 1:
        return list(copies[0])
    pauses = [later - sooner for points in copies for (sooner, _), (later, _) in pairwise(points)]
    found = _OneSeries(_SILENT_PAUSES * median_low(pauses) if pauses else _SILENT_SECONDS)
    for seconds, value, copy in sorted(
        (seconds, value, copy) for copy, points in enumerate(copies) for seconds, value in points
    ):
        found.take(seconds, value, copy)
    return found.points


class _OneSeries:
    """What has been said so far: the accepted samples, who said the last one, and the newest restart with who
    told of it.
    """

    def __init__(self, silent_seconds: float) -> None:
        self.points: list[Point] = []
        self._silent_seconds = silent_seconds
        self._speaker = -1
        self._fallen: tuple[float, int] | None = None
        self._last: dict[int, Point] = {}

    def take(self, seconds: float, value: float, copy: int) -> None:
        """Take in the next sample in time."""
        before = self._last.get(copy)
        self._last[copy] = (seconds, value)
        newest = self.points[-1][1] if self.points else value
        is_fall = value < newest - _SAME * abs(newest)
        if self._may_be_old(seconds, value, copy, before) or (
            is_fall and not self._is_restart(seconds, value, copy, before)
        ):
            return
        if is_fall:
            self._fallen = seconds, copy
        elif value < newest:
            value = newest
        if self.points and self.points[-1][0] == seconds:
            self.points.pop()
        self.points.append((seconds, value))
        self._speaker = copy

    def _may_be_old(self, seconds: float, value: float, copy: int, before: Point | None) -> bool:
        """Whether another copy has just told of a restart that this one has not fallen at."""
        if self._fallen is None or self._fallen[1] == copy or seconds - self._fallen[0] > _OLD_NEWS_SECONDS:
            return False
        return before is None or value >= before[1]

    def _is_restart(self, seconds: float, value: float, copy: int, before: Point | None) -> bool:
        """Whether a value below the newest one is that of a process that began anew."""
        if copy == self._speaker or seconds - self.points[-1][0] > self._silent_seconds:
            return True
        if before is None:
            return False
        is_first_to_tell = value < before[1] and (self._fallen is None or before[0] >= self._fallen[0])
        return is_first_to_tell or before[0] > self.points[-1][0]
