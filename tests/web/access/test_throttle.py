"""The throttle, on a clock that moves when told to."""

from __future__ import annotations

import pytest

from live_dashboards.web.access.passwords import ALL, EACH, Limit, Throttle
from tests.web.access.sites import Clock


def fail(throttle: Throttle, address: str, count: int) -> list[float]:
    return [throttle.attempt(address) for _ in range(count)]


def test_the_first_failures_cost_nothing_and_the_next_ones_wait() -> None:
    throttle = Throttle(Clock())
    assert fail(throttle, "192.0.2.1", 5) == [0.0] * 5
    assert throttle.attempt("192.0.2.1") == 1.0


def test_each_further_failure_doubles_the_wait_up_to_a_limit() -> None:
    clock = Clock()
    throttle = Throttle(clock, everyone=Limit(10**6, 1, 1))
    fail(throttle, "192.0.2.1", 5)
    waits = []
    for _ in range(10):
        waits.append(throttle.wait_seconds("192.0.2.1"))
        clock.now_seconds += waits[-1]
        throttle.attempt("192.0.2.1")
    assert waits[:8] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert max(waits) <= EACH.longest_wait_seconds


def test_asking_during_the_wait_does_not_lengthen_it() -> None:
    throttle = Throttle(Clock())
    fail(throttle, "192.0.2.1", 50)
    assert throttle.attempt("192.0.2.1") == 1.0


def test_one_clients_failures_do_not_stop_another_one() -> None:
    throttle = Throttle(Clock())
    fail(throttle, "192.0.2.1", 10)
    assert throttle.attempt("192.0.2.2") == 0.0


def test_many_clients_failures_slow_all_but_those_who_proved_a_password() -> None:
    throttle = Throttle(Clock())
    throttle.attempt("192.0.2.200")
    throttle.succeeded("192.0.2.200")
    for number in range(ALL.free_count):
        throttle.attempt(f"198.51.100.{number}")
    assert throttle.attempt("203.0.113.1") == 1.0
    assert throttle.attempt("192.0.2.200") == 0.0


def test_while_strangers_of_many_networks_guess_a_known_client_gets_through_and_an_unknown_one_waits() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    throttle.attempt("192.0.2.200")
    throttle.succeeded("192.0.2.200")
    clock.now_seconds += 86_400  # the session of the day before has ended
    for number in range(500):
        clock.now_seconds += throttle.wait_seconds(f"2001:db8:0:{number:x}::1")
        throttle.attempt(f"2001:db8:0:{number:x}::1")
    assert throttle.attempt("192.0.2.200") == 0.0
    assert 0 < throttle.attempt("203.0.113.1") <= ALL.longest_wait_seconds


@pytest.mark.parametrize(("later_seconds", "waits"), [(30 * 86_400 - 1, False), (30 * 86_400 + 1, True)])
def test_a_proof_holds_for_30_days(later_seconds: float, *, waits: bool) -> None:
    clock = Clock()
    throttle = Throttle(clock, everyone=Limit(1, 10, 10**6))
    throttle.attempt("192.0.2.200")
    throttle.succeeded("192.0.2.200")
    clock.now_seconds += later_seconds
    throttle.attempt("198.51.100.1")
    assert (throttle.wait_seconds("192.0.2.200") > 0) is waits


def test_a_success_takes_back_its_own_count_and_no_more() -> None:
    throttle = Throttle(Clock())
    fail(throttle, "192.0.2.1", 4)
    throttle.attempt("192.0.2.1")
    throttle.succeeded("192.0.2.1")
    assert fail(throttle, "192.0.2.1", 2) == [0.0, 1.0]


def test_failures_are_forgotten_one_by_one() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    fail(throttle, "192.0.2.1", 5)
    clock.now_seconds += 2 * EACH.forget_one_seconds
    assert fail(throttle, "192.0.2.1", 3) == [0.0, 0.0, 1.0]


def test_memory_is_bounded_however_many_clients_fail() -> None:
    throttle = Throttle(Clock(), everyone=Limit(10**6, 1, 1), most_clients_count=10)
    for number in range(200):
        throttle.attempt(f"198.51.100.{number}")
        throttle.succeeded(f"198.51.100.{number}")
    assert len(throttle) == 20
