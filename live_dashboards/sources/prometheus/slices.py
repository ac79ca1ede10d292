"""What was counted since the test began, by the values of one label: asked only where AB_SLICE_LABEL is set,
and of no more values than a page can show.

The values with the most traffic are counted as everything is, series by series; the rest of many values is
what the totals hold beyond them, so that all of them add up, and a label of ten thousand values costs what
one of twenty does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from live_dashboards.model.names import escaped, listed
from live_dashboards.model.snapshot import Accumulated, Answer, Slices
from live_dashboards.sources.prometheus.answers import block_answer
from live_dashboards.sources.prometheus.counting.count import Count
from live_dashboards.sources.prometheus.counting.growth import Growth, lacking, of_edge, without_rows
from live_dashboards.sources.prometheus.counting.repair import Repair
from live_dashboards.sources.prometheus.exchange import Ask, Question, looked_up, over_time, values_of
from live_dashboards.sources.prometheus.grid import edges_of
from live_dashboards.sources.prometheus.promql import MODEL_LABEL, joined, once, one_of
from live_dashboards.sources.prometheus.reply import Labels, Outcome, failure_in, series_in
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import REQUESTS, AbQuery, render

MOST_VALUES = 20
_MOST_NAMES = 10_000  # beyond, nobody needs to know how many there are
_LOOKS = 48  # at which of many values those with the most traffic are looked for
_SLICED = ("requests", "errors", "latency_count", "latency_within", "labelled", "correct")
_WITHIN = "latency_within"
_OWN_LABELS = frozenset({"__name__", "le"})


@dataclass(frozen=True, slots=True)
class _Values:
    """The values that are counted, and how many there are; `is_every`: there are no others."""

    names: tuple[str, ...]
    count: int
    is_every: bool


def with_slices(
    repair: Repair, scope: Scope, label: str, queries: Iterable[AbQuery], periods: Sequence[Accumulated]
) -> tuple[Accumulated, ...]:
    """The periods with what was counted in each by the label's values; where that cannot be, with the reason.

    `queries` are those that the periods were asked with, by the same names.
    """
    if not periods:
        return ()
    found = _values(repair.ask, scope, label, min(each.start_seconds for each in periods))
    if not isinstance(found, _Values):
        return tuple(replace(each, slices=Slices(label, reason=found)) for each in periods)
    own = [_by_label(query, label) for query in queries if _is_sliced(query) and scope.can_ask(query)]
    return tuple(
        replace(each, slices=_Counting(scope, label, found, tuple(own), each).slices(repair))
        for each in periods
    )


def _is_sliced(query: AbQuery) -> bool:
    return query.name in _SLICED or query.events is not None


def _by_label(query: AbQuery, label: str) -> AbQuery:
    """The same question by one label more."""
    labels = (*query.labels, label)
    _, _, grown = query.promql.partition(") (")
    return replace(query, promql=f"sum by ({', '.join(labels)}) ({grown}", labels=labels)


def _values(ask: Ask, scope: Scope, label: str, start_seconds: float) -> _Values | str:
    """The values that are counted; or why there are none, in a sentence."""
    if scope.is_recorded:
        return (
            f"what rules have recorded does not keep the label {label}: PROMETHEUS_RECORDED=off asks each "
            "instance's series"
        )
    if label in scope.copy_labels:
        return (
            f"the copies of one scrape differ in the label {label}, and count once, so no request has one "
            "value of it: set AB_SLICE_LABEL to another label"
        )
    selector = render(f"{REQUESTS}{{$experiment}}", matchers=scope.matchers)
    (outcome,) = ask([_at_most(values_of(label, selector, start_seconds, scope.at_seconds))])
    failure = failure_in((outcome,))
    if failure is not None:
        return f"the values of the label {label} could not be asked: {failure}"
    names = _names(outcome)
    if not names:
        return _unknown(ask, scope, label, selector, start_seconds)
    # one place is that of series without the label
    if len(names) < MOST_VALUES:
        return _Values(("", *names), len(names), is_every=True)
    return _most_traffic(ask, scope, label, len(names), start_seconds)


def _at_most(question: Question) -> Question:
    return replace(question, parameters={**question.parameters, "limit": str(_MOST_NAMES + 1)})


def _names(outcome: Outcome) -> tuple[str, ...]:
    return () if isinstance(outcome, Exception) else outcome.names


def _unknown(ask: Ask, scope: Scope, label: str, selector: str, start_seconds: float) -> str:
    (outcome,) = ask([looked_up("labels", selector, start_seconds, scope.at_seconds)])
    names = sorted({*_names(outcome)} - _OWN_LABELS)
    others = f"; they have {listed([escaped(name) for name in names], 12)}" if names else ""
    return f"no series of {REQUESTS} has the label {label}{others}: set AB_SLICE_LABEL to one that they have"


def _most_traffic(ask: Ask, scope: Scope, label: str, count: int, start_seconds: float) -> _Values | str:
    """The values with the most traffic at some moments of the period: the server tells of no others."""
    selector = render(f"{REQUESTS}{{$experiment}}", matchers=scope.matchers)
    step_seconds = max(1.0, (scope.at_seconds - start_seconds) // _LOOKS)
    span_seconds = round(max(scope.shortest_rate_seconds, min(step_seconds, 3600.0)))
    rate = once(f"rate({selector}[{span_seconds}s])", scope.copy_labels)
    (outcome,) = ask(
        [
            over_time(
                f"topk({MOST_VALUES}, sum by ({label}) ({rate}))",
                start_seconds + step_seconds,
                scope.at_seconds,
                step_seconds,
            )
        ]
    )
    failure = failure_in((outcome,))
    if failure is not None:
        return f"which values of the label {label} have the most traffic could not be asked: {failure}"
    sums = {
        series.label(label): sum(value or 0.0 for _, value in series.points) for series in series_in(outcome)
    }
    most = sorted(sums, key=lambda name: (-sums[name], name))[:MOST_VALUES]
    if not most:
        return f"no value of the label {label} has had any traffic that could be looked at"
    return _Values(tuple(most), count, is_every=False)


@dataclass(frozen=True, slots=True)
class _Counting:
    """The counters of one period by the label's values."""

    scope: Scope
    label: str
    values: _Values
    queries: tuple[AbQuery, ...]
    period: Accumulated

    def slices(self, repair: Repair) -> Slices:
        """What they grew by in the blocks of the period."""
        count = self._count()
        growths = count.counted(repair, repair.ask(count.questions())).growths
        named = {name: self._chosen(growth) for name, growth in growths.items()}
        if _WITHIN in named:
            named[_WITHIN] = self._within(named[_WITHIN])
        step_seconds = count.edges.step_seconds
        requests = block_answer(named["requests"], step_seconds)
        if requests.reason is not None:
            return Slices(self.label, reason=requests.reason)
        blocks = tuple(self._told(block_answer(growth, step_seconds), requests) for growth in named.values())
        values = _by_traffic(requests, self.label)
        return Slices(self.label, values, len(values) if self.values.is_every else self.values.count, blocks)

    def _count(self) -> Count:
        scope, values = self.scope, self.values
        own = "" if values.is_every else one_of(self.label, values.names)
        step_seconds = self.period.block("requests").step_seconds
        assert step_seconds is not None  # noqa: S101 the period's blocks have a length
        return Count(
            replace(
                scope,
                matchers=joined(scope.matchers, own),
                window_seconds=scope.since(self.period.start_seconds),
            ),
            self.queries,
            edges_of(self.period.start_seconds, scope.counts_at_seconds, step_seconds),
        )

    def _chosen(self, growth: Growth) -> Growth:
        """Without the values that were read along with those that are counted."""
        if self.values.is_every:
            return growth
        others = {labels for labels in growth.rows if _value(labels, self.label) not in self.values.names}
        return without_rows(growth, others)

    def _within(self, growth: Growth) -> Growth:
        """At the edge that the whole period is judged at; not known where that is not."""
        whole, edge_seconds = self.period.total(_WITHIN), self.period.edge_seconds
        if whole.reason is not None or edge_seconds is None:
            return lacking(growth, whole.reason or "no bucket edge is judged")
        return of_edge(growth, _WITHIN, edge_seconds)

    def _told(self, answer: Answer, requests: Answer) -> Answer:
        """The answer; none where its series lack the label that those of the requests have."""
        without, have = _without_label(answer, self.label), _without_label(requests, self.label)
        models = sorted(without - have)
        if answer.reason is not None or not models:
            return answer
        return replace(
            answer,
            series=(),
            most=(),
            reason=f"series of {answer.name} of {listed(models)} lack the label {self.label}, which those "
            "of its requests have",
        )


def _value(labels: Labels, label: str) -> str:
    return dict(labels).get(label, "")


def _without_label(answer: Answer, label: str) -> set[str]:
    """The models that have counted anything without the label."""
    return {
        series.label(MODEL_LABEL)
        for series in answer.series
        if not series.label(label) and any(value for _, value in series.points)
    }


def _by_traffic(requests: Answer, label: str) -> tuple[str, ...]:
    """The values that had any, the most first."""
    sums: dict[str, float] = {}
    for series in requests.series:
        value = series.label(label)
        sums[value] = sums.get(value, 0.0) + sum(each or 0.0 for _, each in series.points)
    return tuple(
        sorted((value for value, n in sums.items() if n > 0), key=lambda value: (-sums[value], value))
    )
