"""Who is let in: each rule of the start."""

from __future__ import annotations

import pytest

from live_dashboards.errors import SettingsError
from live_dashboards.web.access.policy import Mode, policy_of
from tests.web.access.sites import EVERYWHERE, HASH, LOGIN, PROXY, settings_of


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_no_login_even_where_one_is_configured(host: str) -> None:
    policy = policy_of(settings_of(DASHBOARD_HOST=host, DASHBOARD_PASSWORD_HASH=HASH))
    assert (policy.mode, policy.is_loopback_only) == (Mode.OPEN, True)


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.168.1.5", "dashboard.example"])
def test_any_other_address_without_a_login_is_refused_with_all_ways_out(host: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        policy_of(settings_of(DASHBOARD_HOST=host))
    ways = (
        "live-dashboards hash-password",
        "DASHBOARD_PASSWORD_HASH",
        "DASHBOARD_AUTH=proxy",
        "DASHBOARD_TRUSTED_PROXIES",
        "DASHBOARD_AUTH=none",
        "DASHBOARD_HOST=127.0.0.1",
    )
    assert [way for way in ways if way not in str(refusal.value)] == []
    assert refusal.value.exit_code == 2


def test_any_other_address_asks_for_the_configured_password() -> None:
    assert policy_of(settings_of(**LOGIN)).mode is Mode.PASSWORD


def test_a_password_may_be_asked_for_on_loopback_too() -> None:
    assert policy_of(settings_of(DASHBOARD_AUTH="password", DASHBOARD_PASSWORD_HASH=HASH)).mode is Mode.PASSWORD


def test_everybody_is_let_in_where_that_is_said() -> None:
    policy = policy_of(settings_of(DASHBOARD_AUTH="none", DASHBOARD_HOST=EVERYWHERE))
    assert (policy.mode, policy.is_loopback_only) == (Mode.OPEN, False)


def test_a_proxy_counts_where_its_address_is_named() -> None:
    policy = policy_of(settings_of(**PROXY, DASHBOARD_HOST=EVERYWHERE))
    assert (policy.mode, policy.trusted_proxies) == (Mode.PROXY, ("10.0.0.5/32",))


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"DASHBOARD_AUTH": "password"}, "DASHBOARD_PASSWORD_HASH"),
        ({"DASHBOARD_AUTH": "proxy"}, "DASHBOARD_TRUSTED_PROXIES"),
        ({"DASHBOARD_AUTH": "proxy", "DASHBOARD_PASSWORD_HASH": HASH}, "DASHBOARD_TRUSTED_PROXIES"),
        ({"DASHBOARD_AUTH": "proxy", "DASHBOARD_TRUSTED_PROXIES": "10.0.0.5,0.0.0.0/0"}, "0.0.0.0/0"),
        ({"DASHBOARD_AUTH": "password", "DASHBOARD_PASSWORD_HASH": "scrypt:7:8:1$salt$00"}, "DASHBOARD_PASSWORD_HASH"),
    ],
)
def test_a_mode_that_cannot_work_is_refused_naming_what_to_set(environment: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        policy_of(settings_of(**environment))


def test_neither_policy_nor_refusal_shows_the_hash() -> None:
    shown = repr(policy_of(settings_of(**LOGIN)))
    with pytest.raises(SettingsError) as refusal:
        policy_of(settings_of(DASHBOARD_AUTH="password", DASHBOARD_PASSWORD_HASH="scrypt:7:8:1$unmistakable$00"))
    assert HASH not in shown
    assert "unmistakable" not in str(refusal.value)
