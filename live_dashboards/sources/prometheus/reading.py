"""The connection test of whether Prometheus' answers hold all that was asked for: a line for each thing that
they lack, with its own fix.

One reading of the A/B test: all questions at once, then those that the answers raise (where series begin,
why empty, how old, since when, how many since then).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from live_dashboards.errors import SourceError
from live_dashboards.model.names import listed
from live_dashboards.model.notices import (
    ADDED_TOGETHER,
    COUNTED_BY_RULES,
    COUNTED_ONCE,
    COUNTED_TWICE,
    EDGES_LEFT_OUT,
    ESTIMATES,
    MISSING_STEPS,
    NAMED_AS,
    NO_PERCENTILES,
    NO_SUM,
    NOT_READ,
    NOT_RECORDED,
    NOT_THERE,
    PERHAPS_TWICE,
    START_NOT_EXACT,
    TELL_STARTS,
    TWO_KINDS,
    WHICH_COUNT,
    Check,
    CheckState,
    all_at_least_words,
)
from live_dashboards.model.snapshot import Accumulated, Answer, PrometheusAnswer
from live_dashboards.settings import Settings
from live_dashboards.sources.prometheus.answers import (
    last_seen,
    look_step_seconds,
    merged,
    timeline_answer,
    totals_answer,
    with_reason,
    with_zero_events,
    without_uncounted,
)
from live_dashboards.sources.prometheus.counting.count import (
    Counted,
    edges_question,
    lacking_edges,
    with_taken,
    with_unasked,
    without_lacking,
    without_unknown_sums,
)
from live_dashboards.sources.prometheus.counting.repair import Repair
from live_dashboards.sources.prometheus.counting.seams import BUCKETS
from live_dashboards.sources.prometheus.exchange import (
    QUERY_CODES,
    Ask,
    Failure,
    Question,
    instant,
    over_time,
)
from live_dashboards.sources.prometheus.grid import Grid, timeline_grid
from live_dashboards.sources.prometheus.period import coarse_question, find_first_traffic, read_periods
from live_dashboards.sources.prometheus.promql import STEP_SECONDS, newest, newest_within, totals
from live_dashboards.sources.prometheus.recorded import FILL_IN, LOAD_PRESENT
from live_dashboards.sources.prometheus.reply import ANY_NUMBER, Outcome, Reply
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.prometheus.versions import read_changes
from live_dashboards.sources.prometheus.window import (
    COUNTED_TIMELINES,
    WindowAnswers,
    day_count,
    scrape_questions,
    scraped_at,
    window_answers,
    window_count,
)
from live_dashboards.sources.queries import AB_QUERIES, AbQuery

COMPLETE = "Prometheus completeness"
OF_COPIES = (COUNTED_ONCE, COUNTED_TWICE, PERHAPS_TWICE, NOT_THERE)
_CHOICES = (NAMED_AS, COUNTED_BY_RULES, WHICH_COUNT)
_ASK_RAW = "PROMETHEUS_RECORDED=off asks them without this note"
_STORES = "look at the stores behind this Prometheus"
_FIXES = (  # by a part of what is told: what to do, and the finding's name for programs
    *((each, each, "older_rules") for each in LOAD_PRESENT),
    (ESTIMATES, "see why instances restart again and again", "estimates"),
    (
        "restarted so often that their counts are estimates",
        "see why instances restart again and again",
        "estimates",
    ),
    (
        MISSING_STEPS,
        (
            "see why the rules were not evaluated: Prometheus was down, or an evaluation took "
            "longer than its interval"
        ),
        "missing_steps",
    ),
    ("that cannot be, such as", "see what the exporter or the query gives there", "impossible_values"),
    (ADDED_TOGETHER, "choose one with --experiment or AB_EXPERIMENT", "several_experiments"),
    (EDGES_LEFT_OUT, "let all instances export the same buckets", "unlike_buckets"),
    (NO_PERCENTILES, "let all instances export the same buckets", "unlike_buckets"),
    (NO_SUM, "find the observation that is no number; after a restart the sum is one again", "nan_sum"),
    (NOT_READ, "ask a newer server, or let the exporter expose classic buckets too", "native_histograms"),
    (START_NOT_EXACT, "set AB_START, or let Prometheus answer all questions", "start_not_exact"),
)

_NAMES_SHOWN = 4
_SCRAPED, _EDGES = "scraped ", "edges "
_LATENCY = ("latency_sum", "latency_count", BUCKETS)


def look_at_completeness(answer: PrometheusAnswer, failures: Sequence[Failure]) -> Iterator[Check]:
    """A warning for each thing that is missing or open; else that there is none, with the choices that were
    made.
    """
    failed = (_warning(each.found, each.fix, "failed_questions") for each in failures)
    found = [*failed, *_told(answer), *_at_least(answer)]
    yield from found
    if not found:
        choices = [text for text in answer.status.warnings if _is_choice(text)]
        yield Check(COMPLETE, CheckState.OK, "; ".join(("the answers came without warnings", *choices)))


def _is_choice(text: str) -> bool:
    return text.startswith(_CHOICES) or TWO_KINDS in text


def _told(answer: PrometheusAnswer) -> Iterator[Check]:
    """What was told beside the answers; what nobody here knows is the server's own word, of stores where its
    answer is partial.
    """
    status, others = answer.status, []
    for text in status.warnings:
        if text in status.failures or _is_choice(text) or text.startswith(OF_COPIES):
            continue
        known = next(((fix, code) for part, fix, code in _FIXES if part in text), None)
        if text.startswith(NOT_RECORDED):
            fix = next((each for each in FILL_IN if text.endswith(each)), _ASK_RAW)
            yield _warning(text.removesuffix(f": {fix}"), fix, "not_recorded")
        elif known is not None:
            yield _warning(text.removesuffix(known[0]).rstrip(":; "), *known)
        else:
            others.append(text)
    if others or status.is_partial:
        yield _warning(
            "; ".join(others) or "the answer is partial",
            _STORES if status.is_partial else "",
            "partial" if status.is_partial else "remarks",
        )


def _at_least(answer: PrometheusAnswer) -> Iterator[Check]:
    words = all_at_least_words(answer)
    if words:
        yield _warning("; ".join(words), TELL_STARTS, "at_least")


def _warning(found: str, fix: str, code: str) -> Check:
    return Check(COMPLETE, CheckState.WARNING, found, fix, code)


@dataclass(frozen=True, slots=True)
class Reading:
    """Answers by their fixed names, when each model first had traffic (of some not exactly), and what the
    server warned of.
    """

    instants: tuple[Answer, ...]
    timelines: tuple[Answer, ...]
    blocks: tuple[Answer, ...]
    first_traffic: tuple[tuple[str, float], ...]
    inexact_starts: tuple[str, ...]
    accumulated: tuple[Accumulated, ...]
    versions: Answer
    restarts: Answer
    warnings: tuple[str, ...]


def read_answers(ask: Ask, scope: Scope, settings: Settings) -> Reading:
    """The reading; SourceError where the requests themselves cannot be asked, and for any other question an
    answer with its reason.
    """
    grid = timeline_grid(
        scope.counts_at_seconds, scope.window_seconds, STEP_SECONDS if scope.is_recorded else 0.0
    )
    wanted = _FirstQuestions(scope, totals(settings), dict(AB_QUERIES), grid)
    repair = Repair(ask, scope, with_taken(scope, wanted.totals))
    first = _first(ask, wanted, repair, with_start=settings.start is None)
    window = window_answers(
        first.window, first.day, wanted.totals, scope, scraped_at(first.named(_SCRAPED), first.window.edges)
    )
    instants, ages, timelines = (
        wanted.instants(first.outcomes, window),
        wanted.ages(first.outcomes),
        wanted.timelines(first.outcomes, window),
    )
    second = _ask_named(
        ask, _why_empty(wanted, (*instants, *ages, *timelines)) | _wide_ages(wanted, instants, ages)
    )
    requests = next(answer for answer in instants if answer.name == "requests")
    with_zeros = (
        with_zero_events(answer, requests, scope, query)
        for answer, query in zip(instants, wanted.totals, strict=True)
    )
    since = find_first_traffic(
        ask,
        scope,
        first.outcomes.get("traffic"),
        frozenset(series.label("model_name") for series in requests.series),
    )
    third, accumulated, told = read_periods(
        ask, scope, settings, since.moments, window=first.window, repair=repair
    )
    versions, restarts = read_changes(ask, scope, accumulated)
    aged = (merged(answer, second.get(f"wide {answer.name}")) for answer in ages)
    return Reading(
        instants=tuple(
            with_reason(answer, wanted.selector(answer.name), scope, second)
            for answer in (*with_zeros, *aged)
        ),
        timelines=tuple(
            with_reason(answer, scope.selector(wanted.over_window[answer.name]), scope, second)
            for answer in timelines
        ),
        blocks=window.blocks,
        first_traffic=since.moments,
        inexact_starts=since.inexact,
        accumulated=accumulated,
        versions=versions,
        restarts=restarts,
        warnings=tuple(
            dict.fromkeys(
                (
                    *first.told,
                    *window.told,
                    *since.told,
                    *told,
                    *_estimated(repair),
                    *warnings((*first.outcomes.values(), *second.values(), *third)),
                )
            )
        ),
    )


def _estimated(repair: Repair) -> tuple[str, ...]:
    names = [instance or job for job, instance in repair.estimated]
    return (
        (f"{listed(names, _NAMES_SHOWN)} restarted so often that their counts are estimates (increase)",)
        if names
        else ()
    )


def warnings(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """What the server warned of, each once."""
    return tuple(
        dict.fromkeys(text for outcome in outcomes if isinstance(outcome, Reply) for text in outcome.warnings)
    )


@dataclass(frozen=True, slots=True)
class _First:
    """What was asked first: outcomes by name, the counts of the window and of the last 24 hours where that is
    another range, and what is told of them.
    """

    outcomes: Mapping[str, Outcome]
    window: Counted
    day: Counted | None
    told: tuple[str, ...]

    def named(self, beginning: str) -> list[Outcome]:
        """The outcomes whose names begin so."""
        return [outcome for name, outcome in self.outcomes.items() if name.startswith(beginning)]


def _first(ask: Ask, wanted: _FirstQuestions, repair: Repair, *, with_start: bool) -> _First:
    """Everything of the window in one go; then what the counts need beyond."""
    scope = wanted.scope
    counts = [
        count
        for count in (window_count(scope, wanted.totals), day_count(scope, wanted.totals))
        if count is not None
    ]
    beside = {
        _SCRAPED: scrape_questions(scope, counts[0].edges),
        _EDGES: edges_question(scope, wanted.query(BUCKETS), counts[0].edges),
    }
    numbered = beside | {f"count {index} ": count.questions() for index, count in enumerate(counts)}
    questions = {
        f"{name}{number}": question
        for name, several in numbered.items()
        for number, question in enumerate(several)
    }
    outcomes = _ask_named(ask, wanted.questions(with_start=with_start) | questions)
    _refuse_without_requests(outcomes, outcomes["count 0 0"])
    counted = [
        count.counted(
            repair,
            [outcomes[f"count {index} {number}"] for number in range(len(numbered[f"count {index} "]))],
        )
        for index, count in enumerate(counts)
    ]
    window = with_unasked(counted[0], scope, (wanted.query(name) for name in _LATENCY))
    found = _First(outcomes, window, counted[1] if len(counted) > 1 else None, ())
    return _sound(found)


def _sound(first: _First) -> _First:
    """The window's response times without what cannot be used."""
    growths = first.window.growths
    buckets, told_edges = without_lacking(growths[BUCKETS], lacking_edges(first.named(_EDGES)))
    sums, told_sums = without_unknown_sums(growths["latency_sum"], growths["latency_count"])
    return replace(
        first,
        window=replace(first.window, growths={**growths, BUCKETS: buckets, "latency_sum": sums}),
        told=(*told_edges, *told_sums),
    )


@dataclass(frozen=True, slots=True)
class _FirstQuestions:
    """What is asked first beside the counts: gauges, the newest sample behind each total, and the queries
    over the window by name.
    """

    scope: Scope
    totals: tuple[AbQuery, ...]
    over_window: Mapping[str, AbQuery]
    grid: Grid

    @property
    def newest(self) -> tuple[AbQuery, ...]:
        return tuple(query for query in map(newest, self.totals) if query is not None)

    @property
    def gauges(self) -> tuple[AbQuery, ...]:
        return tuple(query for query in self.totals if not query.is_growth)

    def query(self, name: str) -> AbQuery:
        """The total of that name."""
        return next(query for query in self.totals if query.name == name)

    def selector(self, name: str) -> str:
        return self.scope.selector(
            next(query for query in (*self.totals, *self.newest) if query.name == name)
        )

    def questions(self, *, with_start: bool) -> dict[str, Question]:
        scope, grid = self.scope, self.grid
        instants = {
            query.name: instant(scope.render(query), scope.at_seconds, query.unit)
            for query in (*self.gauges, *self.newest)
        }
        timelines = {
            f"timeline {name}": over_time(
                scope.render(query, grid.step_seconds),
                grid.start_seconds,
                grid.end_seconds,
                grid.step_seconds,
                ANY_NUMBER,
            )
            for name, query in self.over_window.items()
            if query.promql not in COUNTED_TIMELINES and scope.can_ask(query)
        }
        start = {"traffic": coarse_question(scope)} if with_start else {}
        return instants | timelines | start

    def instants(self, outcomes: Mapping[str, Outcome], window: WindowAnswers) -> tuple[Answer, ...]:
        return tuple(
            window.totals[query.name] if query.is_growth else self._instant(query, outcomes)
            for query in self.totals
        )

    def ages(self, outcomes: Mapping[str, Outcome]) -> tuple[Answer, ...]:
        return tuple(self._instant(query, outcomes) for query in self.newest)

    def timelines(self, outcomes: Mapping[str, Outcome], window: WindowAnswers) -> tuple[Answer, ...]:
        return tuple(
            self._timeline(name, query, outcomes, window) for name, query in self.over_window.items()
        )

    def _timeline(
        self, name: str, query: AbQuery, outcomes: Mapping[str, Outcome], window: WindowAnswers
    ) -> Answer:
        if not self.scope.can_ask(query):
            return Answer(
                name, "", query.unit, reason=self.scope.why_not(query), step_seconds=self.grid.step_seconds
            )
        if query.promql in COUNTED_TIMELINES:
            answer = window.timeline(name, query)
        else:
            promql = self.scope.render(query, self.grid.step_seconds)
            answer = timeline_answer(name, query, promql, outcomes[f"timeline {name}"], self.grid)
        return without_uncounted(answer, self.scope) if query.needs_errors else answer

    def _instant(self, query: AbQuery, outcomes: Mapping[str, Outcome]) -> Answer:
        return totals_answer(query, self.scope.render(query), outcomes[query.name])


def _ask_named(ask: Ask, questions: Mapping[str, Question]) -> dict[str, Outcome]:
    return dict(zip(questions, ask(list(questions.values())), strict=True))


_GONE_CODES = frozenset({"refused", "unreachable"})


def _refuse_without_requests(outcomes: Mapping[str, Outcome], requests: Outcome) -> None:
    if isinstance(requests, SourceError) and requests.code not in QUERY_CODES:
        raise requests
    # who is gone in the middle has failed: half an answer would be kept as the last good one
    for outcome in outcomes.values():
        if isinstance(outcome, SourceError) and outcome.code in _GONE_CODES:
            raise outcome


def _why_empty(wanted: _FirstQuestions, answers: tuple[Answer, ...]) -> dict[str, Question]:
    """For each metric behind an empty answer: when was it last seen."""
    empty = [answer for answer in answers if not answer.series and answer.reason is None]
    timelines = {
        wanted.scope.selector(wanted.over_window[answer.name])
        for answer in empty
        if answer.step_seconds is not None
    }
    instants = {wanted.selector(answer.name) for answer in empty if answer.step_seconds is None}
    scope = wanted.scope
    return {
        f"seen {selector}": instant(
            last_seen(selector, scope.window_seconds), scope.at_seconds, "unix_seconds"
        )
        for selector in sorted(timelines | instants)
    }


def _wide_ages(
    wanted: _FirstQuestions, instants: tuple[Answer, ...], ages: tuple[Answer, ...]
) -> dict[str, Question]:
    """Where the newest sample of a model is too old for an instant query: look back over the whole window."""
    known = {
        series.label("model_name")
        for answer in instants
        if answer.name in {"requests", "requests_24h"}
        for series in answer.series
    }
    late = {
        answer.name
        for answer in ages
        if known - {series.label("model_name") for series in answer.series} and answer.reason is None
    }
    step_seconds = look_step_seconds(wanted.scope.window_seconds)
    wide = (newest_within(query, step_seconds) for query in wanted.newest if query.name in late)
    return {
        f"wide {query.name}": instant(wanted.scope.render(query), wanted.scope.at_seconds, query.unit)
        for query in wide
    }
