"""Passwords of the login: made, hashed and checked; and what slows guessing them down: failures per client
and in all, each with a wait that doubles; memory is bounded and the clock is handed in.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from werkzeug.security import check_password_hash, generate_password_hash

from live_dashboards.web.access.addresses import neighbourhood

LEAST_CHARACTERS = 12

Clock = Callable[[], float]
Value = TypeVar("Value")


def hash_password(password: str) -> str:
    """The salted scrypt hash of a password, as DASHBOARD_PASSWORD_HASH takes it."""
    return generate_password_hash(password, method="scrypt")


def matches(password_hash: str, password: str) -> bool:
    """Whether this is the hash's password; takes as long for a wrong one as for the right one."""
    return check_password_hash(password_hash, password)


def is_usable(password_hash: str) -> bool:
    """Whether a password can be checked against the hash at all: its method and its parameters are possible
    ones.
    """
    try:
        check_password_hash(password_hash, "")
    except (ArithmeticError, ValueError, TypeError, MemoryError):
        return False
    return True


def generate_password() -> str:
    """A random password of 120 bits without characters that a shell or a URL reads in its own way."""
    return secrets.token_urlsafe(15)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many failures cost nothing, how long the wait may grow, and how long it takes until one failure is
    forgotten.
    """

    free_count: int
    longest_wait_seconds: float
    forget_one_seconds: float

    def wait_seconds(self, failures_count: int) -> float:
        """The wait after so many failures: none, then 1 s, doubled each time."""
        over_count = failures_count - self.free_count
        return 0.0 if over_count < 0 else min(2.0 ** min(over_count, 30), self.longest_wait_seconds)


EACH = Limit(free_count=5, longest_wait_seconds=300, forget_one_seconds=180)
# Strangers with many addresses can keep this wait going, and who comes from an address that never logged in
# then has to be quicker than they are. The team's known addresses are not held up, and sessions are not
# throttled at all.
ALL = Limit(free_count=50, longest_wait_seconds=10, forget_one_seconds=12)
_PROVEN_SECONDS = 30 * 86_400


@dataclass(slots=True)
class _Failures:
    limit: Limit
    since: float
    count: int = 0
    until: float = 0.0

    def add(self, now: float) -> None:
        """Counts one more, after forgetting what time has healed."""
        forgotten_count = int((now - self.since) / self.limit.forget_one_seconds)
        self.since = (
            now
            if forgotten_count >= self.count
            else self.since + forgotten_count * self.limit.forget_one_seconds
        )
        self.count = max(self.count - forgotten_count, 0) + 1
        self.until = now + self.limit.wait_seconds(self.count)

    def take_back(self, now: float) -> None:
        """One less, and no wait for it."""
        self.count, self.until = max(self.count - 1, 0), now


class Throttle:
    """Counts an attempt as failed before the password is checked, so that of attempts side by side none is
    free; a success takes its own count back.
    """

    def __init__(
        self, clock: Clock, *, each: Limit = EACH, everyone: Limit = ALL, most_clients_count: int = 1024
    ) -> None:
        self._clock, self._lock = clock, Lock()
        self._each, self._most_clients_count = each, most_clients_count
        self._all = _Failures(everyone, clock())
        self._clients: OrderedDict[str, _Failures] = OrderedDict()
        self._proven: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._clients) + len(self._proven)

    def wait_seconds(self, address: str) -> float:
        """How long the client at that address has to wait before its next attempt; 0 for not at all."""
        with self._lock:
            return self._wait_seconds(neighbourhood(address), self._clock())

    def attempt(self, address: str) -> float:
        """Like `wait_seconds`, and where that is 0 the attempt counts as failed until `succeeded`."""
        client, now = neighbourhood(address), self._clock()
        with self._lock:
            wait_seconds = self._wait_seconds(client, now)
            if wait_seconds == 0:
                self._all.add(now)
                _put(
                    self._clients,
                    client,
                    self._clients.get(client) or _Failures(self._each, now),
                    self._most_clients_count,
                ).add(now)
            return wait_seconds

    def succeeded(self, address: str) -> None:
        """Takes the attempt back. For 30 days the client need not wait for what others fail; its own failures
        stay counted, since a guesser may share its address.
        """
        client, now = neighbourhood(address), self._clock()
        with self._lock:
            self._all.take_back(now)
            if client in self._clients:
                self._clients[client].take_back(now)
            _put(self._proven, client, now + _PROVEN_SECONDS, self._most_clients_count)

    def _wait_seconds(self, client: str, now: float) -> float:
        own = self._clients[client].until if client in self._clients else now
        others = now if self._proven.get(client, now) > now else self._all.until
        return max(own - now, others - now, 0.0)


def _put(table: OrderedDict[str, Value], client: str, value: Value, most_count: int) -> Value:
    """Puts the value last, and drops the first ones where there are too many."""
    table[client] = value
    table.move_to_end(client)
    while len(table) > most_count:
        table.popitem(last=False)
    return value
