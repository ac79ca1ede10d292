"""What must be known before the questions can be put: which series count, how failed requests are counted,
how wide a rate's window must be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from live_dashboards.model.serving import OWN_NAMES, ServingMetrics
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.exchange import Ask, instant
from live_dashboards.sources.prometheus.failed_requests import (
    RECORDED_ERRORS,
    Counting,
    EventsCounted,
    errors_counted,
    taken_words,
)
from live_dashboards.sources.prometheus.native import Native
from live_dashboards.sources.prometheus.own_series import AskedTest, find_own_series
from live_dashboards.sources.prometheus.promql import (
    SETTLED_SECONDS,
    STEP_SECONDS,
    TAKEN,
    events_selector,
    once,
    recorded_form,
)
from live_dashboards.sources.prometheus.reply import Outcome, answered, value_in
from live_dashboards.sources.queries import ERRORS, EXPERIMENT_LABEL, LATENCY, REQUESTS, AbQuery, render

DAY_SECONDS = 86_400.0
_SHORTEST_RATE_SECONDS = 300.0
_SAMPLES_IN_RATE = 4
_USUAL_PAUSE_SECONDS = 60.0
_ENOUGH_SAMPLES = 3  # in five minutes: with them every five minutes hold the two samples that a rate needs

_PROBES = (
    (
        f"count by ({EXPERIMENT_LABEL}, job, model_name, status) "
        f"(count_over_time({REQUESTS}{{$experiment}}[$window]))"
    ),
    f"count by (job, model_name) (count_over_time({ERRORS}{{$experiment}}[$window]))",
    f"max(max_over_time(count_over_time({REQUESTS}{{$experiment}}[5m])[1h:1m]))",
    f"max(count_over_time({REQUESTS}{{$experiment}}[1h]))",
)


@dataclass(frozen=True, slots=True)
class Scope:
    """How this moment's questions are filled in: which test's series count (None: all), how failed requests
    are counted, the rate's window.

    `matchers` are those of the series that count, `experiments` the names that their requests carry in the
    window. Recorded or not, the selector of `errors` is that of the instances' own series.
    `steps_at_seconds` is where the steps are asked that rules have recorded; None: the series of every
    instance are asked. `copy_labels` are those in which alone copies of one scrape differ, which count once.
    `pause_seconds` lie between two scrapes. `native` are the native histograms that count instead of classic
    ones. `serving` is what things are called on the server, into which questions are put later (see `names`).
    `guarded` tells by their names how the events of guardrails of one's own are counted.
    """

    at_seconds: float
    window_seconds: float
    experiment: str | None
    experiments: tuple[str, ...]
    has_requests: bool
    errors: EventsCounted
    shortest_rate_seconds: float
    warnings: tuple[str, ...] = ()
    steps_at_seconds: float | None = None
    copy_labels: tuple[str, ...] = ()
    pause_seconds: float = _USUAL_PAUSE_SECONDS
    matchers: str = ""
    native: Native | None = None
    serving: ServingMetrics = OWN_NAMES
    guarded: tuple[tuple[str, EventsCounted], ...] = ()

    @property
    def is_recorded(self) -> bool:
        """Whether what rules have recorded is asked, where they record it."""
        return self.steps_at_seconds is not None

    @property
    def counts_at_seconds(self) -> float:
        """The moment at which counts are asked; gauges and ages are asked at `at_seconds`."""
        return self.at_seconds if self.steps_at_seconds is None else self.steps_at_seconds

    def since(self, start_seconds: float) -> float:
        """Seconds from a moment to where counts are asked; of recorded steps, those of the whole ones in
        between.
        """
        if self.steps_at_seconds is None:
            return self.at_seconds - start_seconds
        return (self.steps_at_seconds - SETTLED_SECONDS - start_seconds) // STEP_SECONDS * STEP_SECONDS

    def form(self, query: AbQuery) -> AbQuery:
        """The question in the form in which it is asked."""
        return (recorded_form(query) if self.counts_steps(query) else None) or query

    def counts_steps(self, query: AbQuery) -> bool:
        """Whether steps are asked that rules have recorded; they record no native histograms."""
        return (
            self.is_recorded
            and recorded_form(query) is not None
            and not (self.native is not None and query.metric.startswith(LATENCY))
        )

    def is_difference(self, query: AbQuery) -> bool:
        """Whether something is taken away from what the query counts."""
        sums = {REQUESTS: self.serving.requests, ERRORS: self.serving.errors}
        counted = sums.get(query.metric) if query.is_growth else None
        return counted is not None and bool(counted.taken)

    def taken(self, query: AbQuery) -> AbQuery | None:
        """The question after what is taken away from a counter's, under a name of its own; None where there
        is nothing, or rules have recorded what is left.
        """
        if not self.is_difference(query) or self.counts_steps(query):
            return None
        metric = TAKEN[query.metric]
        promql = f"sum by ({', '.join(query.labels)}) (increase({metric}{{$experiment}}[$window]))"
        return AbQuery(f"{query.name}_taken", promql, query.unit, query.labels, metric)

    def as_asked(self, promql: str) -> str:
        """The PromQL as the server gets it, of native histograms where those count."""
        return promql if self.native is None else self.native.form(promql)

    def render(self, query: AbQuery, step_seconds: float = 0.0) -> str:
        """The query's PromQL, with rates over at least one step of the grid."""
        rate_seconds = max(self.shortest_rate_seconds, step_seconds)
        promql = once(self.form(query).promql, self.copy_labels)
        return render(
            promql,
            matchers=self.matchers,
            rate_seconds=rate_seconds,
            window_seconds=self.window_seconds,
            errors=self._errors(query),
        )

    def selector(self, query: AbQuery) -> str:
        """The series that the query needs, as a person would look for them."""
        if query.needs_errors:
            return self._errors(query)
        if query.events is not None:
            return render(events_selector(query.events), matchers=self.matchers)
        return render(f"{self.form(query).metric}{{$experiment}}", matchers=self.matchers)

    def events(self, query: AbQuery) -> EventsCounted | None:
        """How the events are counted that the query asks for; None of one that asks for none."""
        if query.events is not None:
            return dict(self.guarded)[query.events.name]
        return self.errors if query.needs_errors else None

    def can_ask(self, query: AbQuery) -> bool:
        """Whether what the query needs is there at all."""
        events = self.events(query)
        return not self._latency_lack(query) and (events is None or bool(events.selector))

    def why_not(self, query: AbQuery) -> str | None:
        """Why what the query needs is not there."""
        events = self.events(query)
        return (self._latency_lack(query) or None) if events is None else events.reason

    def _latency_lack(self, query: AbQuery) -> str:
        """Why the server has not the response times that the query needs; empty where it may."""
        latency, title = self.serving.latency, self.serving.title
        if not query.metric.startswith(LATENCY):
            return ""
        if latency is None:
            return f"no response times of a model ({title})"
        if query.metric == f"{LATENCY}_bucket" and not latency.has_buckets:
            return f"no buckets ({title}): percentiles and shares of {latency.metric} are not known"
        if query.metric == f"{LATENCY}_sum" and not latency.has_mean:
            return f"no true sum ({title}): the mean of {latency.metric} is not known"
        return ""

    def _errors(self, query: AbQuery) -> str:
        """The selector of failed requests, or of their recorded steps, its experiment filled in."""
        own = self.errors.selector
        return render(RECORDED_ERRORS[own] if self.counts_steps(query) else own, matchers=self.matchers)


def find_scope(
    ask_all: Ask,
    *,
    at_seconds: float,
    window_seconds: float,
    test: AskedTest,
    known: tuple[str, ...],
    metric_names: tuple[str, ...],
    serving: ServingMetrics = OWN_NAMES,
) -> Scope:
    """Look once at whose series there are, at requests and errors; SourceError where even the requests cannot
    be looked at.

    `known` are the values of the label `experiment`.
    """
    longest_seconds = max(window_seconds, DAY_SECONDS)
    own = find_own_series(ask_all, test, known, at_seconds=at_seconds)
    texts = [render(probe, matchers=own.matchers, window_seconds=longest_seconds) for probe in _PROBES]
    found, errors, in_five_minutes, in_an_hour = ask_all(
        [instant(text, at_seconds, "count") for text in texts]
    )
    requests = answered(found)
    with_status = _told_by_status(serving, requests.series)
    return Scope(
        at_seconds=at_seconds,
        window_seconds=window_seconds,
        experiment=test.name,
        experiments=tuple(sorted({series.label(EXPERIMENT_LABEL) for series in requests.series} - {""})),
        has_requests=bool(requests.series),
        errors=errors_counted(
            ask_all,
            serving,
            Counting(requests.series, with_status, errors, own.matchers),
            at_seconds=at_seconds,
            window_seconds=longest_seconds,
            is_known=ERRORS in metric_names,
        ),
        shortest_rate_seconds=_shortest_rate(in_five_minutes, in_an_hour),
        pause_seconds=_pause_seconds(in_an_hour),
        warnings=(
            *own.told,
            *requests.warnings,
            *taken_words(ask_all, serving, own.matchers, at_seconds),
        ),
        matchers=own.matchers,
        serving=serving,
    )


def _told_by_status(serving: ServingMetrics, requests: tuple[Timeline, ...]) -> tuple[Timeline, ...]:
    """The requests whose label status tells how they ended; of other names' only if it does tell of any
    error.
    """
    found = tuple(series for series in requests if series.label("status") and serving.is_told_by_status)
    tells = serving.is_own or any(series.label("status") == "error" for series in found)
    return found if tells else ()


def _pause_seconds(in_an_hour: Outcome) -> float:
    """How long it is from one scrape to the next of what is scraped most often; what is usual where the last
    hour does not tell.
    """
    samples = value_in(in_an_hour) or 0.0
    return 3600 / samples if 1 <= samples <= 3600 else _USUAL_PAUSE_SECONDS


def _shortest_rate(in_five_minutes: Outcome, in_an_hour: Outcome) -> float:
    """Five minutes; four samples where an exporter is scraped so rarely that five minutes would not hold
    two.
    """
    few, many = (value_in(outcome) or 0.0 for outcome in (in_five_minutes, in_an_hour))
    # scraped often enough, or only just begun, or no count of samples
    if few >= _ENOUGH_SAMPLES or many <= few or many < 1:
        return _SHORTEST_RATE_SECONDS
    return max(_SHORTEST_RATE_SECONDS, math.ceil(_SAMPLES_IN_RATE * 60 / many) * 60.0)
