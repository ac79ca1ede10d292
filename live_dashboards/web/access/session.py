"""The login's signed cookie: who logged in, for 12 hours; it holds in every replica and over restarts, until
the password changes.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from flask import Flask, request, session
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from live_dashboards.web.access.policy import Policy

COOKIE_NAME = "live_dashboards_session"
LIFE = timedelta(hours=12)


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
