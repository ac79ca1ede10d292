"""Native histograms of the response time, asked as such and taken apart at the door: all that counts sees the
classic ones that they stand for.

A native histogram is one series without a suffix, `_count`, `_sum` and `_bucket` of a classic one are three
and more. Questions are written for the latter; here the models that have native ones are asked for those
instead, and never for both.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from live_dashboards.errors import SourceError
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.exchange import Question
from live_dashboards.sources.prometheus.failed_questions import Ask
from live_dashboards.sources.prometheus.histograms import Histogram, HistogramSeries, Labels
from live_dashboards.sources.prometheus.matchers import MODEL_LABEL, joined, none_of, one_of
from live_dashboards.sources.prometheus.reply import Outcome, Reply
from live_dashboards.sources.queries import LATENCY

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_INNER = rf'(?:[^"}}]|{_QUOTED})*'
_CLASSIC = rf"(?<![\w:]){LATENCY}_(?P<part>count|sum|bucket)\b(?:\{{(?P<inner>{_INNER})\}})?"
_CALL = re.compile(rf"{_QUOTED}|\b(?P<call>\w+)\({_CLASSIC}(?P<rest>(?:\[[^\]]*\])?(?: offset \w+)?)\)")
_WHOLE = re.compile(rf"{_CLASSIC}(?P<span>\[[^\]]*\])")
_NAMES = re.compile(
    rf'__name__=~"(?P<names>(?:[^"\\]|\\.)*\b{LATENCY}_(?:count|sum|bucket)\b(?:[^"\\]|\\.)*)"'
)
_EDGES = re.compile(r'\ble=~"(?P<edges>(?:[^"\\]|\\.)*)"(?:, )?')
# of a histogram these give a histogram
_OF_VALUES = frozenset({"last_over_time", "increase", "rate", "irate", "delta"})
_OF_PARTS = {"count": "histogram_count({})", "sum": "histogram_sum({})", "bucket": "{}"}
_NAME = "__name__"


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
        replies = [outcome for form, outcome in pairs if form.takes_all_edges and isinstance(outcome, Reply)]
        straddled = {
            edge
            for reply in replies
            for histogram in reply.each_histogram
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

    @property
    def takes_all_edges(self) -> bool:
        return self.part == "bucket" and not self.edges

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
        rest = tuple(pair for pair in series.labels if pair[0] != _NAME)

        def labelled(part: str, **more: str) -> Labels:
            name = {_NAME: f"{LATENCY}_{part}"} if self.question.keeps_name else {}
            return tuple(sorted({**dict(rest), **name, **more}.items()))

        if self.part in {"", "count"}:
            yield Timeline(labelled("count"), tuple((seconds, each.count) for seconds, each in series.points))
        if self.part in {"", "sum"}:
            yield Timeline(labelled("sum"), tuple((seconds, each.sum) for seconds, each in series.points))
        if self.part in {"", "bucket"}:
            yield from (
                Timeline(labelled("bucket", le=edge_text(edge)), points)
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


def edge_text(edge: float) -> str:
    """A bucket's edge as the value of the label `le`."""
    return "+Inf" if math.isinf(edge) else repr(edge)
