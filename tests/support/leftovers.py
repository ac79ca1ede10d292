"""What a program left behind: processes and files of the temporary folder that it was given."""

from __future__ import annotations

import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def open_folder() -> Iterator[Path]:
    """A TMPDIR that every account can use, so that what stays is seen whoever made it, short enough for the sockets below it."""
    place = Path(tempfile.mkdtemp(prefix="ld-", dir="/tmp"))
    place.chmod(0o1777)
    yield place
    shutil.rmtree(place)


def running_below(folder: Path) -> dict[int, str]:
    """The command lines of running programs that name the folder, by process; what was killed and has only not had its turn to die is over."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in line and not is_pending(int(process.name), signal.SIGKILL):
                found[int(process.name)] = line
        except OSError:
            continue  # it ended while we looked
    return found


def is_pending(process_id: int, number: signal.Signals) -> bool:
    """Whether that signal was sent and not yet taken; a process that has ended takes none."""
    try:
        status = Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return False
    masks = re.findall(r"(?m)^(?:Sig|Shd)Pnd:\s*(\w+)", status)
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)
