"""Why a file cannot be written, as one sentence with what the reader can do."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from live_dashboards.errors import OutputError

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
