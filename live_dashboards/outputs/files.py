"""Writes a file as a whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from live_dashboards.errors import OutputError

OF_PICTURES = "--output or DASHBOARD_OUTPUT_DIR"
_RIGHTS = ("this user may not write in its folder", "give it the right to, or choose another path with {option}")
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


def write_file(path: Path, write: Callable[[BinaryIO], object], *, mode: int | None = None, option: str = OF_PICTURES) -> None:
    """Lets `write` fill a temporary file in the same folder, then renames it: the path holds the old file or the whole new one, never a part.

    Missing folders are created; a link is followed and stays one; a replaced file hands on its rights, unless `mode` gives others.
    OutputError says what to do, by the `option` that chooses the path.
    """
    try:
        target = _target(path, option)
        _write_and_rename(target, write, mode)
    except OSError as error:
        raise explained(path, error, option) from error


def replace_file(path: Path, content: bytes | memoryview) -> None:
    """Puts a whole new file at the path; a link that is there is replaced, and what it leads to stays."""
    try:
        if not path.is_symlink():
            _target(path, OF_PICTURES)
        _write_and_rename(path, lambda stream: stream.write(content))
    except OSError as error:
        raise explained(path, error) from error


def text_bytes(text: str) -> bytes:
    """The text as UTF-8; what UTF-8 cannot hold is escaped."""
    return text.encode("utf-8", "backslashreplace")


def explained(path: Path, error: OSError, option: str = OF_PICTURES) -> OutputError:
    """The error of that path, which the option chooses, as one sentence with what the reader can do."""
    cause, fix = _EXPLANATIONS.get(error.errno or 0, (error.strerror or str(error), "choose another path with {option}"))
    return OutputError(f"{path} cannot be written: {cause}; {fix.format(option=option)}")


def _target(path: Path, option: str) -> Path:
    """Where the file really goes, in a folder that now exists; only what is a plain, writable file may be replaced."""
    if "\0" in str(path):
        raise OutputError(f"{str(path)!r} cannot be written: its name holds a NUL character; choose another one with {option}")
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
        raise OutputError(f"{path} cannot be written: it is a device or a pipe, not a file; choose another path with {option}")
    if not target.stat().st_mode & 0o222 or not os.access(target, os.W_OK):
        raise OutputError(f"{path} cannot be written: the file that is there is write-protected; remove it, or choose another path with {option}")


def _write_and_rename(target: Path, write: Callable[[BinaryIO], object], mode: int | None = None) -> None:
    temporary = _temporary(target)
    try:
        with temporary.open("xb") as stream:
            if mode is not None:
                os.fchmod(stream.fileno(), mode)
            elif target.is_file() and not target.is_symlink():
                os.fchmod(stream.fileno(), target.stat().st_mode & 0o777)
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(target: Path) -> Path:
    return target.with_name(f".live-dashboards-{secrets.token_hex(8)}.tmp")
