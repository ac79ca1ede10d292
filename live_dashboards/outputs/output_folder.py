"""An output folder that several runs share: one writes at a time, and how many pictures are kept."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from live_dashboards.errors import OutputLockedError
from live_dashboards.model.dashboards import SIMULATED, STAMP, STEMS
from live_dashboards.outputs.files import explained

log = logging.getLogger(__name__)

_LONGEST_NAME_BYTES = 200
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
Undivided = Callable[[], contextlib.AbstractContextManager[None]]
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Limits:
    """How many of the newest pictures stay, and how old they may be; what either limit excludes goes."""

    count: int | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class _Stamped:
    """A file of a picture, the moment in its name, and whether that picture is simulated."""

    path: Path
    at: datetime
    is_simulated: bool


def remove_older(
    image: Path, dashboard: str, experiment_part: str, limits: Limits, now: datetime
) -> tuple[Path, ...]:
    """The files that were removed; never those of `image`, which was just written. Simulated pictures are
    counted apart, so that they push out no real one.

    A file that cannot be removed is told, and so is a folder that cannot be read.
    """
    try:
        found = tuple(_stamped(image.parent, dashboard, experiment_part))
    except OSError as error:
        log.warning(
            "nothing older was removed: %s cannot be read: %s; give this user the right to",
            image.parent,
            error.strerror,
        )
        return ()
    return tuple(
        file.path
        for file in _excess(found, limits, now)
        if file.path.stem != image.stem and _is_removed(file.path)
    )


def _stamped(folder: Path, dashboard: str, experiment_part: str) -> Iterator[_Stamped]:
    name = re.compile(
        rf"{STEMS[dashboard]}_(\d{{8}}_\d{{6}}){re.escape(experiment_part)}({SIMULATED})?\.(?:png|json|csv|md)",
        re.ASCII,
    )
    for path in sorted(folder.iterdir()):
        match = name.fullmatch(path.name)
        at = _moment(match[1]) if match else None
        if match and at and path.is_file() and not path.is_symlink():
            yield _Stamped(path, at, match[2] is not None)


def newest_summary(folder: Path, dashboard: str) -> Path | None:
    """The summary beside the newest stamped picture that is not simulated; None where there is none, or the
    folder cannot be read.
    """
    name = re.compile(rf"{STEMS[dashboard]}_\d{{8}}_\d{{6}}\.json", re.ASCII)
    try:
        names = [each for each in os.listdir(folder) if name.fullmatch(each)]  # noqa: PTH208 names alone
    except OSError:
        return None
    return folder / max(names) if names else None


def _moment(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _excess(found: Sequence[_Stamped], limits: Limits, now: datetime) -> Iterator[_Stamped]:
    for is_simulated in (False, True):
        files = [file for file in found if file.is_simulated is is_simulated]
        newest = sorted({file.at for file in files}, reverse=True)[: limits.count]
        oldest = now - timedelta(days=limits.days) if limits.days is not None else None
        yield from (
            file for file in files if file.at not in newest or (oldest is not None and file.at < oldest)
        )


def _is_removed(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning(
            "%s is too old but cannot be removed: %s; remove it, or give this user the right to",
            path,
            error.strerror,
        )
        return False
    return True


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
        raise OutputLockedError(
            f"{output.name} is being written by another run{_holder(descriptor)}; nothing was done: "
            "let it end, or choose another path with --output"
        ) from None
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
