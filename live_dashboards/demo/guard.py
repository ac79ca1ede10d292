"""What this process started ends with it, also where it is killed: a small shell waits for the end of this
process and then runs one command.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from live_dashboards.demo.programs import BARE_ENVIRONMENT

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

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """Removes the folder with all that is in it."""
        return cls(["/bin/sh", "-c", _REMOVE, os.fspath(folder)])

    @classmethod
    def of_group(cls, group_id: int) -> Self:
        """Ends all processes of that group, within five seconds."""
        return cls(["/bin/sh", "-c", _END, str(group_id)])

    def release(self) -> None:
        """Nothing is left to be taken down; harmless a second time."""
        if self._shell.returncode is None:
            self._shell.communicate(b"over\n")
