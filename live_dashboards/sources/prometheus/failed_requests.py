"""How failed requests are counted: by a counter of their own, or by the label status; one rule for the
instances' series and for recorded steps, and for the counters of AB_GUARDRAILS.

A model with requests and no series of errors has none failed only where this test's own exporters would have
counted one, as their targets declare: a client library tells a labelled counter's name and type before
anything was counted by it. Else nobody knows. Of a counter's series with chosen labels a target declares
nothing: where none was ever seen, the labels may be mistaken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from live_dashboards.errors import SourceError
from live_dashboards.model.guarded import EventCounter
from live_dashboards.model.metrics import metric_of
from live_dashboards.model.names import listed
from live_dashboards.model.notices import ASSUMED_ZERO
from live_dashboards.model.serving import ServingMetrics
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.exchange import Ask, Question, instant, values_of
from live_dashboards.sources.prometheus.own_series import HISTORY_SECONDS
from live_dashboards.sources.prometheus.promql import (
    FAILED,
    MODEL_LABEL,
    STEPS,
    TAKEN,
    events_selector,
    joined,
    one_of,
)
from live_dashboards.sources.prometheus.reply import Outcome, Reply, failure_in, series_in
from live_dashboards.sources.queries import ERRORS, EXPERIMENT_LABEL, REQUESTS, render

COUNTER_ERRORS = f"{ERRORS}{{$experiment}}"
STATUS_ERRORS = f'{REQUESTS}{{status="error", $experiment}}'
RECORDED_ERRORS = {
    COUNTER_ERRORS: f"{STEPS[ERRORS]}{{$experiment}}",
    STATUS_ERRORS: f"{FAILED}{{$experiment}}",
    "": "",
}
_BY_STATUS = f'counted as {REQUESTS}{{status="error"}}: {ERRORS} has no series'
_NO_STEPS = (
    "failed requests are not counted: the rules have recorded none, not even 0; load those that "
    "`live-dashboards rules` prints, and mend AB_ERRORS if no request has the labels that it names"
)

# the scrape jobs of each model; a job without a name where the series do not tell it
Jobs = dict[str, set[str]]
Place = tuple[str, str]  # a target's job and instance


@dataclass(frozen=True, slots=True)
class Events:
    """What happens to requests and is counted: in words, by which metric, as which series of a test, what is
    said where there is none, and whether the label status may tell it instead.
    """

    words: str
    metric: str
    selector: str
    none: str
    is_told_by_status: bool = False
    has_matchers: bool = False

    @classmethod
    def of(cls, counter: EventCounter) -> Events:
        """Those of a guardrail of one's own."""
        words, selector = metric_of(counter.name).amount, events_selector(counter)
        return cls(
            words, counter.metric, selector, f"no {words} were counted", has_matchers=bool(counter.matchers)
        )

    @property
    def series(self) -> str:
        """The series as a person would look for them."""
        return render(self.selector)


FAILED_REQUESTS = Events(
    "failed requests", ERRORS, COUNTER_ERRORS, "no failed request was counted", is_told_by_status=True
)


@dataclass(frozen=True, slots=True)
class EventsCounted:
    """The selector of failed requests, or of other events, or why there is none.

    `uncounted` are models of whose events nobody knows, `assumed` those whose 0 is taken on trust;
    `of_models` tells why, by their names.
    """

    selector: str
    reason: str = ""
    of_models: tuple[tuple[str, str], ...] = ()
    uncounted: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    events: Events = FAILED_REQUESTS

    @property
    def note(self) -> str:
        """What is told of how they are counted."""
        return _BY_STATUS if self.selector == STATUS_ERRORS else ""


@dataclass(frozen=True, slots=True)
class Counting:
    """The test's series of the window: those of requests, those of them that carry a status, and what came
    back for those of the counter of the events, or of their recorded steps.
    """

    requests: tuple[Timeline, ...]
    with_status: tuple[Timeline, ...]
    counters: Outcome
    matchers: str
    is_recorded: bool = False
    events: Events = FAILED_REQUESTS

    @property
    def selector(self) -> str:
        """How the events are counted as far as the window tells; empty where it does not."""
        if series_in(self.counters):
            return self.events.selector
        return STATUS_ERRORS if self.with_status else ""

    def counted(self, selector: str = "", reason: str = "", **of_models: Any) -> EventsCounted:
        """The events as counted by that selector, or why they are not."""
        return EventsCounted(selector, reason, **of_models, events=self.events)


def events_counted(ask: Ask, counting: Counting, *, at_seconds: float, is_known: bool) -> EventsCounted:
    """How this test's failed requests, or other events, are counted; what its own series do not tell is asked
    of the past, and of what its targets declare.

    `is_known`: the server knows the counter at all, of whomever.
    """
    if isinstance(counting.counters, SourceError):
        return counting.counted(reason=counting.counters.reason)
    counted = counting.counters.series or counting.with_status
    jobs, counting_jobs = _jobs(counting.requests), {series.label("job") for series in counted}
    proven = {series.label(MODEL_LABEL) for series in counted}
    doubtful = sorted(
        model
        for model, own in jobs.items()
        if model not in proven and (counting.is_recorded or not own <= counting_jobs)
    )
    if not doubtful:
        return counting.counted(counting.selector)
    if is_known:
        missing = {model: jobs[model] - counting_jobs for model in doubtful}
        doubtful = sorted(missing.keys() - _counted_before(ask, counting, missing, at_seconds))
    targets = (
        find_targets(
            ask,
            render(f"{REQUESTS}{{$experiment}}", matchers=counting.matchers),
            at_seconds,
            counting.events.metric,
        )
        if doubtful
        else Targets()
    )
    found = _Doubts(counting, jobs, tuple(doubtful), targets, has_counted=bool(counted))
    selector = counting.selector or (counting.events.selector if len(found.unknown) < len(jobs) else "")
    if not selector:
        return counting.counted(reason=_reason(ask, counting, found, at_seconds, is_known=is_known))
    return counting.counted(
        selector, of_models=found.of_models, uncounted=found.unknown, assumed=found.trusted
    )


def errors_counted(
    ask: Ask,
    serving: ServingMetrics,
    counting: Counting,
    *,
    at_seconds: float,
    window_seconds: float,
    is_known: bool,
) -> EventsCounted:
    """How this test's failed requests are counted, as they are called on the server.

    Those that labels of the requests' own counters tell are 0 where there is no such series, of models whose
    requests have these labels in the window; of others nobody knows.
    """
    if serving.errors is None:
        return counting.counted(reason=f"no count of a model's failed requests ({serving.title})")
    labels = sorted({matcher.label for each in serving.errors.added for matcher in each.matchers})
    counted = counting
    if not serving.is_told_by_status:
        events = replace(FAILED_REQUESTS, is_told_by_status=False, has_matchers=bool(labels))
        counted = replace(counting, events=events)
    is_of_requests = {each.metric for each in serving.errors.added} <= serving.requests.metrics
    if isinstance(counting.counters, SourceError):
        return counted.counted(reason=counting.counters.reason)
    if counting.is_recorded and not serving.is_own and (is_of_requests or serving.errors.taken):
        return _counted_in_steps(counted, counting.counters.series)
    if serving.is_own or not labels or not is_of_requests:
        return events_counted(ask, counted, at_seconds=at_seconds, is_known=is_known)
    return _by_labels(ask, counted, labels, at_seconds, window_seconds)


def _by_labels(
    ask: Ask, counting: Counting, labels: Sequence[str], at_seconds: float, window_seconds: float
) -> EventsCounted:
    """By labels of the requests: of models whose requests have them."""
    selectors = (f'{REQUESTS}{{{label}!="", $experiment}}' for label in labels)
    texts = (f"count by ({MODEL_LABEL}) (count_over_time({each}[$window]))" for each in selectors)
    outcomes = ask(
        [
            instant(
                render(text, matchers=counting.matchers, window_seconds=window_seconds), at_seconds, "count"
            )
            for text in texts
        ]
    )
    failure = failure_in(outcomes)
    if failure is not None:
        return counting.counted(reason=failure)
    models, lacking = _jobs(counting.requests), {}
    for label, outcome in zip(labels, outcomes, strict=True):
        there = {series.label(MODEL_LABEL) for series in series_in(outcome)}
        lacking.update(dict.fromkeys(models.keys() - there, label))
    reasons = {
        model: f"{counting.events.words} are not counted: its requests have no label {label}; mend AB_ERRORS"
        for model, label in sorted(lacking.items())
    }
    if reasons and len(reasons) == len(models):
        label = next(iter(lacking.values()))
        return counting.counted(
            reason=f"failed requests are not counted: no series of {REQUESTS} has the label {label}; mend "
            "AB_ERRORS"
        )
    return counting.counted(COUNTER_ERRORS, of_models=tuple(reasons.items()), uncounted=tuple(reasons))


def _counted_in_steps(counting: Counting, steps: Iterable[Timeline]) -> EventsCounted:
    """Of errors that are a part of the requests, or a difference, rules record those of each model, 0 too: of
    a model without such steps nobody knows.
    """
    counted = {series.label(MODEL_LABEL) for series in steps}
    lacking = tuple(sorted(_jobs(counting.requests).keys() - counted))
    if not counted:
        return counting.counted(reason=_NO_STEPS)
    return counting.counted(
        COUNTER_ERRORS, of_models=tuple((model, _NO_STEPS) for model in lacking), uncounted=lacking
    )


def taken_words(ask: Ask, serving: ServingMetrics, matchers: str, at_seconds: float) -> tuple[str, ...]:
    """What is told of models of which the counter that is taken away has no series now, so that all they
    count is left: nothing ends well there any more, or nothing counts it.
    """
    if serving.errors is None or not serving.errors.taken:
        return ()
    texts = (f"count by ({MODEL_LABEL}) ({metric}{{$experiment}})" for metric in (ERRORS, TAKEN[ERRORS]))
    outcomes = ask([instant(render(text, matchers=matchers), at_seconds, "count") for text in texts])
    if failure_in(outcomes) is not None:
        return ()  # which is told of that question
    added, taken = ({series.label(MODEL_LABEL) for series in series_in(outcome)} for outcome in outcomes)
    without = sorted(added - taken)
    names = " and ".join(each.metric for each in serving.errors.taken)
    return (
        (f"of {listed(without)} there is no {names} now, so that every request counts as failed",)
        if without
        else ()
    )


def find_events(
    ask: Ask,
    counters: Iterable[EventCounter],
    *,
    matchers: str,
    at_seconds: float,
    window_seconds: float,
) -> tuple[tuple[str, EventsCounted], ...]:
    """How the events of each guardrail of one's own are counted, by its name; each is asked for by itself, so
    that a selector that the server does not take spoils nothing else.
    """
    several = [(counter.name, Events.of(counter)) for counter in counters]
    if not several:
        return ()
    selectors = (f"{REQUESTS}{{$experiment}}", *(events.selector for _, events in several))
    texts = (f"count by (job, {MODEL_LABEL}) (count_over_time({each}[$window]))" for each in selectors)
    requests, *found = ask(
        [
            instant(render(text, matchers=matchers, window_seconds=window_seconds), at_seconds, "count")
            for text in texts
        ]
    )
    if isinstance(requests, SourceError):
        return tuple((name, EventsCounted("", requests.reason, events=events)) for name, events in several)
    return tuple(
        (
            name,
            _events_counted(ask, Counting(requests.series, (), outcome, matchers, events=events), at_seconds),
        )
        for (name, events), outcome in zip(several, found, strict=True)
    )


def _events_counted(ask: Ask, counting: Counting, at_seconds: float) -> EventsCounted:
    """The same of a counter that need not know models."""
    if not counting.requests:
        return counting.counted(
            reason=f"{counting.events.words} are not counted: Prometheus holds no instance's {REQUESTS}, "
            "beside which they would be"
        )
    there = series_in(counting.counters)
    named = tuple(series for series in there if series.label(MODEL_LABEL))
    if there and not named:
        return counting.counted(
            reason=f"{counting.events.words} of one model cannot be told from those of another: "
            f"{counting.events.series} has no label {MODEL_LABEL}"
        )
    own = replace(counting, counters=Reply(named)) if there else counting
    return events_counted(ask, own, at_seconds=at_seconds, is_known=True)


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
        """Those that have none as the other arm counts them, and nothing speaks against it."""
        return tuple(
            model
            for model in self.models
            if self.has_counted and not self.targets.are_known(model) and not self._elsewise(model)
        )

    @property
    def unknown(self) -> tuple[str, ...]:
        """Those of which nobody knows."""
        tells = self.has_counted or not self.counting.events.has_matchers
        sure = {
            model
            for model in self.models
            if tells and self.targets.declare_events(model) and not self._elsewise(model)
        }
        return tuple(model for model in self.models if model not in sure and model not in self.trusted)

    @property
    def of_models(self) -> tuple[tuple[str, str], ...]:
        """What is told of each model without a series of the events in its jobs."""
        events = self.counting.events
        series = "error series" if events.is_told_by_status else f"series {events.series}"
        trusted = ((model, f"no {series} in {self._where(model)}, {ASSUMED_ZERO}") for model in self.trusted)
        return (
            *trusted,
            *((model, f"{events.words} are not counted: {self.why(model)}") for model in self.unknown),
        )

    def why(self, model: str) -> str:
        """Why nobody knows of this model's events."""
        where, events = self._where(model), self.counting.events
        if self._elsewise(model):
            return f"{where} counts them by the label status, other jobs by {events.metric}"
        if self.targets.are_known(model) and not self.targets.declare_events(model):
            return f"its targets in {where} declare no {events.metric}"
        if not events.is_told_by_status:
            return f"there is no {events.series} in {where}"
        return f"there is neither {events.metric} nor a label status on {REQUESTS} in {where}"

    def _elsewise(self, model: str) -> bool:
        """Whether its errors are counted in the way that is not asked."""
        return self.counting.selector == self.counting.events.selector and any(
            series.label(MODEL_LABEL) == model for series in self.counting.with_status
        )

    def _where(self, model: str) -> str:
        """Where its events would be counted; recorded steps know no jobs."""
        return (
            "its recorded steps"
            if self.counting.is_recorded
            else f"job {listed(sorted(job or 'without a name' for job in self.jobs[model]))}"
        )


def _counted_before(ask: Ask, counting: Counting, missing: Jobs, at_seconds: float) -> set[str]:
    """The models whose events would have been counted, as they were in the past, in all the jobs that are
    missing now: none was since then. Of recorded steps, which know no jobs, those of which there were any.
    """
    selector = render(
        RECORDED_ERRORS[COUNTER_ERRORS] if counting.is_recorded else counting.events.selector,
        matchers=joined(counting.matchers, f'{MODEL_LABEL}!=""'),
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
    """Why no event is counted at all."""
    events = counting.events
    and_no_status = f", and {REQUESTS} has no label status" if events.is_told_by_status else ""
    if is_known and counting.matchers:
        every = RECORDED_ERRORS[COUNTER_ERRORS] if counting.is_recorded else events.selector
        selector = render(every, matchers=f'{EXPERIMENT_LABEL}=""')
        (found,) = ask([values_of("__name__", selector, at_seconds - HISTORY_SECONDS, at_seconds)])
        if not isinstance(found, SourceError) and found.names:
            return (
                f"{events.words} cannot be told apart: {events.metric} has no label {EXPERIMENT_LABEL}"
                f"{and_no_status}"
            )
    known = next((model for model in doubts.models if doubts.targets.are_known(model)), None)
    if known is not None:
        return f"{events.words} are not counted: {doubts.why(known)}{and_no_status}"
    of_this = " of this experiment" if is_known and counting.matchers else ""
    if not events.is_told_by_status:
        return f"{events.words} are not counted: Prometheus has no series {events.series}{of_this}"
    return (
        f"{events.words} are not counted: there is neither {events.metric} nor a label status on "
        f"{REQUESTS}{of_this}"
    )


def _jobs(series: Iterable[Timeline]) -> Jobs:
    found: Jobs = {}
    for each in series:
        found.setdefault(each.label(MODEL_LABEL), set()).add(each.label("job"))
    return found


@dataclass(frozen=True, slots=True)
class Targets:
    """Each model's targets of which is known what they declare, and all that declare the events' metric."""

    known: Mapping[str, frozenset[Place]] = field(default_factory=dict)
    declaring: frozenset[Place] = frozenset()

    def are_known(self, model: str) -> bool:
        """Whether the server knows what any of the model's targets declares."""
        return bool(self.known.get(model))

    def declare_events(self, model: str) -> bool:
        """Whether each of the model's targets of which that is known declares the events' metric."""
        return self.are_known(model) and self.known[model] <= self.declaring


def find_targets(ask: Ask, requests: str, at_seconds: float, metric: str = ERRORS) -> Targets:
    """The targets that are scraped now behind a selector of requests, and which of them declare a metric;
    nothing is known of them where the server cannot tell (back-filled, VictoriaMetrics).
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
    names = (name for each in (REQUESTS, metric) for name in (each, each.removesuffix("_total")))
    answers = ask(
        [
            Question("targets/metadata", {"metric": name, "match_target": match}, is_optional=True)
            for name in names
        ]
    )
    of_requests, of_events = (
        frozenset(map(_place, series_in(*several))) for several in (answers[:2], answers[2:])
    )
    telling = of_requests | of_events
    return Targets({model: telling & own for model, own in places.items()}, of_events)


def _place(series: Timeline) -> Place:
    return series.label("job"), series.label("instance")
