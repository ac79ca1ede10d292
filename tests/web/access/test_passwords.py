"""Passwords: hashed with a salt, checked, generated."""

from __future__ import annotations

from live_dashboards.web.access.passwords import generate_password, hash_password, is_usable, matches


def test_a_hash_matches_its_own_password_only() -> None:
    password_hash = hash_password("correct horse battery")
    assert matches(password_hash, "correct horse battery")
    assert not matches(password_hash, "correct horse batterY")


def test_the_hash_is_scrypt_with_a_salt_of_its_own() -> None:
    first, second = hash_password("correct horse battery"), hash_password("correct horse battery")
    assert first.startswith("scrypt:32768:8:1$")
    assert first != second


def test_a_hash_with_impossible_parameters_is_not_usable() -> None:
    assert is_usable(hash_password("correct horse battery"))
    assert not is_usable("scrypt:7:8:1$salt$00")
    assert not is_usable("pbkdf2:nosuchdigest:1$salt$00")
    assert not is_usable("scrypt:99999999999999999999:8:1$salt$00")


def test_a_generated_password_is_long_and_never_the_same() -> None:
    made = {generate_password() for _ in range(100)}
    assert len(made) == 100
    assert min(map(len, made)) >= 20
