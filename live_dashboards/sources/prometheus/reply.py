"""Prometheus' JSON as records: parsed at the door, or refused there.

A native histogram is read with its filled buckets, of whatever schema, and the classic buckets that say the
same. What a value can be at all is known by its unit: one that cannot be is no value, and that is told.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

from live_dashboards.errors import SourceError
from live_dashboards.model.moment import is_on_calendar
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.http.session import parse_json

# Prometheus 3 on a counter that somebody has named otherwise: it tells nothing of the answer
_ABOUT_A_NAME = "metric might not be a counter, name does not end in"
_ABOUT_THE_QUERY = "PromQL "  # so begin the remarks of Prometheus 3
# ... histograms that cannot be added up: `native` tells whose, in one sentence
_ABOUT_HISTOGRAMS = "PromQL warning: vector contains "
_SHAPES = {"vector": ("value", "histogram"), "matrix": ("values", "histograms")}

Labels = tuple[tuple[str, str], ...]

ANY_NUMBER = "any number"
_LARGEST_COUNT = 1e15  # a billion a second for eleven days; whole numbers beyond are no longer exact
_LARGEST = 1e100  # of anything: products and squares stay finite


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: series, or names, or facts; and what the server warns of.

    A vector's series have one point, a scalar's no labels, those that were looked up, and targets, no points.
    `histograms` are the series of native ones. `names_its_host` is whether the answer has the header
    X-Server-Hostname, as VictoriaMetrics' answers do; `is_partial` whether stores behind the server were
    silent.
    """

    series: tuple[Timeline, ...] = ()
    histograms: tuple[HistogramSeries, ...] = ()
    names: tuple[str, ...] = ()
    facts: Mapping[str, str] | None = None
    warnings: tuple[str, ...] = ()
    clock_difference_seconds: float | None = None
    names_its_host: bool = False
    is_partial: bool = False

    @property
    def each_histogram(self) -> tuple[Histogram, ...]:
        """Every sample of the native histograms."""
        return tuple(histogram for series in self.histograms for _, histogram in series.points)

    def with_read(self, series: tuple[Timeline, ...]) -> Reply:
        """The reply whose histograms somebody has read, as these series."""
        warnings = tuple(text for text in self.warnings if text != _unread(len(self.histograms)))
        return replace(self, series=series, histograms=(), warnings=warnings)


@dataclass(frozen=True, slots=True)
class Histogram:
    """One sample: how many observations, their sum, and by lower and upper edge how many lie in each filled
    bucket, in their order.
    """

    count: float
    sum: float
    buckets: tuple[tuple[float, float, float], ...] = ()

    def straddled(self, edges: Sequence[float]) -> set[float]:
        """The edges, given in order, within filled buckets: how many observations lie below them is not
        known.
        """
        return {
            edge
            for low, high, count in self.buckets
            if count
            for edge in edges[bisect_right(edges, low) : bisect_left(edges, high)]
        }

    def cumulative(self, edges: Sequence[float]) -> tuple[float, ...]:
        """How many observations are not above each edge, none of which is straddled; all of them below +Inf,
        also those that are no number.
        """
        counts = (0.0, *accumulate(count for _, _, count in self.buckets))
        ends = [high for _, high, _ in self.buckets]
        return tuple(self.count if math.isinf(edge) else counts[bisect_right(ends, edge)] for edge in edges)


@dataclass(frozen=True, slots=True)
class HistogramSeries:
    """The histograms of one set of labels, with their moments in unix seconds."""

    labels: Labels
    points: tuple[tuple[float, Histogram], ...]


def _unread(count: int) -> str:
    """What is told of native histograms where nobody reads them."""
    return f"{count} series hold native histograms, which are not read; expose classic buckets too"


Outcome = Reply | SourceError


def series_in(*outcomes: Outcome | None) -> tuple[Timeline, ...]:
    """The series of these outcomes; none of what failed or was not asked."""
    return tuple(series for outcome in outcomes if isinstance(outcome, Reply) for series in outcome.series)


def answered(outcome: Outcome) -> Reply:
    """The reply; raises the SourceError where there is none."""
    if isinstance(outcome, SourceError):
        raise outcome
    return outcome


def value_in(outcome: Outcome) -> float | None:
    """The last value of the first series; None where there is none."""
    return next((series.last for series in series_in(outcome)), None)


def failure_in(outcomes: Iterable[Outcome | None]) -> str | None:
    """Why the first of these that failed did; None where none has."""
    return next((outcome.reason for outcome in outcomes if isinstance(outcome, SourceError)), None)


def without(labels: Labels, names: Collection[str]) -> Labels:
    """The labels but for those of these names."""
    return tuple(pair for pair in labels if pair[0] not in names)


def parse_document(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; ValueError where it is none."""
    document = parse_json(body)
    if not isinstance(document, dict):
        raise ValueError("JSON that is no object")  # noqa: TRY004 a wrong document is a wrong value
    return document


def parse_reply(document: dict[str, Any], *, keeps_name: bool = False) -> Reply:
    """The answer in a document of status success, its series with or without their metric's name as a label;
    ValueError where it is not one of Prometheus.
    """
    if document.get("status") != "success" or "data" not in document:
        raise ValueError("JSON that is no answer of Prometheus")
    data = document["data"]
    warnings = _warnings(document)
    if isinstance(data, list):
        sets = [
            _labels(each["target"] if isinstance(each.get("target"), dict) else each)
            for each in data
            if isinstance(each, dict)
        ]
        return Reply(
            series=tuple(Timeline(labels, ()) for labels in sets),
            names=tuple(name for name in data if isinstance(name, str)),
            warnings=warnings,
        )
    if not isinstance(data, dict):
        raise ValueError("JSON whose data are neither a list nor an object")  # noqa: TRY004 a wrong document is a wrong value
    if "resultType" not in data:
        return Reply(
            facts={name: value for name, value in data.items() if isinstance(value, str)}, warnings=warnings
        )
    try:
        return _result(data["resultType"], data["result"], warnings, () if keeps_name else ("__name__",))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError("JSON with a result of another shape") from error


def says_partial(document: Mapping[str, Any]) -> bool:
    """Whether an answer lacks what some store holds: VictoriaMetrics says so in a field, Thanos and others in
    warnings; a remark on the query itself is none.
    """
    warnings = document.get("warnings")
    said = [str(text) for text in warnings] if isinstance(warnings, list) else []
    return document.get("isPartial") is True or any(not text.startswith(_ABOUT_THE_QUERY) for text in said)


def _result(kind: str, result: Any, warnings: tuple[str, ...], left_out_labels: tuple[str, ...]) -> Reply:
    if kind in {"scalar", "string"}:
        return Reply(series=(_series({}, [result], ()),), warnings=warnings)
    values, histograms = _SHAPES[kind]
    found = [
        _series(
            element["metric"], [element[values]] if kind == "vector" else element[values], left_out_labels
        )
        for element in result
        if values in element
    ]
    found_native = (element for element in result if histograms in element)
    native = [
        _histograms(
            element["metric"],
            [element[histograms]] if kind == "vector" else element[histograms],
            left_out_labels,
        )
        for element in found_native
    ]
    unread = (_unread(len(native)),) if native else ()
    return Reply(
        series=tuple(series for series in found if series.points),
        histograms=tuple(native),
        warnings=(*warnings, *unread),
    )


def _series(metric: Mapping[str, str], values: list[Any], left_out: tuple[str, ...]) -> Timeline:
    """The labels and points; ValueError where a label is no text, or the points are not in time order on a
    calendar.
    """
    points = tuple(_point(pair) for pair in values)
    _refuse_odd_moments([seconds for seconds, _ in points])
    return Timeline(_labels(metric, left_out), points)


def _histograms(metric: Mapping[str, str], values: list[Any], left_out: tuple[str, ...]) -> HistogramSeries:
    points = tuple((float(seconds), parse_histogram(document)) for seconds, document in values)
    _refuse_odd_moments([seconds for seconds, _ in points])
    return HistogramSeries(_labels(metric, left_out), points)


def _refuse_odd_moments(moments: list[float]) -> None:
    if not all(map(is_on_calendar, moments)) or any(later <= sooner for sooner, later in pairwise(moments)):
        raise ValueError("moments that are none, or not in order")


def _labels(
    metric: Mapping[str, str], left_out: tuple[str, ...] = ("__name__",)
) -> tuple[tuple[str, str], ...]:
    """The labels by name; ValueError where one is no text."""
    labels = tuple(sorted((name, value) for name, value in metric.items() if name not in left_out))
    if not all(isinstance(value, str) for _, value in labels):
        raise ValueError("a label that is no text")
    return labels


def _point(pair: Any) -> tuple[float, float | None]:
    """A moment and its value, None where that is no finite number."""
    seconds, text = pair
    try:
        value = float(text)
    except ValueError:
        return float(seconds), None
    return float(seconds), value if math.isfinite(value) else None


def _warnings(document: Mapping[str, Any]) -> tuple[str, ...]:
    every = (
        str(text)
        for key in ("warnings", "infos")
        if isinstance(document.get(key), list)
        for text in document[key]
    )
    said = [text for text in every if _ABOUT_A_NAME not in text and not text.startswith(_ABOUT_HISTOGRAMS)]
    partial = ["the store says that its answer is partial"] if document.get("isPartial") is True else []
    return tuple(dict.fromkeys((*said, *partial)))


def parse_histogram(document: Mapping[str, Any]) -> Histogram:
    """The histogram in a sample's JSON; ValueError, KeyError or TypeError where it is none."""
    buckets = tuple(
        sorted((float(low), float(high), float(count)) for _, low, high, count in document.get("buckets", ()))
    )
    found = Histogram(float(document["count"]), float(document["sum"]), buckets)
    if any(math.isnan(edge) for low, high, _ in buckets for edge in (low, high)) or not all(
        map(math.isfinite, (found.count, *(count for *_, count in buckets)))
    ):
        raise ValueError("a histogram of what is no number")
    return found


def _is_count(value: float) -> bool:
    return 0 <= value <= _LARGEST_COUNT


_BY_UNIT: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "count": (_is_count, "counts"),
    "seconds": (_is_count, "seconds"),
    "unix_seconds": (is_on_calendar, "moments"),
}


def only_possible(reply: Reply, unit: str) -> Reply:
    """The reply with each value that its unit cannot have as a gap, which its warnings tell; without a unit,
    as it is.

    Of any other unit, and ANY_NUMBER, only what is too large to be counted with cannot be.
    """
    if not unit:
        return reply
    is_possible, words = _BY_UNIT.get(unit, (lambda value: abs(value) <= _LARGEST, "values"))
    odd = next(
        (
            value
            for series in reply.series
            for _, value in series.points
            if value is not None and not is_possible(value)
        ),
        None,
    )
    if odd is None:
        return reply
    series = tuple(_kept(each, is_possible) for each in reply.series)
    return replace(
        reply,
        series=series,
        warnings=(*reply.warnings, f"{words} that cannot be, such as {odd:g}, are left out"),
    )


def is_upper_bound(seconds: float) -> bool:
    """Whether a bucket of latencies can end there."""
    return seconds == math.inf or abs(seconds) <= _LARGEST_COUNT


def _kept(series: Timeline, is_possible: Callable[[float], bool]) -> Timeline:
    points = (
        (seconds, value if value is not None and is_possible(value) else None)
        for seconds, value in series.points
    )
    return Timeline(series.labels, tuple(points))
