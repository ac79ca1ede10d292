"""When each model first had traffic: one coarse look over the stored history, then a fine one at each model's
first hour.

What was counted since the test began: sequences and the split test need what has accumulated from a fixed
start, never the rolling window.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from live_dashboards.errors import SourceError
from live_dashboards.model.moment import multiple_step_seconds, nice_step_seconds
from live_dashboards.model.names import listed
from live_dashboards.model.notices import START_NOT_EXACT
from live_dashboards.model.snapshot import Accumulated, Answer, Timeline
from live_dashboards.settings import Settings
from live_dashboards.sources.prometheus.answers import block_answer, total_answer, with_zero_events
from live_dashboards.sources.prometheus.counting.count import (
    Count,
    Counted,
    edges_question,
    lacking_edges,
    put_right,
    with_taken,
    without_unknown_sums,
)
from live_dashboards.sources.prometheus.counting.growth import (
    Growth,
    has_edge,
    lacking,
    of_edge,
)
from live_dashboards.sources.prometheus.counting.repair import Repair
from live_dashboards.sources.prometheus.counting.stretches import Seen, seen_of, seen_since, seen_together
from live_dashboards.sources.prometheus.exchange import Ask, Question, over_time
from live_dashboards.sources.prometheus.grid import (
    SAME_MOMENT_SECONDS,
    edges_of,
)
from live_dashboards.sources.prometheus.native import Native
from live_dashboards.sources.prometheus.own_series import HISTORY_SECONDS
from live_dashboards.sources.prometheus.promql import MODEL_LABEL, STEPS, joined, one_of, totals
from live_dashboards.sources.prometheus.recorded import Memory, memory, memory_questions
from live_dashboards.sources.prometheus.reply import Labels, Outcome, Reply, failure_in, series_in
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.prometheus.slices import with_slices
from live_dashboards.sources.queries import LATENCY, REQUESTS, AbQuery, quoted

_COARSE_SECONDS = 3600.0
_FINE_SECONDS = 15.0
# of the hours since a model was first seen: of one that is seen less often the first hour may have been
# missed
_STEADY_SHARE = 0.9

_COUNTED = ("requests", "errors", "latency_sum", "latency_count", "labelled", "correct")
_WITHIN, _FAR = "latency_within", "latency_within_far"
_SUM, _COUNT = "latency_sum", "latency_count"
# of minutes on the first day, then of hours: arms are compared within them, and each day's evidence stays
# what its own page said
_BLOCKS, _YOUNG_SECONDS, _LONGEST_BLOCK_SECONDS = 192, 86_400.0, 3600.0
_FEWEST_BLOCKS = 96  # of a period that takes the window's blocks where they are longer
_MOST_BLOCKS = 2500  # 104 days of hours: servers give no more than 11,000 points
_MOST_STARTS = 8
_REMEMBERED = f"count(last_over_time(up[15m])) or count(last_over_time({REQUESTS}[15m]))"
# nearer to the start, a server that was set up with the test would seem to remember nothing
_BEFORE_SECONDS = 3600.0
_LOOKS, _LOOK_SECONDS = 6, 4 * 3600.0


def coarse_question(scope: Scope) -> Question:
    """Which hours had traffic, in the 90 days before the moment or as far as the server remembers: a look at
    each full hour.
    """
    return over_time(
        _promql(scope, "1h"), scope.at_seconds - HISTORY_SECONDS, scope.at_seconds, _COARSE_SECONDS
    )


@dataclass(frozen=True, slots=True)
class FirstTraffic:
    """The first moment (unix seconds) of each model; of those in `inexact` it may have been earlier, as a
    question failed.
    """

    moments: tuple[tuple[str, float], ...] = ()
    inexact: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """What is told of models whose first moment may have been earlier."""
        return (
            (
                (
                    f"the first traffic of {listed(self.inexact)} {START_NOT_EXACT}: it may be up to an hour "
                    "earlier, or more"
                ),
            )
            if self.inexact
            else ()
        )


def find_first_traffic(
    ask: Ask, scope: Scope, coarse: Outcome | None, models: Collection[str]
) -> FirstTraffic:
    """The first moment of each model, to 15 s; of recorded steps the end of the first one with traffic.

    `models` are those with requests: instances that live for minutes are not seen at full hours, so all
    samples of such a model are looked at.
    """
    if not isinstance(coarse, Reply):
        return FirstTraffic()
    seen = {series.label("model_name"): series for series in coarse.series if series.points}
    rare = sorted(
        model
        for model in {*models, *seen}
        if model not in seen or not _is_steady(seen[model], scope.at_seconds)
    )
    wide = ask([_wide_question(scope, rare)]) if rare and not scope.is_recorded else ()
    firsts = _earliest(series_in(coarse, *wide))
    # the hour before each model was first seen
    questions = [
        over_time(_promql(scope, "5m", model), hour - _COARSE_SECONDS, hour, _FINE_SECONDS)
        for model, hour in firsts.items()
    ]
    fine = ask(questions) if questions else ()
    moments = firsts | {
        model: seconds
        for model, seconds in _earliest(series_in(*fine)).items()
        if seconds <= firsts.get(model, seconds)
    }
    failed = {model for model, outcome in zip(firsts, fine, strict=True) if isinstance(outcome, SourceError)}
    if failure_in(wide) is not None:
        failed |= {*rare} & moments.keys()
    return FirstTraffic(tuple(sorted(moments.items())), tuple(sorted(failed)))


def _is_steady(series: Timeline, at_seconds: float) -> bool:
    return len(series.points) >= _STEADY_SHARE * ((at_seconds - series.points[0][0]) / _COARSE_SECONDS + 1)


def _wide_question(scope: Scope, models: Iterable[str]) -> Question:
    """Which hours had any sample with traffic."""
    promql = (
        "max by (model_name) "
        f"(max_over_time({REQUESTS}{{{joined(scope.matchers, one_of(MODEL_LABEL, models))}}}[1h])) "
        "> 0"
    )
    return over_time(promql, scope.at_seconds - HISTORY_SECONDS, scope.at_seconds, _COARSE_SECONDS)


def _earliest(several: Iterable[Timeline]) -> dict[str, float]:
    found: dict[str, float] = {}
    for series in (series for series in several if series.points):
        model, first_seconds = series.label("model_name"), series.points[0][0]
        found[model] = min(first_seconds, found.get(model, first_seconds))
    return found


def _promql(scope: Scope, span: str, model: str | None = None) -> str:
    matchers = joined(scope.matchers, "" if model is None else f"{MODEL_LABEL}={quoted(model)}")
    if scope.is_recorded:
        return f"sum by (model_name) (sum_over_time({STEPS[REQUESTS]}{{{matchers}}}[{span}])) > 0"
    return f"max by (model_name) ({REQUESTS}{{{matchers}}}) > 0"


def read_periods(
    ask: Ask,
    scope: Scope,
    settings: Settings,
    first_traffic: Sequence[tuple[str, float]],
    *,
    window: Counted,
    repair: Repair,
) -> tuple[tuple[Outcome, ...], tuple[Accumulated, ...], tuple[str, ...]]:
    """What was counted since AB_START, or else since each moment at which two models may first both have had
    traffic; also the raw replies.

    The last is what is told of the longest period that lacks a little. What the window has counted already is
    not asked again.

    A question that fails becomes an answer with its reason.
    """
    buckets = window.growths["latency_buckets"]
    edges = _edges(buckets, float(settings["AB_LATENCY_OBJECTIVE_MS"]) / 1000, scope.native)
    within = [_within({*edges.values()}, buckets)] if edges else []
    queries = (
        *(query for query in totals(settings) if query.name in _COUNTED or query.events is not None),
        *within,
    )
    looks = [replace(_within({*edges.values(), math.inf}, buckets), name="") for _ in within]
    starts = _starts(scope, settings, first_traffic)
    periods = [
        _PeriodQuestions(
            start,
            replace(scope, window_seconds=scope.since(start)),
            queries,
            settings.start is None,
            window.seen,
            edges,
            tuple(looks),
        )
        for start in starts
    ]
    asked = [period.questions() for period in periods]
    outcomes = iter(ask([question for questions in asked for question in questions]) if asked else ())
    replies = [tuple(next(outcomes) for _ in questions) for questions in asked]
    counts = [period.counted(repair, each) for period, each in zip(periods, replies, strict=True)]
    found = tuple(
        period.accumulated(each, counted)
        for period, each, counted in zip(periods, replies, counts, strict=True)
    )
    if settings["AB_SLICE_LABEL"] is not None:
        found = with_slices(repair, scope, settings["AB_SLICE_LABEL"], queries, found)
    lacking = next(
        filter(None, (period.memory(each).told for period, each in zip(periods, replies, strict=True))), ()
    )
    return tuple(outcome for each in replies for outcome in each), found, lacking


def _starts(scope: Scope, settings: Settings, first_traffic: Sequence[tuple[str, float]]) -> list[float]:
    """The moments, a block and more before the page's own, at which the test may have begun: the earliest
    model alone is no test.
    """
    known = (
        [settings.start.timestamp()]
        if settings.start is not None
        else sorted(seconds for _, seconds in first_traffic)[1:]
    )
    return [start for start in dict.fromkeys(known) if scope.since(start) >= scope.shortest_rate_seconds][
        :_MOST_STARTS
    ]


def _edges(buckets: Growth, objective_seconds: float, native: Native | None) -> dict[str, float]:
    """The finite bucket edge that all models have, nearest to the objective, and the far one of the
    exponential bucket that holds the objective, if one does.
    """
    by_model: dict[str, set[float]] = {}
    for labels in buckets.totals:
        by_model.setdefault(dict(labels).get("model_name", ""), set()).add(float(dict(labels)["le"]))
    shared = set.intersection(*by_model.values()) - {float("inf")} if by_model else set()
    if not shared:
        return {}
    nearest = min(shared, key=lambda each: (abs(each - objective_seconds), each))
    holding = (
        {*native.objective_bucket} if native is not None and native.objective_bucket is not None else set()
    )
    if nearest not in holding or not holding <= shared:
        return {_WITHIN: nearest}
    return {_WITHIN: nearest, _FAR: max(holding - {nearest})}


def _within(edges: set[float], buckets: Growth) -> AbQuery:
    """The buckets that end at these edges, however exporters and servers spell them."""
    told = {dict(labels)["le"] for labels in buckets.totals}
    spellings = sorted(
        {text for text in told if float(text) in edges}
        | {text for edge in edges for text in (f"{edge:g}", str(edge))}
    )
    pattern = "|".join(re.escape(text) for text in spellings).replace("\\", "\\\\")
    promql = f'sum by (le, model_name) (increase({LATENCY}_bucket{{le=~"{pattern}", $experiment}}[$window]))'
    return AbQuery(_WITHIN, promql, "count", ("le", "model_name"), f"{LATENCY}_bucket")


@dataclass(frozen=True, slots=True)
class _PeriodQuestions:
    """The questions of one start, found in the traffic or set: `scope` has the whole period as its window,
    `window` is what was seen of the page's.
    """

    start_seconds: float
    scope: Scope
    queries: tuple[AbQuery, ...]
    is_found: bool
    window: Seen
    edges: Mapping[str, float]
    looks: tuple[AbQuery, ...]  # after the series that have these edges

    @property
    def asked(self) -> tuple[AbQuery, ...]:
        return tuple(query for query in self.queries if self.scope.can_ask(query))

    @property
    def has_window(self) -> bool:
        """Whether the window's blocks serve the period, too.

        Steps that rules have recorded are counted from the first whole one on, and a long window has blocks
        that are too long for a young test.
        """
        looking = self.window.looking
        is_fine = looking.edges.step_seconds <= max(
            self._shortest_seconds, self.scope.window_seconds / _FEWEST_BLOCKS
        )
        return is_fine and not self.scope.is_recorded and self.start_seconds < looking.edges.end_seconds

    @property
    def _shortest_seconds(self) -> float:
        is_young = self.scope.window_seconds < _YOUNG_SECONDS
        return max(
            self.scope.window_seconds / _BLOCKS if is_young else _LONGEST_BLOCK_SECONDS,
            self.scope.window_seconds / _MOST_BLOCKS,
            self.scope.shortest_rate_seconds,
        )

    @property
    def junction_seconds(self) -> float:
        """Up to when is asked for the period alone: the window's blocks tell of what comes after."""
        moments = self.window.looking.edges.moments
        return (
            next(moment for moment in moments if moment >= self.start_seconds - SAME_MOMENT_SECONDS)
            if self.has_window
            else self.scope.counts_at_seconds
        )

    @property
    def step_seconds(self) -> float:
        """The length of the period's blocks: people's next longer step that is a multiple of the window's."""
        return (
            multiple_step_seconds(self._shortest_seconds, self.window.looking.edges.step_seconds)
            if self.has_window
            else nice_step_seconds(self._shortest_seconds)
        )

    @property
    def count(self) -> Count | None:
        """What is counted before the window's blocks; None where they hold the whole period."""
        if self.junction_seconds <= self.start_seconds + SAME_MOMENT_SECONDS:
            return None
        end_seconds = self.junction_seconds
        begin_seconds = (
            end_seconds - self.scope.window_seconds if self.scope.is_recorded else self.start_seconds
        )
        is_inside = self.has_window and self.window.looking.edges.start_seconds < self.start_seconds
        return Count(
            self.scope,
            self.asked,
            edges_of(
                begin_seconds,
                end_seconds,
                self.window.looking.edges.step_seconds if is_inside else self.step_seconds,
            ),
        )

    def questions(self) -> list[Question]:
        return [*self._beside(), *(self.count.questions() if self.count is not None else ())]

    def _beside(self) -> list[Question]:
        """Whether the start is remembered, and which instances had the edges that are judged; the window's
        are known.
        """
        edges = (
            ()
            if self.count is None
            else (
                question
                for query in self.looks
                for question in edges_question(self.scope, query, self.count.edges)
            )
        )
        return [*self._remembered(), *edges]

    def counted(self, repair: Repair, outcomes: tuple[Outcome, ...]) -> Counted:
        """What the outcomes of the questions say, and what was seen of the window."""
        count = self.count
        sooner = None if count is None else count.seen(repair, outcomes[len(self._beside()) :])
        seen = sooner if not self.has_window else self._after(sooner)
        assert seen is not None  # noqa: S101 without the window's blocks all is asked
        return Counted(seen, put_right(repair, self.scope, seen))

    def _after(self, sooner: Seen | None) -> Seen:
        window = {query.name: query for query in self.window.looking.queries}
        asked = {
            query: window["latency_buckets" if query.name == _WITHIN else query.name]
            for query in with_taken(self.scope, self.asked)
        }
        later = seen_since(seen_of(self.window, self.scope, asked, self._is_own), self.junction_seconds)
        return later if sooner is None else seen_together(sooner, later)

    def _is_own(self, query: AbQuery, labels: Labels) -> bool:
        return has_edge(query, labels) and (
            query.name != _WITHIN or float(dict(labels)["le"]) in self.edges.values()
        )

    def accumulated(self, outcomes: tuple[Outcome, ...], counted: Counted) -> Accumulated:
        known = self.memory(outcomes)
        lacking_by_model = lacking_edges(outcomes[len(self._remembered()) : len(self._beside())])
        growths = {
            name: self._if_common(growth, lacking_by_model)
            for name, growth in self._by_name(counted.growths).items()
        }
        not_asked = [
            Answer(query.name, "", query.unit, reason=self.scope.why_not(query))
            for query in self.queries
            if query.name not in growths
        ]
        whole = [*(total_answer(growth)[0] for growth in growths.values()), *not_asked]
        requests = next(answer for answer in whole if answer.name == "requests")
        queries = {query.name: query for query in self.queries}
        return Accumulated(
            start_seconds=self.start_seconds,
            is_remembered=known.is_whole,
            lack=known.lack,
            totals=tuple(
                with_zero_events(answer, requests, self.scope, queries[answer.name])
                if answer.name in queries
                else answer
                for answer in whole
            ),
            blocks=tuple(block_answer(growth, self.step_seconds) for growth in growths.values()),
            edge_seconds=self.edges.get(_WITHIN),
            far_edge_seconds=self.edges.get(_FAR),
        )

    def _if_common(self, growth: Growth, lacking_by_model: Mapping[str, set[float]]) -> Growth:
        """The growth; one of an edge that some instance did not have since the start is not known."""
        edge_seconds = self.edges.get(growth.query.name)
        models = sorted(model for model, edges in lacking_by_model.items() if edge_seconds in edges)
        if not models:
            return growth
        return lacking(
            growth,
            f"not all instances of {listed(models)} have had the bucket up to "
            f"{edge_seconds:g} s since the start of the test",
        )

    def _by_name(self, growths: Mapping[str, Growth]) -> dict[str, Growth]:
        """The growths by what they are called in the answer: of each edge one."""
        within = {name: of_edge(growths[_WITHIN], name, edge) for name, edge in self.edges.items()}
        sums = (
            {_SUM: without_unknown_sums(growths[_SUM], growths[_COUNT])[0]}
            if _SUM in growths and _COUNT in growths
            else {}
        )
        return {name: growth for name, growth in growths.items() if name != _WITHIN} | within | sums

    def memory(self, outcomes: tuple[Outcome, ...]) -> Memory:
        """Whether the first answers say that nothing since the start is forgotten."""
        first = outcomes[: len(self._remembered())]
        if self.scope.is_recorded:
            return memory(self.scope, self.start_seconds, first, is_found=self.is_found)
        return Memory(bool(series_in(first[0])))

    def _remembered(self) -> list[Question]:
        """Whether the server holds samples from before the start; of recorded steps, which there are."""
        if self.scope.is_recorded:
            return memory_questions(self.scope, self.start_seconds)
        before = self.start_seconds - _BEFORE_SECONDS
        return [over_time(_REMEMBERED, before - (_LOOKS - 1) * _LOOK_SECONDS, before, _LOOK_SECONDS)]
