"""What tests of the command share."""

import socket


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def at(worlds):
    return ("--at", f"{worlds.end:.0f}")
