"""Keeps the tests on this machine: no setting of the caller reaches them but which engines to start, no Python socket leaves loopback.

libpq opens its sockets in C and is not covered.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from tests.support.engines import VARIABLES

PREFIXES = (
    "MLFLOW_",
    "PROMETHEUS_",
    "AB_",
    "DASHBOARD_",
    "PG",
    "BASE_TRADING_",
    "ACCURACY_REVENUE_",
    "LATENCY_COST_",
    "ERROR_COST_",
    "INFRASTRUCTURE_",
    "SOURCE_TIMEOUT",
    "RUN_TIMEOUT",
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC")


class NetworkClosedError(AssertionError):
    """A test tried to leave this machine."""


def close_environment(names: list[str], patch: pytest.MonkeyPatch) -> None:
    for name in names:
        if (name.startswith(PREFIXES) and name not in VARIABLES) or name.upper() in PROXIES:
            patch.delenv(name)


def close_network(patch: pytest.MonkeyPatch) -> None:
    connect, connect_ex, resolve = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _refuse_others(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_others(self, address)
        return connect_ex(self, address)

    def guarded_resolve(host: Any, *arguments: Any, **more: Any) -> Any:
        if host is not None and not _is_address(str(host)) and host != "localhost":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")  # what a resolver without a network answers
        return resolve(host, *arguments, **more)

    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket, "getaddrinfo", guarded_resolve)


def _refuse_others(caller: socket.socket, address: Any) -> None:
    if caller.family in {socket.AF_INET, socket.AF_INET6} and address[0] != "localhost" and not ipaddress.ip_address(address[0]).is_loopback:
        raise NetworkClosedError(f"tests may not connect to {address[0]}:{address[1]}")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
