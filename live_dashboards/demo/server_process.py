"""One server as a child process: started on a free loopback port, waited for, stopped with everything it
started; in a temporary folder that its own account can enter, wherever the caller's TMPDIR lies.

What this process started ends with it, also where it is killed: a small shell waits for the end of this
process and then runs one command. On Ctrl-C and termination nothing may be lost between a process and the
name it is known by.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Self

from live_dashboards.demo.programs import BARE_ENVIRONMENT
from live_dashboards.errors import DashboardError

LOOPBACK = "127.0.0.1"
START_SECONDS = 120.0
STOP_SECONDS = 10.0

_POLL_SECONDS = 0.05
_LOG_LINES_COUNT = 3
STARTED: list[ServerProcess] = []
"""What this process has started and not stopped, in that order."""

LONGEST_PATH = 70  # a Unix socket's path below the folder may have 107 bytes
_PREFIX = "live-dashboards-"
_REMOVE_SECONDS = 2.0
_guards: dict[Path, Guard] = {}  # of the folders that are there

# A line says that all is over; the end of the pipe without one says that nobody is left to say so. Ctrl-C and
# a hang-up are this process' business.
_WAITING = 'trap "" HUP INT TERM; read -r over || "$@"'

# Several tries, since what was just killed may still be writing its last file.
_REMOVE = 'for _ in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- "$0" && break; sleep 1; done'

# SIGQUIT, at which PostgreSQL leaves no shared memory behind; what does not know it ends of it, and what
# blocks it is killed.
_END = (
    'kill -s QUIT -- "-$0"; for _ in 1 2 3 4 5 6 7 8 9 10; do kill -s 0 -- "-$0" || exit 0; sleep 0.5; '
    'done; kill -s KILL -- "-$0"'
)

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Running(ABC):
    """Runs from `start` to `stop`, as a context manager, too."""

    @abstractmethod
    def start(self) -> Self:
        """Begin."""

    @abstractmethod
    def stop(self) -> None:
        """End, and take away what was begun."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


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
            STARTED.append(self)
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
                    with suppress(subprocess.TimeoutExpired):
                        self._child.process.wait(STOP_SECONDS)
            self._child.end()
            self._child = None
            STARTED.remove(self)
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
    return Child(process, Guard(["/bin/sh", "-c", _END, str(process.pid)]))


def _tail(text: str) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-_LOG_LINES_COUNT:])


class WorkFolderError(DashboardError):
    """There is no place for the demo's data."""


def postgres_account() -> Account | None:
    """The account PostgreSQL must run as: none of its own for a plain user, `postgres` (else `nobody`) for
    root, whom PostgreSQL refuses.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise WorkFolderError(
        "PostgreSQL refuses to run as root and there is no account postgres or nobody; "
        "run this as a plain user"
    )


def make_work_folder(account: Account | None = None) -> Path:
    """A new folder below TMPDIR, /tmp or /var/tmp: the first of them where that account can write."""
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108 # mkdtemp makes the name and the mode safe
        folder = _new_folder(parent, account)
        if folder is not None:
            _guards[folder] = Guard(["/bin/sh", "-c", _REMOVE, os.fspath(folder)])
            return folder
    raise WorkFolderError("no temporary folder can be written; set TMPDIR to a folder that can")


def remove_work_folder(folder: Path) -> None:
    """Remove the folder; a process that was just killed may still be writing its last file, so this tries for
    two seconds.
    """
    until = time.monotonic() + _REMOVE_SECONDS
    while folder.exists() and time.monotonic() < until:
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        shutil.rmtree(folder)
    if folder in _guards:
        _guards.pop(folder).release()


def _new_folder(parent: str, account: Account | None) -> Path | None:
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    except OSError:
        return None
    if account is not None:
        os.chown(folder, account.user_id, account.group_id)
    if len(str(folder)) <= LONGEST_PATH and _can_write(folder, account):
        return folder
    shutil.rmtree(folder)
    return None


def _can_write(folder: Path, account: Account | None) -> bool:
    """Whether the account really can: a folder above it may be closed to others, and access lists are not in
    the mode.
    """
    if account is None:
        return os.access(folder, os.W_OK | os.X_OK)
    tried = subprocess.run(  # noqa: S603 # the shell, and a path this module made
        ["/bin/sh", "-c", 'cd "$1" && test -w .', "sh", str(folder)],
        cwd="/",
        env=BARE_ENVIRONMENT,
        stderr=subprocess.DEVNULL,
        check=False,
        user=account.user_id,
        group=account.group_id,
        extra_groups=[],
    )
    return tried.returncode == 0


class Guard:
    """Runs its command when this process has ended, unless it was released before."""

    def __init__(self, command: Sequence[str]) -> None:
        self._shell = subprocess.Popen(  # noqa: S603 # the shell, and a command this module made
            ["/bin/sh", "-c", _WAITING, "sh", *command],
            cwd="/",
            env=BARE_ENVIRONMENT,
            # whose other end no other child inherits: it closes when this process ends, however it ends
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def release(self) -> None:
        """Nothing is left to be taken down; harmless a second time."""
        if self._shell.returncode is None:
            self._shell.communicate(b"over\n")


@contextmanager
def uninterrupted(*, forget: bool = False) -> Iterator[None]:
    """Hold these signals back until the block is over; then deliver them, or forget them where the block was
    the taking down itself.

    Only the main thread gets signals in Python, so in any other this does nothing.
    """
    held: list[int] = []
    with _handlers(lambda number, _: held.append(number)):
        yield
    if held and not forget:
        signal.raise_signal(held[0])


@contextmanager
def termination_unwinds() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the program through its context managers, with exit code 128 + signal, as
    Ctrl-C does by itself.
    """
    with _handlers(_leave, ENDING[1:]):
        yield


@contextmanager
def _handlers(
    handler: Callable[[int, FrameType | None], object], numbers: tuple[signal.Signals, ...] = ENDING
) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in numbers}
    # one that is ignored stays ignored (nohup)
    caught = [number for number, known in before.items() if known not in {signal.SIG_IGN, None}]
    try:
        for number in caught:
            signal.signal(number, handler)
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
