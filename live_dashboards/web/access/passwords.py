"""Passwords of the login: made, hashed and checked."""

from __future__ import annotations

import secrets

from werkzeug.security import check_password_hash, generate_password_hash

LEAST_CHARACTERS = 12


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
