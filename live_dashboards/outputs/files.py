"""Writes a file as a whole or not at all, and several of them all or none; why one cannot be written is a
sentence with what the reader can do.

Which kinds of picture can be written is told without loading what draws them. Beside a stamped picture stand
stable names: `live_ab_dashboard_latest.png` is the newest one that is not simulated, with its summary and
sidecars.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import BinaryIO

from live_dashboards.errors import OutputError, UsageError

_BESIDE = (".json", ".csv", ".md")

SUFFIXES = (".png", ".pdf", ".svg")

OF_PICTURES = "--output or DASHBOARD_OUTPUT_DIR"
_RIGHTS = (
    "this user may not write in its folder",
    "give it the right to, or choose another path with {option}",
)
_NO_FOLDER = ("a part of its path is a file, not a folder", "choose another path with {option}")
_ROOM = "free some space, or choose another path with {option}"
_EXPLANATIONS = {
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: ("its file system is read-only", "mount it writable, or choose another path with {option}"),
    errno.ENOSPC: ("the disk is full", _ROOM),
    errno.EDQUOT: ("the disk quota is used up", _ROOM),
    errno.EFBIG: ("it grows above the file size limit", "raise the limit (ulimit -f)"),
    errno.ENAMETOOLONG: ("its name is too long", "choose a shorter one with {option}"),
    errno.ENOENT: ("its folder takes no files", "choose another path with {option}"),
    errno.ENOTDIR: _NO_FOLDER,
    errno.EEXIST: _NO_FOLDER,
    errno.ELOOP: ("its links lead in a circle", "remove the link"),
    errno.EISDIR: ("it is a folder", "add a file name to the path of {option}"),
}


@dataclass(frozen=True, slots=True)
class NewFile:
    """What the path, which the option chooses, is to hold; a link that is there is followed, or replaced
    where it may be.
    """

    path: Path
    content: bytes | memoryview
    option: str = OF_PICTURES
    is_link_replaced: bool = False


def write_files(files: Sequence[NewFile], outdated: Sequence[Path] = ()) -> None:
    """Writes all of them or none: first each as a temporary file in its folder, then removes what is outdated
    and renames each, in this order.

    Whatever keeps a file from being written (rights, room, a folder or a device in its place) shows before
    the first one is renamed. What is left is a rename that fails although the same folder has just taken the
    temporary file, as where the disk breaks or the process is ended between two of them: then the files
    before it are new and the others old. OutputError names the file.
    """
    with contextlib.ExitStack() as temporaries:
        ready = [
            temporaries.enter_context(
                _filled(
                    file.path,
                    methodcaller("write", file.content),
                    file.option,
                    is_link_replaced=file.is_link_replaced,
                )
            )
            for file in files
        ]
        for path in outdated:
            _remove(path)
        for rename in ready:
            rename()


def write_file(
    path: Path, write: Callable[[BinaryIO], object], *, mode: int | None = None, option: str = OF_PICTURES
) -> None:
    """Lets `write` fill a temporary file in the same folder, then renames it: the path holds the old file or
    the whole new one, never a part.

    Missing folders are created; a link is followed and stays one; a replaced file hands on its rights, unless
    `mode` gives others. OutputError says what to do, by the `option` that chooses the path.
    """
    with _filled(path, write, option, mode=mode) as rename:
        rename()


def text_bytes(text: str) -> bytes:
    """The text as UTF-8; what UTF-8 cannot hold is escaped."""
    return text.encode("utf-8", "backslashreplace")


def _target(path: Path, option: str) -> Path:
    """Where the file really goes, in a folder that now exists; only what is a plain, writable file may be
    replaced.
    """
    if "\0" in str(path):
        raise OutputError(
            f"{str(path)!r} cannot be written: its name holds a NUL character; choose "
            f"another one with {option}"
        )
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink():
        raise OSError(errno.ELOOP, "loop")
    if target.is_dir():
        raise OSError(errno.EISDIR, "folder")
    if target.exists():
        _refuse_irreplaceable(path, target, option)
    return target


def _refuse_irreplaceable(path: Path, target: Path, option: str) -> None:
    if not target.is_file():
        raise OutputError(
            f"{path} cannot be written: it is a device or a pipe, not a file; choose another "
            f"path with {option}"
        )
    if not target.stat().st_mode & 0o222 or not os.access(target, os.W_OK):
        raise OutputError(
            f"{path} cannot be written: the file that is there is write-protected; remove "
            f"it, or choose another path with {option}"
        )
    folder = target.parent.stat()
    if folder.st_mode & stat.S_ISVTX and os.geteuid() not in {0, folder.st_uid, target.stat().st_uid}:
        raise OutputError(
            f"{path} cannot be written: the file that is there is another user's, in a "
            f"sticky folder; choose another path with {option}"
        )


@contextlib.contextmanager
def _filled(
    path: Path,
    write: Callable[[BinaryIO], object],
    option: str,
    *,
    mode: int | None = None,
    is_link_replaced: bool = False,
) -> Iterator[Callable[[], None]]:
    """A whole temporary file for the path, and what renames it; it does not outlive this."""
    with explaining(path, option):
        target = path if is_link_replaced and path.is_symlink() else _target(path, option)
        temporary = target.with_name(f".live-dashboards-{secrets.token_hex(8)}.tmp")
    try:
        with explaining(path, option):
            _fill(temporary, target, write, mode)
        yield partial(_rename, temporary, target, path, option)
    finally:
        with contextlib.suppress(OSError):  # it was renamed, or its folder takes no changes
            temporary.unlink()


def _fill(temporary: Path, target: Path, write: Callable[[BinaryIO], object], mode: int | None) -> None:
    with temporary.open("xb") as stream:
        if mode is not None:
            os.fchmod(stream.fileno(), mode)
        elif target.is_file() and not target.is_symlink():
            os.fchmod(stream.fileno(), target.stat().st_mode & 0o777)
        write(stream)
        stream.flush()
        os.fsync(stream.fileno())


def _rename(temporary: Path, target: Path, path: Path, option: str) -> None:
    with explaining(path, option):
        temporary.replace(target)


def _remove(path: Path) -> None:
    """Removes a file or a link; what else is there stays."""
    with explaining(path, OF_PICTURES):
        if path.is_symlink() or path.is_file():
            path.unlink()


def latest_files(path: Path, files: Mapping[str, bytes | memoryview]) -> list[NewFile]:
    """Each file by suffix under the name of that picture, which is the last; real files, also where a link
    was.
    """
    suffixes = (*(suffix for suffix in _BESIDE if suffix in files), path.suffix)
    return [NewFile(path.with_suffix(suffix), files[suffix], is_link_replaced=True) for suffix in suffixes]


def outdated(path: Path, files: Mapping[str, bytes | memoryview]) -> list[Path]:
    """What an earlier picture may have left beside that name, and the new one does not replace."""
    return [path.with_suffix(suffix) for suffix in _BESIDE if suffix not in files]


def check_output_path(path: Path) -> None:
    """UsageError where the path's suffix is of no kind of picture that can be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{str(path)!r} does not end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}; "
            "choose one of these suffixes"
        )


def explained(path: Path, error: OSError, option: str = OF_PICTURES) -> OutputError:
    """The error of that path, which the option chooses, as one sentence with what the reader can do."""
    cause, fix = _EXPLANATIONS.get(
        error.errno or 0, (error.strerror or str(error), "choose another path with {option}")
    )
    return OutputError(f"{path} cannot be written: {cause}; {fix.format(option=option)}")


@contextlib.contextmanager
def explaining(path: Path, option: str) -> Iterator[None]:
    """Raises what the system says of that path as an OutputError."""
    try:
        yield
    except OSError as error:
        raise explained(path, error, option) from error
