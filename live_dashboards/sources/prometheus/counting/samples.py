"""Raw samples around the moments at which series begin or restart, and what can be looked up in them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low

from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.counting.copied import one_series

PROCESS_START = "process_start_time_seconds"
METRIC = "__name__"
TARGET_LABELS = ("job", "instance")
Labels = tuple[tuple[str, str], ...]


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
        """A bucket's upper bound as the number that it is, however it is spelt; None for what is no bucket."""
        try:
            return float(self.label("le"))
        except ValueError:
            return None

    def without(self, names: Iterable[str]) -> SeriesKey:
        """The same without these labels."""
        left_out = set(names)
        return SeriesKey(self.metric, tuple(pair for pair in self.labels if pair[0] not in left_out))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a series is scraped: its target."""

    labels: Labels

    @classmethod
    def of(cls, key: SeriesKey) -> Place:
        """The place of a series."""
        return cls(tuple(pair for pair in key.labels if pair[0] in TARGET_LABELS))


class Samples:
    """What was read raw, by series, and which series stand at a place.

    `copy_labels` tell copies of one scrape apart, which are one series here; `usual_pause_seconds` lie between two scrapes of a place of which one alone was
    read.
    """

    def __init__(self, copy_labels: tuple[str, ...] = (), usual_pause_seconds: float = 0.0) -> None:
        self._copy_labels = copy_labels
        self._usual_pause_seconds = usual_pause_seconds
        self._points: dict[SeriesKey, list[tuple[float, float]]] = {}  # put together from copies when they are looked up
        self._places: dict[SeriesKey, Place] = {}
        self._there: dict[tuple[Place, str], list[SeriesKey]] = {}
        self._all_there: dict[Place, list[SeriesKey]] = {}
        self._copies: dict[SeriesKey, dict[SeriesKey, list[tuple[float, float]]]] = {}
        self._pauses: dict[Place, list[float]] = {}
        self._starts: dict[Place, list[tuple[float, float]]] = {}
        self._told_starts: dict[Place, list[tuple[float, float]]] = {}
        self._of_start: dict[float, list[Place]] = {}

    def add(self, series: Iterable[Timeline]) -> None:
        """Take in all samples of a stretch, in series that carry their metric's name as a label; one that is known already changes nothing."""
        for each in series:
            key = self.series(key_of(each))
            if key not in self._copies:
                self._there.setdefault((self.place(key), key.metric), []).append(key)
                self._all_there.setdefault(self.place(key), []).append(key)
            copies = self._copies.setdefault(key, {})
            known = dict(copies.get(key_of(each), ()))
            known.update({seconds: value for seconds, value in each.points if value is not None})
            copies[key_of(each)] = sorted(known.items())
            self._points.pop(key, None)
            if key.metric == PROCESS_START:
                self._add_starts(self.place(key))
            self._pauses.setdefault(self.place(key), []).extend(later - sooner for (sooner, _), (later, _) in pairwise(each.points))

    def add_start(self, key: SeriesKey, seconds: float, began_seconds: float) -> None:
        """Take in when a process began, as it was told last before a stretch that begins at that moment."""
        self._told_starts.setdefault(self.place(key), []).append((seconds, began_seconds))
        self._add_starts(self.place(key))

    def _add_starts(self, place: Place) -> None:
        """When the process at a place began, as it was told at each moment where that changed."""
        told = sorted({*self._told_starts.get(place, ()), *(sample for key in self.there(place, PROCESS_START) for sample in self._points_of(key))})
        changes = [sample for index, sample in enumerate(told) if index == 0 or told[index - 1][1] != sample[1]]
        self._starts[place] = changes
        for began in {began for _, began in changes}:
            places = self._of_start.setdefault(began, [])
            if place not in places:
                places.append(place)

    def place(self, key: SeriesKey) -> Place:
        """Where a series is scraped."""
        if key not in self._places:
            self._places[key] = Place.of(key)
        return self._places[key]

    def there(self, place: Place, metric: str) -> Sequence[SeriesKey]:
        """The series of a metric at a place."""
        return self._there.get((place, metric), ())

    def of_metric(self, metric: str) -> Iterator[SeriesKey]:
        """All series of a metric."""
        return (key for key in self._copies if key.metric == metric)

    def series(self, copy: SeriesKey) -> SeriesKey:
        """The series that copies of one scrape are here; another one itself."""
        return copy.without(self._copy_labels) if self._copy_labels else copy

    def greatest_newest(self, key: SeriesKey, after_seconds: float, until_seconds: float) -> float | None:
        """The greatest of the copies' newest values within a while, as a server says it: after a restart, of one that has not seen it yet."""
        newest = (_newest(points, until_seconds) for points in self._copies.get(key, {}).values())
        return max((sample[1] for sample in newest if sample is not None and sample[0] > after_seconds), default=None)

    def newest(self, key: SeriesKey, until_seconds: float) -> tuple[float, float] | None:
        """The newest sample up to a moment, that moment included."""
        return _newest(self._points_of(key), until_seconds)

    def between(self, key: SeriesKey, after_seconds: float, until_seconds: float) -> list[tuple[float, float]]:
        """The samples after one moment and up to another."""
        points = self._points_of(key)
        return points[bisect_right(points, (after_seconds, math.inf)) : bisect_right(points, (until_seconds, math.inf))]

    def value_of(self, key: SeriesKey, seconds: float) -> float | None:
        """The value that was scraped at that very moment."""
        newest = self.newest(key, seconds)
        return newest[1] if newest is not None and newest[0] == seconds else None

    def process_start(self, place: Place, until_seconds: float) -> float | None:
        """When the process at a place began, as it was told last up to a moment; None where it is not told."""
        starts = self._starts.get(place, ())
        index = bisect_right(starts, (until_seconds, math.inf))
        return starts[index - 1][1] if index else None

    def process_starts(self, place: Place) -> Iterable[float]:
        """When the processes at a place began."""
        return (began for _, began in self._starts.get(place, ()))

    def same_process(self, place: Place, until_seconds: float) -> Iterator[Place]:
        """Other places whose process began at the very same moment: one process under another address."""
        began = self.process_start(place, until_seconds)
        for other in self._of_start.get(began, ()) if began is not None else ():
            if other != place and self.process_start(other, until_seconds) == began:
                yield other

    def pause_seconds(self, place: Place) -> float:
        """How long it is from one scrape of a place to the next, the usual pause: samples of two stretches are no neighbours."""
        return median_low(self._pauses.get(place) or [self._usual_pause_seconds])

    def first_seconds(self, place: Place) -> float:
        """From when on there are samples of a place; infinity where there is none."""
        return min((points[0][0] for key in self._all_there.get(place, ()) if (points := self._points_of(key))), default=math.inf)

    def _points_of(self, key: SeriesKey) -> list[tuple[float, float]]:
        if key not in self._points:
            self._points[key] = one_series(tuple(self._copies.get(key, {}).values()))
        return self._points[key]


def _newest(points: Sequence[tuple[float, float]], until_seconds: float) -> tuple[float, float] | None:
    index = bisect_right(points, (until_seconds, math.inf))
    return points[index - 1] if index else None


def key_of(series: Timeline) -> SeriesKey:
    """The key of a series that carries its metric's name as a label."""
    return SeriesKey(series.label(METRIC), tuple(pair for pair in series.labels if pair[0] != METRIC))
