"""What is left of a reading where some of its questions failed."""

from __future__ import annotations

import pytest

from live_dashboards.errors import SourceError
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.exchange import Question
from live_dashboards.sources.prometheus.failed_requests import EventsCounted
from live_dashboards.sources.prometheus.reading import Ask, read_answers
from live_dashboards.sources.prometheus.reply import Outcome, Reply, says_partial
from live_dashboards.sources.prometheus.scope import Scope
from tests.sources.prometheus_reading import END, HOUR, settings_of, values

SCOPE = Scope(END, HOUR, None, (), has_requests=True, errors=EventsCounted("", "not counted"), shortest_rate_seconds=300)
SETTINGS = settings_of("http://127.0.0.1:1")


def failing(part: str, code: str) -> Ask:
    """Answers nothing, and fails where the query has this part."""

    def ask(questions: list[Question]) -> tuple[Outcome, ...]:
        return tuple(SourceError("no", "do", code) if part in question.parameters["query"] else Reply() for question in questions)

    return ask


def test_requests_that_cannot_be_asked_are_a_failure():
    with pytest.raises(SourceError):
        read_answers(failing("sum by (model_name) (last_over_time(ab_test_requests_total[5m]))", "cut"), SCOPE, SETTINGS)


def test_requests_that_the_server_finds_too_heavy_are_missing_with_that_reason():
    assert read_answers(failing("sum by (model_name) (last_over_time(ab_test_requests_total[5m]))", "query_timeout"), SCOPE, SETTINGS).instants[0].reason == "no"


@pytest.mark.parametrize("code", ["cut", "timeout", "proxy_backend"])
def test_another_question_that_fails_costs_only_its_own_answer(code):
    reading = read_answers(failing("ab_test_model_accuracy", code), SCOPE, SETTINGS)
    assert {answer.name for answer in (*reading.instants, *reading.timelines) if answer.reason == "no"} >= {"online_accuracy", "accuracy"}
    assert all(answer.reason != "no" for answer in reading.instants if "ab_test_model_accuracy" not in answer.query)


@pytest.mark.parametrize("code", ["refused", "unreachable"])
def test_a_server_that_is_gone_in_the_middle_is_a_failure_whatever_it_answered_before(code):
    with pytest.raises(SourceError):
        read_answers(failing("ab_test_model_accuracy", code), SCOPE, SETTINGS)


def test_without_any_count_of_failures_they_are_not_even_asked():
    asked: list[str] = []

    def ask(questions: list[Question]) -> tuple[Outcome, ...]:
        asked.extend(question.parameters["query"] for question in questions)
        return tuple(Reply() for _ in questions)

    reading = read_answers(ask, SCOPE, SETTINGS)
    assert not any("clamp_max" in query for query in asked)
    assert {answer.reason for answer in (*reading.instants, *reading.timelines) if answer.name in {"errors", "error_rate"}} == {"not counted"}


def test_a_look_back_that_is_refused_says_so_beside_the_ages():
    def ask(questions: list[Question]) -> tuple[Outcome, ...]:
        return tuple(_without_a_look_back(question.parameters["query"]) for question in questions)

    ages = {answer.name: answer for answer in read_answers(ask, SCOPE, SETTINGS).instants}
    assert values(ages["newest_requests"]) == {"baseline": END}
    assert ages["newest_requests"].note == "older samples could not be looked for: too many samples"


def _without_a_look_back(query: str) -> Outcome:
    if "max_over_time((timestamp" in query:
        return SourceError("too many samples", "ask for less", "too_many_samples")
    models = ("baseline",) if "timestamp(" in query else ("baseline", "enhanced")
    return Reply(series=tuple(Timeline((("model_name", model),), ((END - 15, END), (END, END))) for model in models))


@pytest.mark.parametrize(
    ("document", "is_partial"),
    [
        ({"isPartial": True}, True),
        ({"warnings": ["receive series from store 10.0.0.7: no such host"]}, True),
        ({"warnings": ["PromQL warning: quantile value should be between 0 and 1, got 2"]}, False),
        ({"infos": ["PromQL info: metric might not be a counter"]}, False),
        ({"isPartial": False, "warnings": None}, False),
    ],
)
def test_what_a_store_lacks_makes_an_answer_partial_and_a_remark_on_the_query_does_not(document, is_partial):
    assert says_partial(document) is is_partial
