"""Who logs in: a user and a password, checked throttled, in the same time and with the same words whichever
of the two is wrong; then a signed cookie for 12 hours, which holds in every replica and over restarts, until
the password changes.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from datetime import timedelta
from threading import Lock

from flask import Flask, request, session
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from werkzeug.exceptions import TooManyRequests

from live_dashboards.web.access import passwords
from live_dashboards.web.access.passwords import Clock, Throttle
from live_dashboards.web.access.policy import Policy

_REMEMBERED_SECONDS = 300.0

COOKIE_NAME = "live_dashboards_session"
LIFE = timedelta(hours=12)


class Credentials:
    """The one user and password of the page, and the throttle before them."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._username = policy.username
        self._hash, self._token = policy.password_hash, policy.api_token
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

    def is_token(self, token: str, address: str) -> bool:
        """Whether that is the token of programs; a wrong one counts as a failed login."""
        if self._token is None:
            return False
        _refuse_for(self._throttle.attempt(address))
        is_right = hmac.compare_digest(token.encode(), self._token.reveal().encode())
        if is_right:
            self._throttle.succeeded(address)
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


class LoginSessions(SecureCookieSessionInterface):
    """Flask's signed cookies, with a key that only the password's hash gives, and Secure where the browser's
    own connection is encrypted.
    """

    salt = "live-dashboards login"
    digest_method = staticmethod(hashlib.sha256)

    def __init__(self, policy: Policy) -> None:
        self._key = signing_key(policy)
        self._is_tls, self._path = policy.is_tls, policy.path_prefix or "/"

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:  # noqa: ARG002 Flask's signature
        """Signs and checks with the derived key, which therefore is in no configuration that could be
        shown.
        """
        how = {"key_derivation": self.key_derivation, "digest_method": self.digest_method}
        return URLSafeTimedSerializer(
            self._key, salt=self.salt, serializer=self.serializer, signer_kwargs=how
        )

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 Flask's signature
        """Whether the cookie may travel over TLS only."""
        return self._is_tls or request.is_secure

    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002 Flask's signature
        """Below which path the browser sends the cookie."""
        return self._path


def install_sessions(server: Flask, policy: Policy) -> None:
    """Lets the server's sessions be those of the login. SameSite is Lax, since with Strict a link in a mail
    would always end at the login page.
    """
    server.session_interface = LoginSessions(policy)
    server.config.update(
        SESSION_COOKIE_NAME=COOKIE_NAME,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,  # else a page that refreshes itself would stay logged in for ever
        PERMANENT_SESSION_LIFETIME=LIFE,
    )


def signing_key(policy: Policy) -> bytes:
    """The key of the signatures: it changes with the password and with the user's name, and does not tell the
    hash.
    """
    password_hash = policy.password_hash.reveal() if policy.password_hash is not None else ""
    return hmac.digest(
        password_hash.encode(), b"live-dashboards session 1\0" + policy.username.encode(), "sha256"
    )


def log_in(username: str) -> None:
    """Begins the session of a user."""
    session.clear()
    session["user"] = username
    session.permanent = True


def log_out() -> None:
    """Ends the session in this browser."""
    session.clear()


def logged_in_user() -> str | None:
    """Who is logged in by the request's cookie."""
    user = session.get("user")
    return user if isinstance(user, str) else None
