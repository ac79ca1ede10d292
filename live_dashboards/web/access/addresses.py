"""Addresses of clients and servers: which of them are this machine, and which lie in named networks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address
_LONGEST_CHARACTERS = 64  # the longest address with brackets and a port has 47


def parse_address(text: str) -> Address | None:
    """The IP address in a text, perhaps with a port behind it or brackets around it; None where there is
    none.
    """
    if len(text) > _LONGEST_CHARACTERS:
        return None
    written = text.strip().strip('"')
    address = _parsed(written) or _parsed(_without_port(written))
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _parsed(written: str) -> Address | None:
    try:
        # the name of an interface is no part of an address
        return ip_address(written) if "%" not in written else None
    except ValueError:
        return None


def _without_port(written: str) -> str:
    """What lies before the port or between the brackets; nothing where that is not how an address is written.
    An IPv6 address with a port needs brackets.
    """
    if written.startswith("["):
        address, _, port = written[1:].partition("]")
        return address if not port or _is_port(port) else ""
    address, colon, port = written.partition(":")
    return address if _is_port(colon + port) else ""


def _is_port(written: str) -> bool:
    digits = written.removeprefix(":")
    return digits != written and len(digits) <= 5 and digits.isascii() and digits.isdigit()


def is_within(text: str, networks: Sequence[str]) -> bool:
    """Whether the text is an address in one of the networks."""
    address = parse_address(text)
    return address is not None and any(address in ip_network(network) for network in networks)


def is_loopback(text: str) -> bool:
    """Whether an address or a Host header (a port may follow) names this machine itself."""
    address = parse_address(text)
    if address is not None:
        return address.is_loopback
    return re.fullmatch(r"localhost(?::[0-9]{1,5})?", text.strip(), re.IGNORECASE) is not None


def neighbourhood(text: str) -> str:
    """What one client cannot help sharing: an IPv4 address, or the /64 network of an IPv6 one, in which it
    can choose its address freely.
    """
    address = parse_address(text)
    return (
        str(ip_network((address, 64), strict=False))
        if isinstance(address, IPv6Address)
        else str(address or "unknown")
    )
