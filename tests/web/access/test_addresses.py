"""Addresses: as proxies and browsers write them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from live_dashboards.web.access.addresses import is_loopback, is_within, neighbourhood, parse_address
from tests.support.pace import scaled
from tests.web.access.sites import EVERYWHERE, site


@pytest.fixture
def next_to_no_work() -> Iterator[None]:
    """The test computes for less than a second, however long it had to wait for the machine."""
    began = time.thread_time()
    yield
    assert time.thread_time() - began < scaled(1)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ('"[2001:db8::1]:4711"', "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "None"),
        ("127.0.0.1:x", "None"),
        ("127.0.0.1:", "None"),
        ("127.0.0.1:123456", "None"),
        ("1:2:3:4:5:6:7:8:80", "None"),
        ("[::1]80", "None"),
        ("fe80::1%eth0", "None"),
        ("[::1].evil.example", "None"),
        ("", "None"),
    ],
)
def test_an_address_is_read_with_and_without_port_and_brackets(text: str, address: str) -> None:
    assert str(parse_address(text)) == address


@pytest.mark.parametrize("text", [":" * 32_000 + "x", "[" * 32_000, "1." * 16_000, "localhost:" + "1" * 32_000, ":0" * 16_000])
@pytest.mark.usefixtures("next_to_no_work")
def test_a_text_that_is_too_long_for_any_address_costs_nothing(text: str) -> None:
    assert (parse_address(text), is_loopback(text), neighbourhood(text), is_within(text, ["10.0.0.0/8"])) == (None, False, "unknown", False)


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-For"])
@pytest.mark.usefixtures("next_to_no_work")
def test_a_request_full_of_colons_is_refused_at_once(header: str) -> None:
    client = site(DASHBOARD_TRUSTED_PROXIES="127.0.0.1").test_client()
    assert client.get("/", headers={"Host": "nowhere.example", header: ":" * 32_000 + "x"}).status_code in {400, 421}


@pytest.mark.parametrize("text", ["127.0.0.1", "127.8.9.1:8050", "::1", "[::1]", "[::1]:8050", "localhost", "LocalHost:8050", "::ffff:127.0.0.1"])
def test_this_machine_has_many_names(text: str) -> None:
    assert is_loopback(text)


@pytest.mark.parametrize(
    "text", [EVERYWHERE, "::", "", "192.168.1.5", "localhost.evil.example", "127.0.0.1.evil.example", "localhost:80.evil.example", "evil.example:8050"]
)
def test_other_names_are_not_this_machine(text: str) -> None:
    assert not is_loopback(text)


def test_a_network_holds_its_addresses_of_its_own_version_only() -> None:
    assert is_within("10.1.2.3", ["10.1.0.0/16"])
    assert not is_within("10.2.2.3", ["10.1.0.0/16"])
    assert not is_within("2001:db8::1", ["10.1.0.0/16"])
    assert not is_within("", ["0.0.0.0/0"])


def test_addresses_of_one_ipv6_network_are_one_client() -> None:
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:2") != neighbourhood("2001:db8:0:1::1")
    assert neighbourhood("192.0.2.1") != neighbourhood("192.0.2.2")
