"""One server as a child process: started on a free loopback port, waited for, stopped with everything it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server and the port it listens on."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def is_running(self) -> bool:
        """Whether the server's main process is there."""
        return self.process.poll() is None

    def stop(self, *signals: signal.Signals) -> None:
        """Ask with each signal in turn, waiting up to ten seconds after each, then kill whatever is left of its session."""
        for number in signals:
            if not self.is_running:
                break
            self.process.send_signal(number)
            self._wait(STOP_SECONDS)
        _kill_session(self.process.pid)
        self.process.wait()

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.is_running and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)


def start_server(
    name: str,
    command: Callable[[int], Sequence[str]],
    *,
    folder: Path,
    is_ready: Callable[[int], bool],
    port: int | None = None,
    account: Account | None = None,
) -> ServerProcess:
    """Start `command(port)` in `folder` and wait until it is ready.

    Between choosing a free port and binding it another program may take it, so a server that ends for that reason is started again on another.
    """
    log = folder / "server.log"
    for _ in range(PORT_ATTEMPTS):
        chosen = port or free_port()
        server = ServerProcess(name, _spawn(command(chosen), folder, log, account), chosen, log)
        if _wait_ready(server, is_ready):
            return server
        text = log.read_text(encoding="utf-8", errors="replace")
        if port is not None or _PORT_TAKEN not in text.lower():
            raise ServerStartError(f"{name} did not start; its log ends: {_tail(text)}")
    raise ServerStartError(f"{name} found no free port on {LOOPBACK} in {PORT_ATTEMPTS} attempts; stop what takes them")


def run_program(arguments: Sequence[str | Path], *, folder: Path, account: Account | None = None) -> str:
    """Run a program to its end and hand back its stdout; a failure raises ServerStartError with the end of what it said."""
    done = subprocess.run(  # noqa: S603 # programs this package looked up, arguments it made
        [str(part) for part in arguments],
        cwd=folder,
        env=BARE_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        user=account.user_id if account else None,
        group=account.group_id if account else None,
        extra_groups=[] if account else None,
    )
    if done.returncode != 0:
        raise ServerStartError(f"{Path(arguments[0]).name} failed with exit code {done.returncode}: {_tail(done.stderr or done.stdout)}")
    return done.stdout


def free_port() -> int:
    """A loopback TCP port that nothing listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _spawn(arguments: Sequence[str], folder: Path, log: Path, account: Account | None) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 # a server this package looked up, arguments it made
            list(arguments),
            cwd=folder,
            env=BARE_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then stops its servers in order
            user=account.user_id if account else None,
            group=account.group_id if account else None,
            extra_groups=[] if account else None,
        )


def _wait_ready(server: ServerProcess, is_ready: Callable[[int], bool]) -> bool:
    until = time.monotonic() + START_SECONDS
    try:
        while server.is_running and time.monotonic() < until:
            if is_ready(server.port):
                return True
            time.sleep(_POLL_SECONDS)
    except BaseException:
        server.stop()
        raise
    server.stop()
    return False


def _kill_session(leader_id: int) -> None:
    try:
        os.killpg(leader_id, signal.SIGKILL)
    except ProcessLookupError:
        return  # the usual case: all of them ended by themselves


def _tail(text: str) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-3:])
