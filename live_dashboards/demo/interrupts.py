"""Ctrl-C and termination while servers are started and stopped: nothing may be lost between a process and the
name it is known by.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def uninterrupted(*, forget: bool = False) -> Iterator[None]:
    """Hold these signals back until the block is over; then deliver them, or forget them where the block was
    the taking down itself.

    Only the main thread gets signals in Python, so in any other this does nothing.
    """
    held: list[int] = []
    with _handlers(lambda number, _: held.append(number)):
        yield
    if held and not forget:
        signal.raise_signal(held[0])


@contextmanager
def termination_unwinds() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the program through its context managers, with exit code 128 + signal, as
    Ctrl-C does by itself.
    """
    with _handlers(_leave, ENDING[1:]):
        yield


@contextmanager
def _handlers(
    handler: Callable[[int, FrameType | None], object], numbers: tuple[signal.Signals, ...] = ENDING
) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in numbers}
    # one that is ignored stays ignored (nohup)
    caught = [number for number, known in before.items() if known not in {signal.SIG_IGN, None}]
    try:
        for number in caught:
            signal.signal(number, handler)
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
