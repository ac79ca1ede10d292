"""Native histograms of the response time, asked as such and taken apart at the door: all that counts sees the
classic ones that they stand for.

A native histogram is one series without a suffix, `_count`, `_sum` and `_bucket` of a classic one are three
and more. Questions are written for the latter; here the models that have native ones are asked for those
instead, and never for both: of a model that has classic ones too only one kind counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from live_dashboards.errors import SourceError
from live_dashboards.model.moment import format_exact_duration
from live_dashboards.model.names import listed
from live_dashboards.model.notices import HISTOGRAMS, NO_PERCENTILES, NOT_READ, TWO_KINDS
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.exchange import Ask, Question, instant
from live_dashboards.sources.prometheus.promql import MODEL_LABEL, QUOTED, joined, none_of, one_of
from live_dashboards.sources.prometheus.reply import (
    Histogram,
    HistogramSeries,
    Labels,
    Outcome,
    Reply,
    without,
)
from live_dashboards.sources.queries import LATENCY

_INNER = rf'(?:[^"}}]|{QUOTED})*'
_CLASSIC = rf"(?<![\w:]){LATENCY}_(?P<part>count|sum|bucket)\b(?:\{{(?P<inner>{_INNER})\}})?"
_CALL = re.compile(rf"{QUOTED}|\b(?P<call>\w+)\({_CLASSIC}(?P<rest>(?:\[[^\]]*\])?(?: offset \w+)?)\)")
_WHOLE = re.compile(rf"{_CLASSIC}(?P<span>\[[^\]]*\])")
_NAMES = re.compile(
    rf'__name__=~"(?P<names>(?:[^"\\]|\\.)*\b{LATENCY}_(?:count|sum|bucket)\b(?:[^"\\]|\\.)*)"'
)
_EDGES = re.compile(r'\ble=~"(?P<edges>(?:[^"\\]|\\.)*)"(?:, )?')
# of a histogram these give a histogram
_OF_VALUES = frozenset({"last_over_time", "increase", "rate", "irate", "delta"})
_OF_PARTS = {"count": "histogram_count({})", "sum": "histogram_sum({})", "bucket": "{}"}
_NAME = "__name__"

_COMPLETE = 0.95  # of the requests in the other kind: with as many, both are stored beside each other
_FIX = "read by a newer one (3.5 does), or with classic buckets beside them"


@dataclass(frozen=True, slots=True)
class Native:
    """Which models have native histograms that count, whether all have, and at which edges their buckets are
    read, in seconds and in order.

    `objective_bucket` are the edges of the exponential bucket that holds the objective, if one does.
    """

    models: tuple[str, ...]
    is_all: bool
    edges: tuple[float, ...]
    objective_bucket: tuple[float, float] | None = None

    def form(self, promql: str) -> str:
        """The PromQL with the native histograms of these models in place of their classic ones."""
        whole = _WHOLE.fullmatch(promql)
        if whole is not None:
            matchers = joined(f'{_NAME}=~"{LATENCY}_{whole["part"]}|{LATENCY}"', whole["inner"] or "")
            return f"{{{matchers}}}{whole['span']}"
        named = _NAMES.sub(lambda found: f'{_NAME}=~"{found["names"]}|{LATENCY}"', promql)
        return _CALL.sub(self._call, named)

    def counts(self, labels: Labels, *, is_native: bool) -> bool:
        """Whether a series of the response time is one that counts: of a model with native histograms no
        classic one, of another model no native one.
        """
        return is_native == (self.is_all or dict(labels).get(MODEL_LABEL, "") in self.models)

    def _call(self, found: re.Match[str]) -> str:
        if not found["call"]:
            return found[0]
        inner, call, rest = found["inner"] or "", found["call"], found["rest"]
        matchers = joined(_EDGES.sub("", inner), "" if self.is_all else one_of(MODEL_LABEL, self.models))
        native = f"{call}({LATENCY}{{{matchers}}}{rest})" if matchers else f"{call}({LATENCY}{rest})"
        if call in _OF_VALUES:
            native = _OF_PARTS[found["part"]].format(native)
        if self.is_all:
            return native
        classic = (
            f"{call}({LATENCY}_{found['part']}{{{joined(inner, none_of(MODEL_LABEL, self.models))}}}{rest})"
        )
        return f"({classic} or {native})"


class NativeAsk:
    """Asks as `ask` does, for native histograms where they count, and answers with the classic series that
    they stand for.

    An edge that is found within a filled bucket is none from then on: how many were below it nobody knows.
    """

    def __init__(self, ask: Ask, native: Native) -> None:
        self._ask = ask
        self._native = native
        self._edges = native.edges

    def __call__(self, questions: list[Question]) -> tuple[Outcome, ...]:
        """The outcome of each question, in their order."""
        forms = [_Form.of(question) for question in questions]
        outcomes = self._ask([form.asked(self._native) for form in forms])
        pairs = list(zip(forms, outcomes, strict=True))
        straddled = {
            edge
            for form, outcome in pairs
            if form.part == "bucket" and not form.edges and isinstance(outcome, Reply)
            for histogram in outcome.each_histogram
            for edge in histogram.straddled(self._edges)
        }
        self._edges = tuple(edge for edge in self._edges if edge not in straddled)
        return tuple(form.answered(outcome, self._native, self._edges) for form, outcome in pairs)


@dataclass(frozen=True, slots=True)
class _Form:
    """A question, the part of a histogram that it asks for (empty: several, by name) and the edges that it
    names, if any.
    """

    question: Question
    promql: str
    part: str
    edges: tuple[float, ...]

    @classmethod
    def of(cls, question: Question) -> _Form:
        promql = question.parameters.get("query", "")
        parts = [part for part in ("bucket", "sum", "count") if f"{LATENCY}_{part}" in promql]
        named = _EDGES.search(promql)
        edges = (
            ()
            if named is None
            else tuple(sorted({float(text.replace("\\", "")) for text in named["edges"].split("|")}))
        )
        return cls(question, promql, "" if question.keeps_name or not parts else parts[0], edges)

    def asked(self, native: Native) -> Question:
        form = native.form(self.promql)
        return (
            self.question
            if form == self.promql
            else replace(self.question, parameters={**self.question.parameters, "query": form})
        )

    def answered(self, outcome: Outcome, native: Native, edges: Sequence[float]) -> Outcome:
        """The outcome in classic form; a SourceError where an edge that is asked for lies within a bucket."""
        if isinstance(outcome, SourceError) or LATENCY not in self.promql:
            return outcome
        wanted = self.edges or edges
        if (
            self.edges
            and not outcome.series
            and any(histogram.straddled(wanted) for histogram in outcome.each_histogram)
        ):
            return SourceError(
                f"the buckets were wider at times, so what lies below {wanted[0]:g} s is not known",
                "let all instances use one schema",
                "bad_query",
            )
        kept = [
            series
            for series in outcome.series
            if not self._is_latency(series.labels) or native.counts(series.labels, is_native=False)
        ]
        read = [
            each
            for series in outcome.histograms
            if native.counts(series.labels, is_native=True)
            for each in self._classic(series, wanted)
        ]
        return outcome.with_read((*kept, *read))

    def _is_latency(self, labels: Labels) -> bool:
        """Whether a raw series is one of the response time; what is added up is asked of the right models
        already.
        """
        return dict(labels).get(_NAME, "").startswith(f"{LATENCY}_") or bool(_WHOLE.fullmatch(self.promql))

    def _classic(self, series: HistogramSeries, edges: Sequence[float]) -> Iterator[Timeline]:
        rest = without(series.labels, (_NAME,))

        def labelled(part: str, **more: str) -> Labels:
            name = {_NAME: f"{LATENCY}_{part}"} if self.question.keeps_name else {}
            return tuple(sorted({**dict(rest), **name, **more}.items()))

        if self.part in {"", "count"}:
            yield Timeline(labelled("count"), tuple((seconds, each.count) for seconds, each in series.points))
        if self.part in {"", "sum"}:
            yield Timeline(labelled("sum"), tuple((seconds, each.sum) for seconds, each in series.points))
        if self.part in {"", "bucket"}:
            yield from (
                Timeline(labelled("bucket", le="+Inf" if math.isinf(edge) else repr(edge)), points)
                for edge, points in _by_edge(series.points, edges)
            )


def _by_edge(
    points: Sequence[tuple[float, Histogram]], edges: Sequence[float]
) -> Iterator[tuple[float, tuple[tuple[float, float | None], ...]]]:
    """The cumulative counts below each edge; None at a moment at which it lies within a filled bucket."""
    unknown = [each.straddled(edges) for _, each in points]
    columns = zip(*(each.cumulative(edges) for _, each in points), strict=True)
    for edge, column in zip(edges, columns, strict=True):
        yield (
            edge,
            tuple(
                (seconds, None if edge in without else count)
                for (seconds, _), without, count in zip(points, unknown, column, strict=True)
            ),
        )


@dataclass(frozen=True, slots=True)
class FoundNative:
    """The native histograms that count, if any, and what is told of the choice."""

    native: Native | None = None
    told: tuple[str, ...] = ()


def find_native(
    ask: Ask, matchers: str, *, at_seconds: float, span_seconds: float, objective_seconds: float
) -> FoundNative:
    """Which models' native histograms of the span count: of a model that has classic ones too, with buckets
    and as many requests in them, the classic ones do.

    The objective is one of the edges wherever no filled bucket holds it. What cannot be asked is not read.
    """
    selector, span = f"{{{matchers}}}" if matchers else "", format_exact_duration(span_seconds)
    finite = joined(matchers, 'le!="+Inf"')
    texts = (
        f"sum by ({MODEL_LABEL}) (last_over_time({LATENCY}{selector}[{span}]))",
        f"count by ({MODEL_LABEL}) (count_over_time({LATENCY}{selector}[{span}]))",
        f"sum by ({MODEL_LABEL}) (histogram_count(increase({LATENCY}{selector}[{span}])))",
        f"sum by ({MODEL_LABEL}) (increase({LATENCY}_count{selector}[{span}]))",
        f"count by ({MODEL_LABEL}) (count_over_time({LATENCY}_bucket{{{finite}}}[{span}]))",
    )
    replies = [
        outcome
        for outcome in ask([instant(text, at_seconds) for text in texts])
        if isinstance(outcome, Reply)
    ]
    if len(replies) < len(texts):
        return FoundNative()
    stored = _Stored(replies[0], *map(_by_model, replies[1:]))
    if not stored.native_models:
        return FoundNative(None, tuple(stored.told()))
    if stored.newest.series and not stored.newest.histograms:
        return FoundNative(
            None,
            (f"{HISTOGRAMS} of {listed(stored.native_models)} are native histograms, {NOT_READ}: {_FIX}",),
        )
    histograms = stored.newest.each_histogram
    found = Native(
        stored.native_models,
        stored.is_all_native,
        _edges_of(histograms, objective_seconds),
        _objective_bucket(histograms, objective_seconds),
    )
    return FoundNative(found, (*stored.told(), *stored.newest.with_read(()).warnings))


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is there of each model: its native histograms added up, how many series of them, requests in
    native and in classic ones, finite classic buckets.
    """

    newest: Reply
    native_series: Mapping[str, float]
    native_count: Mapping[str, float]
    classic_count: Mapping[str, float]
    classic_buckets: Mapping[str, float]

    @property
    def native_models(self) -> tuple[str, ...]:
        """The models of which native histograms are read."""
        complete = {
            model
            for model in self._both
            if self.classic_count[model] >= _COMPLETE * self.native_count.get(model, 0.0)
        }
        return tuple(sorted(self.native_series.keys() - complete))

    @property
    def is_all_native(self) -> bool:
        """Whether no classic histogram is read."""
        return self._with_classic <= set(self.native_models)

    def told(self) -> Iterator[str]:
        """Of models that have both kinds, which hold unlike numbers of requests, which are read; and whose
        buckets cannot be added up.
        """
        for model in sorted(self._both):
            if (
                model in self.native_models
                or self.native_count.get(model, 0.0) < _COMPLETE * self.classic_count[model]
            ):
                words = "the native ones" if model in self.native_models else "the classic ones"
                yield f"{HISTOGRAMS} of {model} {TWO_KINDS}, {words} are read, which hold more"
        unlike = sorted(
            {*self.native_models}
            - {dict(series.labels).get(MODEL_LABEL, "") for series in self.newest.histograms}
        )
        if unlike:
            yield (
                f"{HISTOGRAMS} of {listed(unlike)} {NO_PERCENTILES}: the buckets of their instances end "
                "at unlike bounds, which cannot be added up"
            )

    @property
    def _with_classic(self) -> set[str]:
        return {model for model, value in self.classic_count.items() if value > 0}

    @property
    def _both(self) -> set[str]:
        return self._with_classic & self.native_series.keys() & self.classic_buckets.keys()


def _objective_bucket(
    histograms: Iterable[Histogram], objective_seconds: float
) -> tuple[float, float] | None:
    """The widest exponential bucket that holds the objective; None where none does, or buckets end at bounds
    that somebody has chosen.
    """
    holding = [
        (low, high)
        for histogram in histograms
        if _is_exponential(histogram)
        for low, high, count in histogram.buckets
        if count and low < objective_seconds < high
    ]
    return max(holding, key=lambda each: each[1] - each[0], default=None)


def _is_exponential(histogram: Histogram) -> bool:
    """Whether all edges are powers of one base, 2 to the power of 2 to the power of minus the schema."""
    filled = [(low, high) for low, high, count in histogram.buckets if count and low > 0]
    if any(math.isinf(low) or math.isinf(high) for low, high, count in histogram.buckets if count):
        return False
    steps = [1 / math.log2(high / low) for low, high in filled]
    return all(
        _is_whole(step if step >= 1 else 1 / step) and _is_whole(math.log2(high) * step)
        for step, (_, high) in zip(steps, filled, strict=True)
    )


def _is_whole(value: float) -> bool:
    return math.isclose(value, round(value), abs_tol=1e-6)


def _edges_of(several: Sequence[Histogram], objective_seconds: float) -> tuple[float, ...]:
    known = {
        edge
        for histogram in several
        for low, high, _ in histogram.buckets
        for edge in (low, high)
        if 0 <= edge < math.inf
    }
    edges = sorted({*known, objective_seconds})
    within = {edge for histogram in several for edge in histogram.straddled(edges)}
    return (*(edge for edge in edges if edge not in within), math.inf)


def _by_model(reply: Reply) -> dict[str, float]:
    return {series.label(MODEL_LABEL): series.last for series in reply.series if series.last is not None}
