"""How failed requests are counted: by a counter of their own, or by the label status; one rule for the instances' series and for recorded steps.

A model with requests and no series of errors has none failed only where this test's own exporters would have counted one; else nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from live_dashboards.errors import SourceError
from live_dashboards.model.listing import listed
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.declared import Targets, find_targets
from live_dashboards.sources.prometheus.exchange import values_of
from live_dashboards.sources.prometheus.failed_questions import Ask
from live_dashboards.sources.prometheus.matchers import MODEL_LABEL
from live_dashboards.sources.prometheus.own_series import HISTORY_SECONDS
from live_dashboards.sources.prometheus.recorded import FAILED, STEPS
from live_dashboards.sources.queries import ERRORS, EXPERIMENT_LABEL, REQUESTS, render

COUNTER_ERRORS = "ab_test_errors_total{$experiment}"
STATUS_ERRORS = 'ab_test_requests_total{status="error", $experiment}'
RECORDED_ERRORS = {COUNTER_ERRORS: f"{STEPS[ERRORS]}{{$experiment}}", STATUS_ERRORS: f"{FAILED}{{$experiment}}", "": ""}
_BY_STATUS = f'counted as {REQUESTS}{{status="error"}}: {ERRORS} has no series'

Jobs = dict[str, set[str]]
"""The scrape jobs of each model; a job without a name where the series do not tell it."""


@dataclass(frozen=True, slots=True)
class ErrorsCounted:
    """The selector of failed requests, or why there is none.

    `uncounted` are models of whose errors nobody knows; `notes` tell why, and where a 0 is taken on trust.
    """

    selector: str
    reason: str = ""
    notes: tuple[str, ...] = ()
    uncounted: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What is told of how they are counted."""
        return "; ".join((*((_BY_STATUS,) if self.selector == STATUS_ERRORS else ()), *self.notes))


@dataclass(frozen=True, slots=True)
class Counting:
    """The test's series of the window: those of requests, those of them that carry a status, and those of the counter of errors, or of their recorded steps."""

    requests: tuple[Timeline, ...]
    with_status: tuple[Timeline, ...]
    counters: tuple[Timeline, ...]
    matchers: str
    is_recorded: bool = False

    @property
    def selector(self) -> str:
        """How the failed requests are counted as far as the window tells; empty where it does not."""
        return COUNTER_ERRORS if self.counters else STATUS_ERRORS if self.with_status else ""


def errors_counted(ask: Ask, counting: Counting, *, at_seconds: float, is_known: bool) -> ErrorsCounted:
    """How this test's failed requests are counted; what its own series do not tell is asked of the past, and of what its targets declare.

    `is_known`: the server knows the counter at all, of whomever.
    """
    counted = counting.counters if counting.selector == COUNTER_ERRORS else counting.with_status
    jobs, counting_jobs = _jobs(counting.requests), {series.label("job") for series in counted}
    proven = {series.label(MODEL_LABEL) for series in counted}
    doubtful = sorted(model for model, own in jobs.items() if model not in proven and not own <= counting_jobs)
    if not doubtful:
        return ErrorsCounted(counting.selector)
    past = _past_jobs(ask, counting, at_seconds) if is_known else set()
    doubtful = [model for model in doubtful if not jobs[model] <= counting_jobs | past]
    targets = find_targets(ask, render(f"{REQUESTS}{{$experiment}}", matchers=counting.matchers), at_seconds) if doubtful else Targets()
    found = _Doubts(counting, jobs, tuple(doubtful), targets, has_counted=bool(counted))
    selector = counting.selector or (COUNTER_ERRORS if len(found.unknown) < len(jobs) else "")
    if not selector:
        return ErrorsCounted("", _reason(ask, counting, found, at_seconds, is_known=is_known))
    return ErrorsCounted(selector, notes=found.notes, uncounted=found.unknown)


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
        return tuple(model for model in self.models if self.has_counted and not self.targets.are_known(model) and not self._elsewise(model))

    @property
    def unknown(self) -> tuple[str, ...]:
        """Those of which nobody knows."""
        sure = {model for model in self.models if self.targets.declare_errors(model) and not self._elsewise(model)}
        return tuple(model for model in self.models if model not in sure and model not in self.trusted)

    @property
    def notes(self) -> tuple[str, ...]:
        trusted = (f"no error series in job {listed(sorted(self._job_names(self.trusted)))}" if self.trusted else "",)
        return tuple(filter(None, (*trusted, *(f"failed requests of {model} are not counted: {self.why(model)}" for model in self.unknown))))

    def why(self, model: str) -> str:
        """Why nobody knows of this model's errors."""
        where = f"job {listed(sorted(self._job_names((model,))))}"
        if self._elsewise(model):
            return f"{where} counts them by the label status, other jobs by {ERRORS}"
        if self.targets.are_known(model):
            return f"its targets in {where} declare no {ERRORS}"
        return f"there is neither {ERRORS} nor a label status on {REQUESTS} in {where}"

    def _elsewise(self, model: str) -> bool:
        """Whether its errors are counted in the way that is not asked."""
        return self.counting.selector == COUNTER_ERRORS and any(series.label(MODEL_LABEL) == model for series in self.counting.with_status)

    def _job_names(self, models: Iterable[str]) -> set[str]:
        return {job or "without a name" for model in models for job in self.jobs[model]}


def _past_jobs(ask: Ask, counting: Counting, at_seconds: float) -> set[str]:
    """The jobs in which the test's errors were ever counted: none was since then."""
    selector = render(f"{STEPS[ERRORS] if counting.is_recorded else ERRORS}{{$experiment}}", matchers=counting.matchers)
    span = (at_seconds - HISTORY_SECONDS, at_seconds)
    jobs, names = ask([values_of("job", selector, *span), values_of("__name__", selector, *span)])
    if isinstance(jobs, SourceError) or isinstance(names, SourceError) or not names.names:
        return set()
    return set(jobs.names) or {""}


def _reason(ask: Ask, counting: Counting, doubts: _Doubts, at_seconds: float, *, is_known: bool) -> str:
    """Why no failed request is counted at all."""
    if is_known and counting.matchers:
        metric = STEPS[ERRORS] if counting.is_recorded else ERRORS
        (found,) = ask([values_of("__name__", f'{metric}{{{EXPERIMENT_LABEL}=""}}', at_seconds - HISTORY_SECONDS, at_seconds)])
        if not isinstance(found, SourceError) and found.names:
            return f"failed requests cannot be told apart: {ERRORS} has no label {EXPERIMENT_LABEL}, and {REQUESTS} has no label status"
    known = next((model for model in doubts.models if doubts.targets.are_known(model)), None)
    if known is not None:
        return f"failed requests are not counted: {doubts.why(known)}, and {REQUESTS} has no label status"
    of_this = " of this experiment" if is_known and counting.matchers else ""
    return f"failed requests are not counted: there is neither {ERRORS} nor a label status on {REQUESTS}{of_this}"


def _jobs(series: Iterable[Timeline]) -> Jobs:
    found: Jobs = {}
    for each in series:
        found.setdefault(each.label(MODEL_LABEL), set()).add(each.label("job"))
    return found
