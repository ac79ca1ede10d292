"""One reading of the A/B test: all questions at once, then those that the answers raise (why empty, how old, since when, how many since then)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from live_dashboards.errors import SourceError
from live_dashboards.model.snapshot import Accumulated, Answer
from live_dashboards.settings import Settings
from live_dashboards.sources.prometheus.answers import last_seen, look_step_seconds, merged, timeline_answer, totals_answer, with_reason, with_zero_errors
from live_dashboards.sources.prometheus.blocks import block_answers, block_questions
from live_dashboards.sources.prometheus.exchange import Question, instant, over_time
from live_dashboards.sources.prometheus.failure import QUERY_CODES
from live_dashboards.sources.prometheus.first_traffic import coarse_question, fine_questions, first_traffic
from live_dashboards.sources.prometheus.grid import Grid, timeline_grid
from live_dashboards.sources.prometheus.period import read_periods
from live_dashboards.sources.prometheus.possible import ANY_NUMBER
from live_dashboards.sources.prometheus.recorded import STEP_SECONDS
from live_dashboards.sources.prometheus.reply import Outcome, Reply
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.prometheus.totals import newest, newest_within, totals
from live_dashboards.sources.queries import AB_QUERIES, AbQuery

Ask = Callable[[list[Question]], tuple[Outcome, ...]]


@dataclass(frozen=True, slots=True)
class Reading:
    """Answers by their fixed names, when each model first had traffic, and what the server warned of."""

    instants: tuple[Answer, ...]
    timelines: tuple[Answer, ...]
    blocks: tuple[Answer, ...]
    first_traffic: tuple[tuple[str, float], ...]
    accumulated: tuple[Accumulated, ...]
    warnings: tuple[str, ...]


def read_answers(ask: Ask, scope: Scope, settings: Settings) -> Reading:
    """The reading; SourceError where the requests themselves cannot be asked, and for any other question an answer with its reason."""
    wanted = _Wanted(scope, totals(settings), dict(AB_QUERIES), _timeline_grid(scope))
    first = _ask_named(ask, wanted.questions(with_start=settings.start is None))
    _refuse_without_requests(first)
    instants, ages, timelines = wanted.instants(first), wanted.ages(first), wanted.timelines(first)
    second = _ask_named(ask, _why_empty(wanted, (*instants, *ages, *timelines)) | _wide_ages(wanted, instants, ages) | _fine_traffic(first.get("traffic"), scope))
    requests = next(answer for answer in instants if answer.name == "requests")
    counted = (with_zero_errors(answer, requests, scope) if answer.name == "errors" else answer for answer in instants)
    since = first_traffic([outcome for name, outcome in (first | second).items() if name.startswith("traffic")])
    third, accumulated, told = read_periods(ask, scope, settings, since, next(answer for answer in instants if answer.name == "latency_buckets"))
    aged = (merged(answer, second.get(f"wide {answer.name}")) for answer in ages)
    return Reading(
        instants=tuple(with_reason(answer, wanted.selector(answer.name), scope, second) for answer in (*counted, *aged)),
        timelines=tuple(with_reason(answer, scope.selector(wanted.over_window[answer.name]), scope, second) for answer in timelines),
        blocks=block_answers(scope, first),
        first_traffic=since,
        accumulated=accumulated,
        warnings=(*told, *warnings((*first.values(), *second.values(), *third))),
    )


def warnings(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """What the server warned of, each once."""
    return tuple(dict.fromkeys(text for outcome in outcomes if isinstance(outcome, Reply) for text in outcome.warnings))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked first: totals of the window, the newest sample behind them, and the queries over the window by name."""

    scope: Scope
    totals: tuple[AbQuery, ...]
    over_window: Mapping[str, AbQuery]
    grid: Grid

    @property
    def newest(self) -> tuple[AbQuery, ...]:
        return tuple(query for query in map(newest, self.totals) if query is not None)

    def selector(self, name: str) -> str:
        return self.scope.selector(next(query for query in (*self.totals, *self.newest) if query.name == name))

    def questions(self, *, with_start: bool) -> dict[str, Question]:
        scope, grid = self.scope, self.grid
        instants = {query.name: instant(scope.render(query), scope.moment(query), query.unit) for query in (*self.totals, *self.newest) if scope.can_ask(query)}
        timelines = {
            f"timeline {name}": over_time(scope.render(query, grid.step_seconds), grid.start_seconds, grid.end_seconds, grid.step_seconds, ANY_NUMBER)
            for name, query in self.over_window.items()
            if scope.can_ask(query)
        }
        start = {"traffic": coarse_question(scope)} if with_start else {}
        return instants | timelines | block_questions(scope) | start

    def instants(self, outcomes: Mapping[str, Outcome]) -> tuple[Answer, ...]:
        return tuple(self._instant(query, outcomes) for query in self.totals)

    def ages(self, outcomes: Mapping[str, Outcome]) -> tuple[Answer, ...]:
        return tuple(self._instant(query, outcomes) for query in self.newest)

    def timelines(self, outcomes: Mapping[str, Outcome]) -> tuple[Answer, ...]:
        return tuple(
            timeline_answer(name, query, self.scope.render(query, self.grid.step_seconds), outcomes[f"timeline {name}"], self.grid)
            if self.scope.can_ask(query)
            else Answer(name, "", query.unit, reason=self.scope.errors_reason, step_seconds=self.grid.step_seconds)
            for name, query in self.over_window.items()
        )

    def _instant(self, query: AbQuery, outcomes: Mapping[str, Outcome]) -> Answer:
        if not self.scope.can_ask(query):
            return Answer(query.name, "", query.unit, reason=self.scope.errors_reason)
        return totals_answer(query, self.scope.render(query), outcomes[query.name])


def _timeline_grid(scope: Scope) -> Grid:
    return timeline_grid(scope.counts_at_seconds, scope.window_seconds, STEP_SECONDS if scope.is_recorded else 0.0)


def _ask_named(ask: Ask, questions: Mapping[str, Question]) -> dict[str, Outcome]:
    return dict(zip(questions, ask(list(questions.values())), strict=True))


_GONE_CODES = frozenset({"refused", "unreachable"})


def _refuse_without_requests(outcomes: Mapping[str, Outcome]) -> None:
    requests = outcomes["requests"]
    if isinstance(requests, SourceError) and requests.code not in QUERY_CODES:
        raise requests
    for outcome in outcomes.values():  # who is gone in the middle has failed: half an answer would be kept as the last good one
        if isinstance(outcome, SourceError) and outcome.code in _GONE_CODES:
            raise outcome


def _why_empty(wanted: _Wanted, answers: tuple[Answer, ...]) -> dict[str, Question]:
    """For each metric behind an empty answer: when was it last seen."""
    empty = [answer for answer in answers if not answer.series and answer.reason is None]
    timelines = {wanted.scope.selector(wanted.over_window[answer.name]) for answer in empty if answer.step_seconds is not None}
    instants = {wanted.selector(answer.name) for answer in empty if answer.step_seconds is None}
    scope = wanted.scope
    return {f"seen {selector}": instant(last_seen(selector, scope.window_seconds), scope.at_seconds, "unix_seconds") for selector in sorted(timelines | instants)}


def _wide_ages(wanted: _Wanted, instants: tuple[Answer, ...], ages: tuple[Answer, ...]) -> dict[str, Question]:
    """Where the newest sample of a model is too old for an instant query: look back over the whole window."""
    known = {series.label("model_name") for answer in instants if answer.name in {"requests", "requests_24h"} for series in answer.series}
    late = {answer.name for answer in ages if known - {series.label("model_name") for series in answer.series} and answer.reason is None}
    step_seconds = look_step_seconds(wanted.scope.window_seconds)
    wide = (newest_within(query, step_seconds) for query in wanted.newest if query.name in late)
    return {f"wide {query.name}": instant(wanted.scope.render(query), wanted.scope.at_seconds, query.unit) for query in wide}


def _fine_traffic(coarse: Outcome | None, scope: Scope) -> dict[str, Question]:
    if not isinstance(coarse, Reply):
        return {}
    return {f"traffic {index}": question for index, question in enumerate(fine_questions(coarse, scope))}
