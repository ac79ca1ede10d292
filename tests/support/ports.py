"""TCP ports of loopback that nobody else is given while this process lives."""

from __future__ import annotations

from live_dashboards.demo.server_process import hold_port


def free_port() -> int:
    """For a server that is told its number; until that listens, connections are refused."""
    held = hold_port()
    port = int(held.getsockname()[1])
    held.detach()  # held until this process ends
    return port


closed_port = free_port  # for tests that want nobody to listen there
