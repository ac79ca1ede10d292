"""Which models' response times are read from native histograms, and at which edges: of a model that has
classic ones too only one kind counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from live_dashboards.model.duration import format_exact_duration
from live_dashboards.model.listing import listed
from live_dashboards.model.notices import HISTOGRAMS, NO_PERCENTILES, NOT_READ, TWO_KINDS
from live_dashboards.sources.prometheus.exchange import instant
from live_dashboards.sources.prometheus.failed_questions import Ask
from live_dashboards.sources.prometheus.histograms import Histogram
from live_dashboards.sources.prometheus.matchers import MODEL_LABEL, joined
from live_dashboards.sources.prometheus.native import Native
from live_dashboards.sources.prometheus.reply import Reply
from live_dashboards.sources.queries import LATENCY

_COMPLETE = 0.95  # of the requests in the other kind: with as many, both are stored beside each other
_FIX = "read by a newer one (3.5 does), or with classic buckets beside them"


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
