"""A temporary folder that a server's own account can enter, wherever the caller's TMPDIR lies; it goes with
the process at the latest.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from live_dashboards.demo.guard import Guard
from live_dashboards.demo.programs import BARE_ENVIRONMENT
from live_dashboards.demo.server_process import Account
from live_dashboards.errors import DashboardError

LONGEST_PATH = 70  # a Unix socket's path below the folder may have 107 bytes
_PREFIX = "live-dashboards-"
_REMOVE_SECONDS = 2.0
_guards: dict[Path, Guard] = {}  # of the folders that are there


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
            _guards[folder] = Guard.of_folder(folder)
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
