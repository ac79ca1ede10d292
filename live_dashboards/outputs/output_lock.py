"""Keeps two runs of the same output apart, by a lock that ends with its holder, however that one ends.

The lock is flock's on a hidden file; the file is removed with the lock, and one that a killed run left behind
locks nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from live_dashboards.errors import OutputLockedError
from live_dashboards.model.file_names import STEMS
from live_dashboards.outputs.files import explained

_LONGEST_NAME_BYTES = 200
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
Undivided = Callable[[], contextlib.AbstractContextManager[None]]
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Output:
    """What one run at a time may write: its name for the reader, and the hidden file that stands for it."""

    name: str
    lock: Path


def named_output(path: Path) -> Output:
    """The file of that name; a link and its file are one output."""
    target = Path(os.path.realpath(path))
    name = target.name
    if len(os.fsencode(name)) > _LONGEST_NAME_BYTES:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return Output(str(path), target.with_name(f".{name}.lock"))


def stamped_output(folder: Path, dashboard: str) -> Output:
    """All stamped pictures of a dashboard in that folder."""
    return Output(f"{folder / STEMS[dashboard]}_….png", folder / f".{STEMS[dashboard]}.lock")


@contextlib.contextmanager
def locked(outputs: Iterable[Output], undivided: Undivided = contextlib.nullcontext) -> Iterator[None]:
    """Holds the outputs for this run; OutputLockedError where another run holds one of them, OutputError
    where there can be no such file.

    What ends a run early waits while `undivided` is open: a lock is taken in it, and left.
    """
    with contextlib.ExitStack() as held:
        for output in sorted(outputs):
            held.enter_context(_locked(output, undivided))
        yield


@contextlib.contextmanager
def _locked(output: Output, undivided: Undivided) -> Iterator[None]:
    descriptor = None
    try:
        with undivided():  # else a run that is ended here would leave the file that it has just made
            descriptor = _take(output)
        yield
    finally:
        if descriptor is not None:
            with undivided():
                _leave(descriptor, output)


def _take(output: Output) -> int:
    """The locked file; anew where its last holder removed it while this one opened it."""
    while True:
        descriptor = _open(output)
        try:
            _flock(descriptor, output)
            if _is_still(descriptor, output.lock):
                _sign(descriptor)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _leave(descriptor: int, output: Output) -> None:
    # a folder that takes no more changes keeps the empty file, which locks nothing
    with contextlib.suppress(OSError):
        output.lock.unlink()
    os.close(descriptor)


def _open(output: Output) -> int:
    try:
        output.lock.parent.mkdir(parents=True, exist_ok=True)
        return os.open(output.lock, os.O_RDWR | os.O_CREAT | _FLAGS, 0o666)
    except OSError as error:
        with contextlib.suppress(OSError):
            # another user's, which can be locked all the same
            return os.open(output.lock, os.O_RDONLY | _FLAGS)
        raise explained(Path(output.name), error) from error


def _flock(descriptor: int, output: Output) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        message = (
            f"{output.name} is being written by another run{_holder(descriptor)}; nothing was done: "
            "let it end, or choose another path with --output"
        )
        raise OutputLockedError(message) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise explained(Path(output.name), error) from error
        log.warning(
            "the file system of %s has no locks (%s): two runs at a time are not kept apart; write "
            "to a local disk",
            output.lock.parent,
            error.strerror,
        )


def _is_still(descriptor: int, lock: Path) -> bool:
    """Whether the path still leads to the file that was opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), lock.lstat())
    except FileNotFoundError:
        return False


def _sign(descriptor: int) -> None:
    """Writes down who holds it; nothing depends on it."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _holder(descriptor: int) -> str:
    with contextlib.suppress(OSError):
        text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        if text.isdecimal():
            return f" (process {text})"
    return ""
