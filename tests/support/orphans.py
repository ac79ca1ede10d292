"""A process of the tests does not outlive the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def end_with_parent() -> None:
    """Have this process killed when its parent ends, however that ends; its own guards then end what it started."""
    parent_id = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent_id:
        os.kill(os.getpid(), signal.SIGKILL)
