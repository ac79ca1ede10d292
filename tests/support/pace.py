"""How slow this machine is, measured once at the start of a run, and what that means for tests of deadlines."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

STALL_SECONDS = 10.0  # what a test of a deadline forgives: a machine that stands still, a program that starts slowly
_LOOPS_COUNT = 400_000
_USUAL_SECONDS = 0.03  # what the work below takes where slowness is 1: the choice of a unit
_ROUNDS = 3

_slowness = 1


def measure() -> int:
    """How many times longer than usual this machine takes for what tests do most (to start programs, to compute): the median of three, rounded up, at least 1."""
    taken = sorted(_work_seconds() for _ in range(_ROUNDS))
    return max(1, math.ceil(taken[_ROUNDS // 2] / _USUAL_SECONDS))


def set_slowness(factor: int) -> None:
    """Use what was measured once for all processes of the run."""
    global _slowness  # noqa: PLW0603 # one machine, one value
    _slowness = factor


def slowness() -> int:
    """The measured factor of this run."""
    return _slowness


def scaled(seconds: float) -> float:
    """A timeout for something that must get done within it: so many seconds at the usual speed, as many times longer here."""
    return seconds * _slowness


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    """Fails where the block takes longer than a deadline of so many seconds explains, be the machine slow and stand still meanwhile."""
    began = time.monotonic()
    yield
    took, longest = time.monotonic() - began, seconds + scaled(STALL_SECONDS)
    assert took < longest, f"took {took:.1f} s for a deadline of {seconds:g} s (up to {longest:.1f} s on this machine)"


def _work_seconds() -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)
    sum(number * number for number in range(_LOOPS_COUNT))
    return time.monotonic() - began
