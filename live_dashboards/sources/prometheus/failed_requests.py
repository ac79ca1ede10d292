"""How failed requests are counted: by a counter of their own, or by the label status; one rule for the
instances' series and for recorded steps.

A model with requests and no series of errors has none failed only where this test's own exporters would have
counted one, as their targets declare: a client library tells a labelled counter's name and type before
anything was counted by it. Else nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from live_dashboards.errors import SourceError
from live_dashboards.model.names import listed
from live_dashboards.model.notices import ASSUMED_ZERO
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.exchange import Ask, Question, instant, values_of
from live_dashboards.sources.prometheus.own_series import HISTORY_SECONDS
from live_dashboards.sources.prometheus.promql import FAILED, MODEL_LABEL, STEPS, one_of
from live_dashboards.sources.prometheus.reply import Outcome, series_in
from live_dashboards.sources.queries import ERRORS, EXPERIMENT_LABEL, REQUESTS, render

COUNTER_ERRORS = f"{ERRORS}{{$experiment}}"
STATUS_ERRORS = f'{REQUESTS}{{status="error", $experiment}}'
RECORDED_ERRORS = {
    COUNTER_ERRORS: f"{STEPS[ERRORS]}{{$experiment}}",
    STATUS_ERRORS: f"{FAILED}{{$experiment}}",
    "": "",
}
_BY_STATUS = f'counted as {REQUESTS}{{status="error"}}: {ERRORS} has no series'

# the scrape jobs of each model; a job without a name where the series do not tell it
Jobs = dict[str, set[str]]
Place = tuple[str, str]  # a target's job and instance


@dataclass(frozen=True, slots=True)
class ErrorsCounted:
    """The selector of failed requests, or why there is none.

    `uncounted` are models of whose errors nobody knows, `assumed` those whose 0 is taken on trust;
    `of_models` tells why, by their names.
    """

    selector: str
    reason: str = ""
    of_models: tuple[tuple[str, str], ...] = ()
    uncounted: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What is told of how they are counted."""
        return _BY_STATUS if self.selector == STATUS_ERRORS else ""


@dataclass(frozen=True, slots=True)
class Counting:
    """The test's series of the window: those of requests, those of them that carry a status, and what came
    back for those of the counter of errors, or of their recorded steps.
    """

    requests: tuple[Timeline, ...]
    with_status: tuple[Timeline, ...]
    counters: Outcome
    matchers: str
    is_recorded: bool = False

    @property
    def selector(self) -> str:
        """How the failed requests are counted as far as the window tells; empty where it does not."""
        return COUNTER_ERRORS if series_in(self.counters) else STATUS_ERRORS if self.with_status else ""


def errors_counted(ask: Ask, counting: Counting, *, at_seconds: float, is_known: bool) -> ErrorsCounted:
    """How this test's failed requests are counted; what its own series do not tell is asked of the past, and
    of what its targets declare.

    `is_known`: the server knows the counter at all, of whomever.
    """
    if isinstance(counting.counters, SourceError):
        return ErrorsCounted("", counting.counters.reason)
    counted = counting.counters.series or counting.with_status
    jobs, counting_jobs = _jobs(counting.requests), {series.label("job") for series in counted}
    proven = {series.label(MODEL_LABEL) for series in counted}
    doubtful = sorted(
        model
        for model, own in jobs.items()
        if model not in proven and (counting.is_recorded or not own <= counting_jobs)
    )
    if not doubtful:
        return ErrorsCounted(counting.selector)
    if is_known:
        missing = {model: jobs[model] - counting_jobs for model in doubtful}
        doubtful = sorted(missing.keys() - _counted_before(ask, counting, missing, at_seconds))
    targets = (
        find_targets(ask, render(f"{REQUESTS}{{$experiment}}", matchers=counting.matchers), at_seconds)
        if doubtful
        else Targets()
    )
    found = _Doubts(counting, jobs, tuple(doubtful), targets, has_counted=bool(counted))
    selector = counting.selector or (COUNTER_ERRORS if len(found.unknown) < len(jobs) else "")
    if not selector:
        return ErrorsCounted("", _reason(ask, counting, found, at_seconds, is_known=is_known))
    return ErrorsCounted(selector, of_models=found.of_models, uncounted=found.unknown, assumed=found.trusted)


@dataclass(frozen=True, slots=True)
class _Doubts:
    """The models without a series of errors in whose jobs no series of this test counts any."""

    counting: Counting
    jobs: Jobs
    models: tuple[str, ...]
    targets: Targets
    has_counted: bool

    @property
    def trusted(self) -> tuple[str, ...]:
        """Those that have none failed as the other arm counts errors, and nothing speaks against it."""
        return tuple(
            model
            for model in self.models
            if self.has_counted and not self.targets.are_known(model) and not self._elsewise(model)
        )

    @property
    def unknown(self) -> tuple[str, ...]:
        """Those of which nobody knows."""
        sure = {
            model for model in self.models if self.targets.declare_errors(model) and not self._elsewise(model)
        }
        return tuple(model for model in self.models if model not in sure and model not in self.trusted)

    @property
    def of_models(self) -> tuple[tuple[str, str], ...]:
        """What is told of each model without a series of errors in its jobs."""
        trusted = (
            (model, f"no error series in {self._where(model)}, {ASSUMED_ZERO}") for model in self.trusted
        )
        return (
            *trusted,
            *((model, f"failed requests are not counted: {self.why(model)}") for model in self.unknown),
        )

    def why(self, model: str) -> str:
        """Why nobody knows of this model's errors."""
        where = self._where(model)
        if self._elsewise(model):
            return f"{where} counts them by the label status, other jobs by {ERRORS}"
        if self.targets.are_known(model):
            return f"its targets in {where} declare no {ERRORS}"
        return f"there is neither {ERRORS} nor a label status on {REQUESTS} in {where}"

    def _elsewise(self, model: str) -> bool:
        """Whether its errors are counted in the way that is not asked."""
        return self.counting.selector == COUNTER_ERRORS and any(
            series.label(MODEL_LABEL) == model for series in self.counting.with_status
        )

    def _where(self, model: str) -> str:
        """Where its errors would be counted; recorded steps know no jobs."""
        return (
            "its recorded steps"
            if self.counting.is_recorded
            else f"job {listed(sorted(job or 'without a name' for job in self.jobs[model]))}"
        )


def _counted_before(ask: Ask, counting: Counting, missing: Jobs, at_seconds: float) -> set[str]:
    """The models whose errors would have been counted, as they were in the past, in all the jobs that are
    missing now: none was since then. Of recorded steps, which know no jobs, those of which there were any.
    """
    selector = render(
        f"{STEPS[ERRORS] if counting.is_recorded else ERRORS}{{$experiment}}", matchers=counting.matchers
    )
    span = (at_seconds - HISTORY_SECONDS, at_seconds)
    if counting.is_recorded:
        (models,) = ask([values_of(MODEL_LABEL, selector, *span)])
        return set() if isinstance(models, SourceError) else {*models.names}
    jobs, names = ask([values_of("job", selector, *span), values_of("__name__", selector, *span)])
    if isinstance(jobs, SourceError) or isinstance(names, SourceError) or not names.names:
        return set()
    known = {*jobs.names} or {""}
    return {model for model, own in missing.items() if own <= known}


def _reason(ask: Ask, counting: Counting, doubts: _Doubts, at_seconds: float, *, is_known: bool) -> str:
    """Why no failed request is counted at all."""
    if is_known and counting.matchers:
        metric = STEPS[ERRORS] if counting.is_recorded else ERRORS
        selector = f'{metric}{{{EXPERIMENT_LABEL}=""}}'
        (found,) = ask([values_of("__name__", selector, at_seconds - HISTORY_SECONDS, at_seconds)])
        if not isinstance(found, SourceError) and found.names:
            return (
                f"failed requests cannot be told apart: {ERRORS} has no label {EXPERIMENT_LABEL}, and "
                f"{REQUESTS} has no label status"
            )
    known = next((model for model in doubts.models if doubts.targets.are_known(model)), None)
    if known is not None:
        return f"failed requests are not counted: {doubts.why(known)}, and {REQUESTS} has no label status"
    of_this = " of this experiment" if is_known and counting.matchers else ""
    return (
        f"failed requests are not counted: there is neither {ERRORS} nor a label status on "
        f"{REQUESTS}{of_this}"
    )


def _jobs(series: Iterable[Timeline]) -> Jobs:
    found: Jobs = {}
    for each in series:
        found.setdefault(each.label(MODEL_LABEL), set()).add(each.label("job"))
    return found


@dataclass(frozen=True, slots=True)
class Targets:
    """Each model's targets of which is known what they declare, and all that declare the metric of errors."""

    known: Mapping[str, frozenset[Place]] = field(default_factory=dict)
    errors: frozenset[Place] = frozenset()

    def are_known(self, model: str) -> bool:
        """Whether the server knows what any of the model's targets declares."""
        return bool(self.known.get(model))

    def declare_errors(self, model: str) -> bool:
        """Whether each of the model's targets of which that is known declares the metric of errors."""
        return self.are_known(model) and self.known[model] <= self.errors


def find_targets(ask: Ask, requests: str, at_seconds: float) -> Targets:
    """The targets that are scraped now behind a selector of requests; nothing is known of them where the
    server cannot tell (back-filled, VictoriaMetrics).
    """
    (found,) = ask([instant(f"count by (model_name, job, instance) ({requests})", at_seconds, "count")])
    there = series_in(found)
    if not there:
        return Targets()
    places: dict[str, set[Place]] = {}
    for series in there:
        places.setdefault(series.label("model_name"), set()).add(_place(series))
    match = f"{{{one_of('job', {series.label('job') for series in there})}}}"
    # in the text format, and in OpenMetrics, which leaves a counter's ending to the samples
    names = (name for metric in (REQUESTS, ERRORS) for name in (metric, metric.removesuffix("_total")))
    answers = ask(
        [
            Question("targets/metadata", {"metric": name, "match_target": match}, is_optional=True)
            for name in names
        ]
    )
    of_requests, of_errors = (
        frozenset(map(_place, series_in(*several))) for several in (answers[:2], answers[2:])
    )
    declaring = of_requests | of_errors
    return Targets({model: declaring & own for model, own in places.items()}, of_errors)


def _place(series: Timeline) -> Place:
    return series.label("job"), series.label("instance")
