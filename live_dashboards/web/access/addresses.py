"""Addresses of clients and servers: which of them are this machine, and which lie in named networks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address
_WRITTEN = re.compile(r"(?P<bare>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)|(?:\[(?P<bracketed>[^\]]*)\]|(?P<host>[^:\[\]]*))(?::[0-9]{1,5})?")


def parse_address(text: str) -> Address | None:
    """The IP address in a text, perhaps with a port behind it or brackets around it; None where there is none."""
    written = _WRITTEN.fullmatch(text.strip().strip('"'))
    if written is None:
        return None
    try:
        address = ip_address(written["bare"] or written["bracketed"] or written["host"])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


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
    """What one client cannot help sharing: an IPv4 address, or the /64 network of an IPv6 one, in which it can choose its address freely."""
    address = parse_address(text)
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address or "unknown")
