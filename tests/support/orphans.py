"""A process of the tests does not outlive the one that started it."""

from __future__ import annotations

import os
import select
import signal
import threading


def end_with(process_id: int) -> None:
    """Have this process killed when that one ends, however it ends; its own guards then end what it started.

    Not by PR_SET_PDEATHSIG, which the kernel forgets where a test acts as another user for a while.
    """
    try:
        followed = os.pidfd_open(process_id)
    except ProcessLookupError:
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        threading.Thread(target=_follow, args=(followed,), name="end-with-parent", daemon=True).start()


def _follow(followed: int) -> None:
    select.select([followed], [], [])  # readable once the process has ended
    os.kill(os.getpid(), signal.SIGKILL)
