"""One server as a child process: started on a free loopback port, waited for, stopped with everything it
started.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from live_dashboards.demo.guard import Guard
from live_dashboards.demo.interrupts import uninterrupted
from live_dashboards.demo.programs import BARE_ENVIRONMENT
from live_dashboards.errors import DashboardError

LOOPBACK = "127.0.0.1"
START_SECONDS = 120.0
STOP_SECONDS = 10.0

_POLL_SECONDS = 0.05
_LOG_LINES_COUNT = 3
_started: list[ServerProcess] = []


class ServerStartError(DashboardError):
    """A server of the demo did not come up; the message carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Account:
    """The system account that a program runs as."""

    user_id: int
    group_id: int


@dataclass(frozen=True, slots=True)
class Child:
    """A program that was started in a session of its own, and the guard that ends it where we cannot."""

    process: subprocess.Popen[bytes]
    guard: Guard

    def end(self) -> None:
        """Kill what is left of the session: usually nothing, after an interruption the programs that this one
        had started.
        """
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.guard.release()


class ServerProcess:
    """A server that runs from `start` to `stop`; `stop` is right at any moment, also in the middle of a
    `start` that was interrupted.
    """

    def __init__(
        self,
        name: str,
        command: Callable[[int], Sequence[str]],
        *,
        folder: Path,
        is_ready: Callable[[int], bool],
        account: Account | None = None,
        environment: Mapping[str, str] = BARE_ENVIRONMENT,
    ) -> None:
        self.name = name
        self.port = 0
        self._command = command
        self._folder = folder
        self._is_ready = is_ready
        self._account = account
        self._environment = environment
        self._child: Child | None = None
        self._held_port: socket.socket | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's main process; RuntimeError where it was not started."""
        if self._child is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._child.process

    @property
    def process_id(self) -> int | None:
        """The server's main process, or none where it was not started."""
        return self._child.process.pid if self._child is not None else None

    @property
    def log(self) -> str:
        """What the server has said since its last start."""
        return (self._folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start on a free port and wait until the server is ready; raises ServerStartError with the end of
        its log where it does not become so.
        """
        self._held_port = hold_port()
        self.port = int(self._held_port.getsockname()[1])
        with uninterrupted(), (self._folder / "server.log").open("wb") as output:
            self._child = _spawn(
                self._command(self.port), self._folder, output, self._account, self._environment
            )
            _started.append(self)
        if not self._becomes_ready(self._child.process):
            self.stop()
            raise ServerStartError(f"{self.name} did not start; its log ends: {_tail(self.log)}")

    def stop(self, *signals: signal.Signals) -> None:
        """Ask with each signal in turn, waiting up to ten seconds after each, then kill whatever is left of
        its session.
        """
        if self._child is not None:
            for number in signals:
                if self._child.process.poll() is None:
                    self._child.process.send_signal(number)
                    _wait_for_end(self._child.process)
            self._child.end()
            self._child = None
            _started.remove(self)
        if self._held_port is not None:
            self._held_port.close()
            self._held_port = None

    def _becomes_ready(self, process: subprocess.Popen[bytes]) -> bool:
        until = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < until:
            if self._is_ready(self.port):
                return True
            time.sleep(_POLL_SECONDS)
        return False


def running_servers() -> tuple[ServerProcess, ...]:
    """The servers that this process has started and not stopped, in that order: what a failure may have to do
    with stands in their logs.
    """
    return tuple(_started)


def run_program(arguments: Sequence[str | Path], *, folder: Path, account: Account | None = None) -> None:
    """Run a program to its end; a failure raises ServerStartError with the end of what it said, an
    interruption ends all it had started.
    """
    log = folder / "program.log"
    child: Child | None = None
    try:
        with uninterrupted(), log.open("wb") as output:
            child = _spawn([str(part) for part in arguments], folder, output, account, BARE_ENVIRONMENT)
        code = child.process.wait()
    finally:
        if child is not None:
            child.end()
    if code != 0:
        raise ServerStartError(
            f"{Path(arguments[0]).name} failed with exit code {code}: "
            f"{_tail(log.read_text(encoding='utf-8', errors='replace'))}"
        )


def hold_port() -> socket.socket:
    """A socket that holds a free TCP port of 127.0.0.1 without listening there, until it is closed.

    Nobody who asks for any free port is given a held one, and connecting to it is refused; a server that is
    told its number can have it at the same time, since servers share their address with what does not listen
    (SO_REUSEADDR). So no other program takes a port between its choice and its use.
    """
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((LOOPBACK, 0))
    return held


def _spawn(
    arguments: Sequence[str],
    folder: Path,
    output: IO[bytes],
    account: Account | None,
    environment: Mapping[str, str],
) -> Child:
    process = subprocess.Popen(  # noqa: S603 # programs this package looked up, arguments it made
        list(arguments),
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C reaches the caller alone, which then stops its servers in order
        user=account.user_id if account else None,
        group=account.group_id if account else None,
        extra_groups=[] if account else None,
    )
    return Child(process, Guard.of_group(process.pid))


def _wait_for_end(process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STOP_SECONDS
    while process.poll() is None and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)


def _tail(text: str) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-_LOG_LINES_COUNT:])
