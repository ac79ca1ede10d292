"""How failed requests are counted: by a counter of their own, or by the label status; one rule for the instances' series and for recorded steps."""

from __future__ import annotations

from dataclasses import dataclass

from live_dashboards.errors import SourceError
from live_dashboards.sources.prometheus.recorded import FAILED, STEPS
from live_dashboards.sources.prometheus.reply import Outcome
from live_dashboards.sources.queries import ERRORS, EXPERIMENT_LABEL, REQUESTS

COUNTER_ERRORS = "ab_test_errors_total{$experiment}"
STATUS_ERRORS = 'ab_test_requests_total{status="error", $experiment}'
RECORDED_ERRORS = {COUNTER_ERRORS: f"{STEPS[ERRORS]}{{$experiment}}", STATUS_ERRORS: f"{FAILED}{{$experiment}}", "": ""}


@dataclass(frozen=True, slots=True)
class ErrorsCounted:
    """The selector of failed requests, or why there is none."""

    selector: str
    reason: str = ""

    @property
    def note(self) -> str:
        """What is told of how they are counted."""
        return f'counted as {REQUESTS}{{status="error"}}: {ERRORS} has no series' if self.selector == STATUS_ERRORS else ""


def errors_counted(counters: Outcome, experiment: str | None, *, has_status: bool, is_known: bool) -> ErrorsCounted:
    """How failed requests are counted, by the counter's series of each experiment; one rule for raw series and for recorded ones.

    A counter that has no series for this experiment only means no failure where the counter carries the experiment's label at all.
    """
    if isinstance(counters, SourceError):
        return ErrorsCounted("", counters.reason)
    labels = {series.label(EXPERIMENT_LABEL) for series in counters.series}
    if labels if experiment is None else experiment in labels:
        return ErrorsCounted(COUNTER_ERRORS)
    if has_status:
        return ErrorsCounted(STATUS_ERRORS)
    if (labels - {""}) or (not labels and is_known):
        return ErrorsCounted(COUNTER_ERRORS)
    if labels:
        return ErrorsCounted("", f"failed requests cannot be told apart: {ERRORS} has no label {EXPERIMENT_LABEL}, and {REQUESTS} has no label status")
    return ErrorsCounted("", f"failed requests are not counted: there is neither {ERRORS} nor a label status on {REQUESTS}")
