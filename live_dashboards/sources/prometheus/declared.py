"""What the targets of this test declare: a client library tells a labelled counter's name and type before
anything was counted by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from live_dashboards.errors import SourceError
from live_dashboards.sources.prometheus.exchange import Question, instant
from live_dashboards.sources.prometheus.failed_questions import Ask
from live_dashboards.sources.prometheus.matchers import one_of
from live_dashboards.sources.prometheus.reply import Outcome
from live_dashboards.sources.queries import ERRORS, REQUESTS

Place = tuple[str, str]
"""A target's job and instance."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Where each model is now, and which targets are known to declare the metric of requests, and that of
    errors.
    """

    places: Mapping[str, frozenset[Place]] = field(default_factory=dict)
    requests: frozenset[Place] = frozenset()
    errors: frozenset[Place] = frozenset()

    def are_known(self, model: str) -> bool:
        """Whether the server knows what any of the model's targets declares."""
        return bool(self.places.get(model, frozenset()) & (self.requests | self.errors))

    def declare_errors(self, model: str) -> bool:
        """Whether each of the model's targets of which that is known declares the metric of errors."""
        known = self.places.get(model, frozenset()) & (self.requests | self.errors)
        return bool(known) and known <= self.errors


def find_targets(ask: Ask, requests: str, at_seconds: float) -> Targets:
    """The targets that are scraped now behind a selector of requests; nothing is known of them where the
    server cannot tell (back-filled, VictoriaMetrics).
    """
    (found,) = ask([instant(f"count by (model_name, job, instance) ({requests})", at_seconds, "count")])
    if isinstance(found, SourceError) or not found.series:
        return Targets()
    places: dict[str, set[Place]] = {}
    for series in found.series:
        places.setdefault(series.label("model_name"), set()).add(
            (series.label("job"), series.label("instance"))
        )
    match = f"{{{one_of('job', {series.label('job') for series in found.series})}}}"
    names = (*_names(REQUESTS), *_names(ERRORS))
    answers = ask(
        [
            Question("targets/metadata", {"metric": name, "match_target": match}, is_optional=True)
            for name in names
        ]
    )
    text_requests, requests_of_openmetrics, text_errors, errors_of_openmetrics = map(_places, answers)
    return Targets(
        {model: frozenset(own) for model, own in places.items()},
        text_requests | requests_of_openmetrics,
        text_errors | errors_of_openmetrics,
    )


def _names(metric: str) -> tuple[str, str]:
    """A counter's name in the text format, and in OpenMetrics, which leaves its ending to the samples."""
    return metric, metric.removesuffix("_total")


def _places(outcome: Outcome) -> frozenset[Place]:
    return (
        frozenset()
        if isinstance(outcome, SourceError)
        else frozenset((target.label("job"), target.label("instance")) for target in outcome.series)
    )
