"""What recording rules count in a step of five minutes, as PromQL in whatever names a server has.

A step is what each instance's last sample of now and of five minutes ago differ by; why so, and what it is
where an instance is new or has restarted, is told at the head of
deploy/prometheus/ab_test_recorded.rules.yml.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from textwrap import indent

from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.serving import ServingMetrics
from live_dashboards.sources.prometheus.families import families
from live_dashboards.sources.prometheus.names import FAMILY_LABEL, Translator
from live_dashboards.sources.prometheus.promql import MODEL_LABEL, TAKEN
from live_dashboards.sources.queries import ERRORS, LATENCY, REQUESTS

BY_MODEL, BY_EDGE = "experiment, model_name", "experiment, le, model_name"
BUCKETS, SUM, COUNT = f"{LATENCY}_bucket", f"{LATENCY}_sum", f"{LATENCY}_count"
_STATUS = "status"
# of ten: edges from a million on are spelt 1e+06 by Go and C++, 1.0E7 by Java
_SPELT_POWERS = range(6, 10)

_RESTARTED_AGAIN = (
    "increase({x}[5m] offset 1m) and (resets({x}[10m] offset 1m) > 0) - resets({x}[5m] offset 6m) > "
    "(last_over_time({x}[5m] offset 1m) < bool last_over_time({x}[5m] offset 6m))"
)
_HAS_BEGUN = f"last_over_time({EXPORTED.process_start}[5m] offset 1m) > time() - 420"
_GREW_AS_MUCH = (
    "(min_over_time({x}[5m] offset 1m) <= on (job, instance, model_name) group_left () "
    "sum by (job, instance, model_name) (last_over_time({requests}[5m] offset 1m) - "
    "last_over_time({requests}[1h] offset 6m)) unless on ({kinds}) last_over_time({x}[1h] offset 6m))"
)
_NEW = f"min_over_time({{x}}[5m] offset 1m) unless on (job, instance) {_HAS_BEGUN}{{unless}}"
_STEP = f"""\
sum by ({{by}}) (
    ({_RESTARTED_AGAIN})
  or
    (last_over_time({{x}}[1h] offset 1m) - (last_over_time({{x}}[1h] offset 6m) \
or ({_NEW}) or 0 * min_over_time({{x}}[5m] offset 1m)) >= 0)
  or
    last_over_time({{x}}[1h] offset 1m) + clamp_min(max_over_time({{x}}[5m] offset 1m) \
- last_over_time({{x}}[1h] offset 6m), 0)
)"""
_UNSEEN = f"""\
sum by ({{by}}) (
    (min_over_time({{x}}[5m] offset 1m) - ({{x}} offset 2h or {{x}} offset 6h or {{x}} offset 1d) >= 0 \
or min_over_time({{x}}[5m] offset 1m))
  unless
    last_over_time({{x}}[1h] offset 6m)
  unless on (job, instance)
    {_HAS_BEGUN}{{unless}}
)"""


@dataclass(frozen=True, slots=True)
class _Counter:
    """A counter's series: their selector in the tool's own names, and the labels that are kept.

    `is_event`: what an instance begins with may be known from how its requests grow. `zero` are the series
    where a step without any of it is 0, `unseen_zero` those where nothing was unseen.
    """

    selector: str
    by: str = BY_MODEL
    is_event: bool = False
    zero: str = ""
    unseen_zero: str = ""


class Steps:
    """The steps of a server with these names."""

    def __init__(self, serving: ServingMetrics) -> None:
        self._serving = serving
        self._translator = Translator.of_any_server(serving)
        self._families = families(serving)

    def form(self, promql: str) -> str:
        """The PromQL in the server's names."""
        return promql if self._serving.is_own else self._translator.form(promql)

    def has(self, metric: str) -> bool:
        """Whether anything stands for one of the tool's own metrics."""
        return bool(self._families[metric])

    def step(self, metric: str) -> str:
        """What a counter grew by in a step, in the tool's own unit.

        Of a difference it may be below 0: the second counter may tell of the same event a step later. What
        its series held when they were first seen is taken away, too.
        """
        counter = self._counter(metric)
        added = self._step(counter)
        if not self._has_taken(metric):
            return self.scaled(metric, added)
        taken = self._counter(TAKEN[metric])
        return self.less(added, f"{_in(self._step(taken))} + {_in(self._unseen(taken))}", taken.selector)

    def unseen(self, metric: str) -> str:
        """What may have been counted beyond: what its series held when they were first seen."""
        found = self._unseen(self._counter(metric))
        if not self._has_taken(metric):
            return self.scaled(metric, found)
        taken = self._unseen(self._counter(TAKEN[metric]))
        return f"{_in(found)} + {_in(f'{_in(taken)} or 0 * {_in(found)}')}"

    def failed(self) -> str:
        """What was counted by the label status."""
        return self._step(self._by_status)

    def failed_unseen(self) -> str:
        """What of that series held when they were first seen."""
        return self._unseen(self._by_status)

    def estimated(self) -> str:
        """What of a step of requests is Prometheus' own estimate."""
        return self.form(f"sum by ({BY_MODEL}) ({_RESTARTED_AGAIN.format(x=REQUESTS)})")

    def growth(self, metric: str, promql: str) -> str:
        """Another growth of a counter, as `sum by (model_name) (rate(%s[5m]))` of its selector; never
        below 0.
        """
        added = self.scaled(metric, self.form(promql % metric))
        if not self._has_taken(metric):
            return added
        taken = TAKEN[metric]
        return f"clamp_min({self.less(added, self.form(promql % taken), taken)}, 0)"

    def growth_by_status(self, promql: str) -> tuple[str, ...]:
        """The same of what is counted by the label status, where it may be."""
        told = self._serving.is_told_by_status
        return (self.form(promql % self._by_status.selector),) if told else ()

    def growth_of_none(self, promql: str, requests: str) -> tuple[str, ...]:
        """The growth of what tells that nothing has failed where no error is; `requests` is that of all.

        Nothing of a difference, which is there for every model, or for none as nobody knows.
        """
        if self._has_taken(ERRORS):
            return ()
        there = self._no_errors
        return (requests if there in {"", REQUESTS} else self.form(promql % there),)

    def less(self, added: str, taken: str, selector: str) -> str:
        """The difference of two expressions; where a model has none of the second, and others have, all of
        the first. `selector` is that of the second's series.
        """
        there = self.form(f"last_over_time({selector}[1h] offset 1m)")
        return f"{_in(added)} - {_in(f'{_in(taken)} or 0 * {_in(added)} and on () {there}')}"

    def scaled(self, metric: str, expr: str) -> str:
        """Sums and bucket edges of response times in seconds.

        No function of PromQL reckons with labels, but an edge may be written as a number with a power of ten,
        which everything reads that reads edges.
        """
        latency = self._serving.latency
        if latency is None or latency.unit_seconds == 1:
            return expr
        if metric == SUM:
            return f"{latency.unit_seconds:g} * {expr}"
        return _smaller_edges(expr, round(-math.log10(latency.unit_seconds))) if metric == BUCKETS else expr

    def _has_taken(self, metric: str) -> bool:
        return metric in TAKEN and self.has(TAKEN[metric])

    def _step(self, counter: _Counter) -> str:
        return self._or_zero(self._filled(_STEP, counter, " unless "), counter, counter.zero)

    def _unseen(self, counter: _Counter) -> str:
        filled = self._filled(_UNSEEN, counter, "\n  unless\n    ")
        return self._or_zero(filled, counter, counter.unseen_zero)

    def _filled(self, text: str, counter: _Counter, unless: str) -> str:
        grew = _GREW_AS_MUCH.format(x=counter.selector, requests=REQUESTS, kinds=", ".join(self._kinds))
        more = f"{unless}{grew}" if counter.is_event else ""
        return self.form(text.format(x=counter.selector, by=counter.by, unless=more))

    def _or_zero(self, expr: str, counter: _Counter, selector: str) -> str:
        if not selector:
            return expr
        there = self.form(f"sum by ({counter.by}) (last_over_time({selector}[1h] offset 1m))")
        return f"{indent(expr, '  ')}\nor\n  {there} * 0"

    def _counter(self, metric: str) -> _Counter:
        if metric == REQUESTS or metric in TAKEN.values():
            return _Counter(metric, is_event=True, unseen_zero=metric)
        if metric == ERRORS:
            zero = self._no_errors
            return _Counter(metric, is_event=True, zero=zero, unseen_zero=zero or metric)
        return _Counter(metric, BY_EDGE if metric == BUCKETS else BY_MODEL)

    @property
    def _by_status(self) -> _Counter:
        there = f'{REQUESTS}{{{_STATUS}!=""}}'
        return _Counter(f'{REQUESTS}{{{_STATUS}="error"}}', is_event=True, zero=there, unseen_zero=there)

    @property
    def _no_errors(self) -> str:
        """The requests that tell that none failed where there is no error: where errors are a part of them,
        those with the labels that tell errors apart; empty where nothing does.
        """
        errors, requests = self._serving.errors, self._serving.requests
        if errors is None or errors.taken or not errors.metrics & requests.metrics:
            return ""
        labelled = ", ".join(f'{label}!=""' for label in self._error_labels)
        return f"{REQUESTS}{{{labelled}}}" if labelled else REQUESTS

    @property
    def _error_labels(self) -> tuple[str, ...]:
        added = () if self._serving.errors is None else self._serving.errors.added
        return tuple(sorted({matcher.label for each in added for matcher in each.matchers}))

    @property
    def _kinds(self) -> tuple[str, ...]:
        """The labels that part what one instance counts of a model by how it ended."""
        status = (_STATUS,) if self._serving.is_told_by_status else ()
        family = (FAMILY_LABEL,) if len(self._families[REQUESTS]) > 1 else ()
        labels = dict.fromkeys((*status, *self._error_labels, *family))
        return ("job", "instance", MODEL_LABEL, *labels)


def _smaller_edges(expr: str, power: int) -> str:
    """With edges that are so many powers of ten smaller; +Inf stays."""
    found = _with_edge(expr, "([0-9.]+)", f"${{1}}e-{power}")
    for spelt in _SPELT_POWERS:  # the smallest first, as each becomes a smaller one
        found = _with_edge(found, f"(.+)[eE][+]?0?{spelt}", f"${{1}}e{spelt - power}")
    return found


def _with_edge(expr: str, pattern: str, replacement: str) -> str:
    return f'label_replace({expr}, "le", "{replacement}", "le", "{pattern}")'


def _in(expr: str) -> str:
    """In brackets, on lines of its own."""
    return f"(\n{indent(expr, '  ')}\n)"
