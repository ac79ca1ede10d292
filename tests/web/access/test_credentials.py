"""The check of user and password: one path for every wrong answer, throttled, remembered for programs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from werkzeug.exceptions import TooManyRequests

from live_dashboards.web.access import passwords
from live_dashboards.web.access.credentials import Credentials
from live_dashboards.web.access.policy import policy_of
from tests.web.access.sites import LOGIN, PASSWORD, Clock, settings_of

HERE = "192.0.2.1"


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were checked against the hash, which still happens."""
    checked: list[str] = []
    really = passwords.matches

    def matches(password_hash: str, password: str) -> bool:
        checked.append(password)
        return really(password_hash, password)

    monkeypatch.setattr(passwords, "matches", matches)
    return checked


def credentials(clock: Clock | None = None) -> Credentials:
    return Credentials(policy_of(settings_of(**LOGIN)), clock or Clock())


@pytest.mark.parametrize(("username", "password"), [("nobody", PASSWORD), ("dashboard", "wrong"), ("nobody", "wrong"), ("", ""), ("dashboard", PASSWORD)])
def test_known_or_unknown_user_right_or_wrong_password_cost_one_hash_check(checks: list[str], username: str, password: str) -> None:
    assert credentials().are_right(username, password, HERE) is ((username, password) == ("dashboard", PASSWORD))
    assert checks == [password]


def test_the_right_password_during_the_wait_is_refused_in_the_same_words_and_not_even_checked(checks: list[str]) -> None:
    refusals, checker = [], credentials()
    for _ in range(5):
        checker.are_right("dashboard", "wrong", HERE)
    for password in ("wrong", PASSWORD):
        with pytest.raises(TooManyRequests) as refusal:
            checker.are_right("dashboard", password, HERE)
        refusals.append((refusal.value.description, refusal.value.retry_after))
    assert refusals == [("Too many failed logins; try again in 1 second.", 1)] * 2
    assert len(checks) == 5


def test_the_right_password_of_an_unknown_user_is_a_failure_like_any_other() -> None:
    checker = credentials()
    for _ in range(5):
        checker.are_right("nobody", PASSWORD, HERE)
    with pytest.raises(TooManyRequests):
        checker.are_right("nobody", PASSWORD, HERE)


def test_what_is_remembered_waits_too_so_that_it_cannot_be_guessed_meanwhile() -> None:
    checker = credentials()
    checker.are_right_again("dashboard", PASSWORD, HERE)
    for _ in range(5):
        checker.are_right_again("dashboard", "wrong", HERE)
    with pytest.raises(TooManyRequests):
        checker.are_right_again("dashboard", PASSWORD, HERE)


def test_a_program_s_right_password_is_checked_once_in_five_minutes(checks: list[str]) -> None:
    clock = Clock()
    checker = credentials(clock)
    for _ in range(10):
        assert checker.are_right_again("dashboard", PASSWORD, HERE)
    assert len(checks) == 1
    clock.now_seconds += 301
    assert checker.are_right_again("dashboard", PASSWORD, HERE)
    assert len(checks) == 2


def test_a_wrong_password_is_never_remembered(checks: list[str]) -> None:
    checker = credentials()
    assert [checker.are_right_again("dashboard", "wrong", HERE) for _ in range(2)] == [False, False]
    checker.are_right_again("dashboard", PASSWORD, HERE)
    assert [checker.are_right_again("dashboar", f"d{PASSWORD}", HERE) for _ in range(2)] == [False, False]
    assert len(checks) == 5


def test_of_twenty_attempts_side_by_side_only_the_free_ones_reach_the_check(checks: list[str]) -> None:
    checker, start = credentials(), Barrier(20)

    def attempt(_: int) -> Any:
        start.wait()
        try:
            return checker.are_right("dashboard", "wrong", HERE)
        except TooManyRequests:
            return "waits"

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(attempt, range(20))).count("waits") == 15
    assert len(checks) == 5


def test_neither_checker_nor_memory_shows_a_secret() -> None:
    checker = credentials()
    checker.are_right_again("dashboard", PASSWORD, HERE)
    assert PASSWORD not in repr(vars(checker)) + repr(vars(checker._remembered))
    assert LOGIN["DASHBOARD_PASSWORD_HASH"] not in repr(vars(checker))
