"""Checks a user and a password: throttled, in the same time and with the same words whichever of the two is
wrong.
"""

from __future__ import annotations

import hmac
import math
import secrets
from threading import Lock

from werkzeug.exceptions import TooManyRequests

from live_dashboards.web.access import passwords
from live_dashboards.web.access.policy import Policy
from live_dashboards.web.access.throttle import Clock, Throttle

_REMEMBERED_SECONDS = 300.0


class Credentials:
    """The one user and password of the page, and the throttle before them."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._username = policy.username
        self._hash = policy.password_hash
        self._throttle = Throttle(clock)
        self._remembered = Remembered(clock)

    def are_right(self, username: str, password: str, address: str) -> bool:
        """Whether the client at that address may be let in; TooManyRequests, right or wrong, while it has to
        wait.
        """
        _refuse_for(self._throttle.attempt(address))
        is_user = hmac.compare_digest(username.encode(), self._username.encode())
        is_password = self._hash is not None and passwords.matches(self._hash.reveal(), password)
        if is_user and is_password:
            self._throttle.succeeded(address)
        return is_user and is_password

    def are_right_again(self, username: str, password: str, address: str) -> bool:
        """The same for a program that sends them with each request: what was right is remembered for five
        minutes, since a check costs 84 ms.
        """
        _refuse_for(self._throttle.wait_seconds(address))
        if self._remembered.knows(username, password):
            return True
        is_right = self.are_right(username, password, address)
        if is_right:
            self._remembered.remember(username, password)
        return is_right


class Remembered:
    """The last credentials that were right, as a digest under a key of this process; there is one user, so
    one digest is enough.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, Lock()
        self._key = secrets.token_bytes(32)
        self._digest, self._until = b"", 0.0

    def remember(self, username: str, password: str) -> None:
        """Knows these for the next minutes."""
        with self._lock:
            self._digest, self._until = (
                self._digest_of(username, password),
                self._clock() + _REMEMBERED_SECONDS,
            )

    def knows(self, username: str, password: str) -> bool:
        """Whether these were right within the last minutes."""
        with self._lock:
            digest, until = self._digest, self._until
        return hmac.compare_digest(digest, self._digest_of(username, password)) and self._clock() < until

    def _digest_of(self, username: str, password: str) -> bytes:
        return hmac.digest(self._key, f"{len(username)}:{username}{password}".encode(), "sha256")


def _refuse_for(wait_seconds: float) -> None:
    if wait_seconds > 0:
        whole_seconds = math.ceil(wait_seconds)
        unit = "second" if whole_seconds == 1 else "seconds"
        raise TooManyRequests(
            f"Too many failed logins; try again in {whole_seconds} {unit}.", retry_after=whole_seconds
        )
