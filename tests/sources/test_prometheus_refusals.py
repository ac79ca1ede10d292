"""A server that refuses one question, or too many at a time, in front of a real Prometheus: asked again in time, or named as missing."""

from __future__ import annotations

import itertools
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import unquote_plus

import pytest

from live_dashboards.errors import SourceError
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.http.session import Brake, BusyServerError, wait_seconds
from tests.sources.prometheus_reading import ask
from tests.support.doorman import Doorman
from tests.support.pace import ends_within

ERRORS_OF_THE_WINDOW = ("query=sum by (model_name) (last_over_time(ab_test_errors_total[5m]))&", "&step=15&")


@pytest.fixture
def door(standard_prometheus):
    with Doorman(standard_prometheus.host, standard_prometheus.port) as before:
        yield before


@pytest.fixture(scope="module")
def direct(standard_prometheus):
    return read(standard_prometheus.url, standard_prometheus.end)


def read(url: str, at: float):
    return ask(url, at=at)


def numbers(answer):
    return answer.instants, answer.timelines, answer.blocks, answer.accumulated, answer.first_traffic


class EveryFifth:
    """Refuses every fifth question."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.refused, self._numbers, self._headers = 0, itertools.count(1), headers

    def __call__(self, *_: object) -> tuple[int, dict[str, str]] | None:
        if next(self._numbers) % 5:
            return None
        self.refused += 1
        return 429, self._headers


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}, {"Retry-After": "1"}], ids=["without a time", "at once", "in a second"])
def test_what_is_refused_as_one_too_many_is_asked_again_and_nothing_is_missing(door, direct, standard_prometheus, headers):
    door.refuse = EveryFifth(headers)
    found = read(door.url, standard_prometheus.end)
    assert door.refuse.refused > 5
    assert numbers(found) == numbers(direct)
    assert (found.status.failures, found.status.warnings) == ((), direct.status.warnings)


def test_one_refusal_holds_all_questions_back_for_as_long_as_the_server_says(door, direct, standard_prometheus):
    asked: list[float] = []
    lock = threading.Lock()

    def refuse(*_: object):
        with lock:
            asked.append(time.monotonic())
            return (429, {"Retry-After": "2"}) if len(asked) == 12 else None

    door.refuse = refuse
    assert numbers(read(door.url, standard_prometheus.end)) == numbers(direct)
    refused = asked[11]
    assert [moment for moment in asked[12 + 3 :] if moment < refused + 1.9] == []  # three more threads may have been asking


def test_a_time_after_the_deadline_is_not_waited_for(door, standard_prometheus):
    door.refuse = lambda *_: (429, {"Retry-After": "3600"})
    with ends_within(0), pytest.raises(SourceError, match=r"refuses too many requests \(status 429\): not now; raise the limit there, ask less often") as failed:
        read(door.url, standard_prometheus.end)
    assert failed.value.code == "limit"


def test_what_a_refusal_says_is_told_without_the_password(standard_prometheus, fault_proxy):
    proxy = fault_proxy(standard_prometheus.host, standard_prometheus.port)
    proxy.http_reply(429, "application/json", '{"status":"error","errorType":"too_many","error":"ops of marked-word has 5 a second"}', ("Retry-After: 3600",))
    with pytest.raises(SourceError, match=r"\(status 429\): ops of \*\*\* has 5 a second; ") as failed:
        read(f"http://ops:marked-word@{proxy.host}:{proxy.port}", standard_prometheus.end)
    assert "marked-word" not in repr(failed.value)


def test_who_always_refuses_is_asked_six_times(door, standard_prometheus):
    asked = itertools.count()
    door.refuse = lambda *_: (next(asked), (429, {}))[1]
    with pytest.raises(SourceError, match="too many requests"):
        read(door.url, standard_prometheus.end)
    assert next(asked) == 6


@pytest.mark.parametrize("status", [429, 503])
def test_what_stays_refused_costs_its_own_values_and_is_told(door, direct, standard_prometheus, status):
    door.refuse = lambda _, sent: (status, {}) if all(text in unquote_plus(sent.decode()) for text in ERRORS_OF_THE_WINDOW) else None
    found = read(door.url, standard_prometheus.end)
    assert found.instant("errors").series == ()
    assert [answer for answer in found.instants if answer.name != "errors"] == [answer for answer in direct.instants if answer.name != "errors"]
    assert [answer for answer in found.timelines if answer.name != "error_rate"] == [answer for answer in direct.timelines if answer.name != "error_rate"]
    assert [answer for answer in found.blocks if answer.name != "errors"] == [answer for answer in direct.blocks if answer.name != "errors"]
    for period, whole in zip(found.accumulated, direct.accumulated, strict=True):  # what the window has counted is not asked again
        assert (period.total("errors").series, period.total("errors").reason) == ((), found.instant("errors").reason)
        assert [answer for answer in period.totals if answer.name != "errors"] == [answer for answer in whole.totals if answer.name != "errors"]
    (line,) = found.status.failures
    assert line.startswith("1 of ")
    assert " questions failed, what they ask for is missing (about ab_test_errors_total): http://" in line
    assert found.status.warnings[0] == line


def test_a_503_that_says_when_is_asked_again(door, direct, standard_prometheus):
    left = [503, 503]
    door.refuse = lambda *_: (left.pop(), {"Retry-After": "1"}) if left else None
    assert numbers(read(door.url, standard_prometheus.end)) == numbers(direct)


def test_the_header_is_seconds_or_a_moment_and_nonsense_is_none():
    later = datetime.now(UTC) + timedelta(seconds=90)
    assert wait_seconds("7") == 7.0
    assert 0 < wait_seconds(format_datetime(later, usegmt=True)) <= 90
    assert wait_seconds(format_datetime(later - timedelta(days=1), usegmt=True)) == 0.0
    assert [wait_seconds(text) for text in (None, "", "soon", "-1", "1.5", "\u0661", "99999-01-01")] == [None] * 7


def test_who_waits_is_let_go_when_the_reading_is_given_up():
    brake, refusal = Brake(), BusyServerError("busy", "wait", "limit", 600.0)
    brake.hold(refusal)
    threading.Timer(0.1, brake.abort).start()
    with ends_within(0), pytest.raises(BusyServerError):
        brake.wait(Deadline(3600))
