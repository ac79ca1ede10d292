"""Which serving frameworks' metrics a Prometheus holds, as the presets of AB_METRICS know them, and what each
would find there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from live_dashboards.errors import SourceError
from live_dashboards.model.moment import format_duration
from live_dashboards.model.names import listed
from live_dashboards.model.serving import ServingMetrics
from live_dashboards.sources.prometheus.exchange import Ask, Question, instant
from live_dashboards.sources.prometheus.names import Translator
from live_dashboards.sources.prometheus.promql import MODEL_LABEL, TAKEN
from live_dashboards.sources.prometheus.reply import Outcome, series_in
from live_dashboards.sources.queries import REQUESTS, render

EXAMPLE_PATTERN = r"/models/(\w+)/predict"
_SHOWN = 6
_ONE_SEGMENT = "([^/]+)"


@dataclass(frozen=True, slots=True)
class FoundFramework:
    """A preset whose metrics are there: one of them, and the requests in the span by the value that its
    label, or its pattern, tells as the model, the most first.
    """

    serving: ServingMetrics
    metric: str
    requests: tuple[tuple[str, float], ...]
    span_seconds: float

    @property
    def total(self) -> float:
        """All requests."""
        return sum(count for _, count in self.requests)

    @property
    def lacks_pattern(self) -> bool:
        """Whether the label has more than the variant, and nothing finds it there."""
        return self.serving.needs_pattern and self.serving.model_pattern is None

    @property
    def words(self) -> str:
        """What was found, and what nobody can know from it."""
        label = f"{self.serving.model_label} " if self.lacks_pattern else ""
        counts = [f"{label}{model} {count:,.0f}" for model, count in self.requests]
        span = format_duration(self.span_seconds)
        cannot = (
            f"; cannot be told: {'; '.join(self.serving.cannot_tell)}" if self.serving.cannot_tell else ""
        )
        return (
            f"{self.metric} is there: {self.serving.title}; requests in {span}: "
            f"{listed(counts, _SHOWN) or 'none'}{cannot}"
        )

    @property
    def fix(self) -> str:
        """What to set so that the preset is used."""
        setting = f"set AB_METRICS={self.serving.preset}"
        if not self.lacks_pattern:
            return setting
        pattern = suggested_pattern([model for model, _ in self.requests])
        return (
            f"{setting} and AB_MODEL_PATTERN='{pattern}', or another pattern whose first group finds the "
            f"variant in the label {self.serving.model_label}"
        )


def find_frameworks(
    ask: Ask, presets: Sequence[ServingMetrics], *, at_seconds: float, span_seconds: float
) -> tuple[FoundFramework, ...]:
    """The presets that find requests in the span before a moment, the most requests first; then those whose
    metrics are there without any.
    """
    there = recognised(ask, presets)
    questions = [instant(_requests_promql(each, span_seconds), at_seconds, "count") for each, _ in there]
    outcomes = ask(questions) if questions else ()
    found = (
        FoundFramework(each, metric, _by_model(outcome), span_seconds)
        for (each, metric), outcome in zip(there, outcomes, strict=True)
    )
    return tuple(sorted(found, key=lambda each: -each.total))


def recognised(ask: Ask, presets: Sequence[ServingMetrics]) -> tuple[tuple[ServingMetrics, str], ...]:
    """The presets whose metrics the server holds, each with the metric that tells it; names that many share
    tell only with the preset's labels.
    """
    signs = [each.recognised_by or each.requests.added[0] for each in presets]
    outcomes = ask([Question("label/__name__/values", {"match[]": str(sign)}) for sign in signs])
    return tuple(
        (each, sign.metric)
        for each, sign, outcome in zip(presets, signs, outcomes, strict=True)
        if not isinstance(outcome, SourceError) and outcome.names
    )


def suggested_pattern(values: Sequence[str]) -> str:
    """A pattern for paths that differ in one segment alone; a usual one where there are no two such."""
    for first, second in _pairs(values):
        pieces, others = first.split("/"), second.split("/")
        if len(pieces) != len(others):
            continue
        unlike = [
            index for index, (one, other) in enumerate(zip(pieces, others, strict=True)) if one != other
        ]
        if len(unlike) == 1:
            escaped = [re.escape(piece) for piece in pieces]
            return "/".join((*escaped[: unlike[0]], _ONE_SEGMENT, *escaped[unlike[0] + 1 :]))
    return EXAMPLE_PATTERN


def _pairs(values: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((first, second) for index, first in enumerate(values) for second in values[index + 1 :])


def _requests_promql(serving: ServingMetrics, span_seconds: float) -> str:
    counted, taken = (
        f"sum by ({MODEL_LABEL}) (increase({each}[$window]))" for each in (REQUESTS, TAKEN[REQUESTS])
    )
    own = f"({counted} - {taken} or {counted}) > 0" if serving.requests.taken else f"{counted} > 0"
    return Translator.of_any_server(serving).form(render(own, window_seconds=span_seconds))


def _by_model(outcome: Outcome) -> tuple[tuple[str, float], ...]:
    counts = {
        series.label(MODEL_LABEL) or "without it": series.last
        for series in series_in(outcome)
        if series.last is not None
    }
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
