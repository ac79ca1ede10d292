"""One server as a child process: started on a free loopback port, waited for, stopped with everything it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from live_dashboards.demo.interrupts import uninterrupted
from live_dashboards.errors import DashboardError

LOOPBACK = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
PORT_ATTEMPTS = 5
BARE_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}  # nothing of the caller's settings reaches a server; its messages are English

_POLL_SECONDS = 0.05
_PORT_TAKEN = "address already in use"


class ServerStartError(DashboardError):
    """A server of the demo did not come up; the message carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Account:
    """The system account that a program runs as."""

    user_id: int
    group_id: int


class ServerProcess:
    """A server that runs from `start` to `stop`; `stop` is right at any moment, also in the middle of a `start` that was interrupted."""

    def __init__(self, name: str, command: Callable[[int], Sequence[str]], *, folder: Path, is_ready: Callable[[int], bool], account: Account | None = None) -> None:
        self.port = 0
        self._name = name
        self._command = command
        self._folder = folder
        self._is_ready = is_ready
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int | None:
        """The server's main process, or none where it was not started."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start on a free port and wait until the server is ready.

        Between choosing a free port and binding it another program may take it, so a server that ends for that reason is started again on another.
        """
        log = self._folder / "server.log"
        for _ in range(PORT_ATTEMPTS):
            self.port = free_port()
            with uninterrupted(), log.open("wb") as output:
                self._process = _spawn(self._command(self.port), self._folder, output, self._account)
            if self._becomes_ready(self._process):
                return
            self.stop()
            text = log.read_text(encoding="utf-8", errors="replace")
            if _PORT_TAKEN not in text.lower():
                raise ServerStartError(f"{self._name} did not start; its log ends: {_tail(text)}")
        raise ServerStartError(f"{self._name} found no free port on {LOOPBACK} in {PORT_ATTEMPTS} attempts; stop what takes them")

    def stop(self, *signals: signal.Signals) -> None:
        """Ask with each signal in turn, waiting up to ten seconds after each, then kill whatever is left of its session."""
        process = self._process
        if process is None:
            return
        for number in signals:
            if process.poll() is None:
                process.send_signal(number)
                _wait_for_end(process)
        _end_session(process)
        self._process = None

    def _becomes_ready(self, process: subprocess.Popen[bytes]) -> bool:
        until = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < until:
            if self._is_ready(self.port):
                return True
            time.sleep(_POLL_SECONDS)
        return False


def run_program(arguments: Sequence[str | Path], *, folder: Path, account: Account | None = None) -> None:
    """Run a program to its end; a failure raises ServerStartError with the end of what it said, an interruption ends all it had started."""
    log = folder / "program.log"
    process: subprocess.Popen[bytes] | None = None
    try:
        with uninterrupted(), log.open("wb") as output:
            process = _spawn([str(part) for part in arguments], folder, output, account)
        code = process.wait()
    finally:
        if process is not None:
            _end_session(process)
    if code != 0:
        raise ServerStartError(f"{Path(arguments[0]).name} failed with exit code {code}: {_tail(log.read_text(encoding='utf-8', errors='replace'))}")


def free_port() -> int:
    """A loopback TCP port that nothing listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _spawn(arguments: Sequence[str], folder: Path, output: IO[bytes], account: Account | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 # programs this package looked up, arguments it made
        list(arguments),
        cwd=folder,
        env=BARE_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C reaches the caller alone, which then stops its servers in order
        user=account.user_id if account else None,
        group=account.group_id if account else None,
        extra_groups=[] if account else None,
    )


def _wait_for_end(process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STOP_SECONDS
    while process.poll() is None and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)


def _end_session(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the session: usually nothing, after an interruption the programs that this one had started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(text: str) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-3:])
