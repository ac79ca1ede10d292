"""Prints results on stdout, which may be closed, full, or a pipe whose reader has gone."""

from __future__ import annotations

import contextlib
import os
import sys

from live_dashboards.errors import OutputError


def say(text: str) -> None:
    """Prints the text at once. A reader that has gone has seen enough, so that is quiet; OutputError where it
    cannot be printed for any other reason.
    """
    if not text:
        return
    if sys.stdout is None:  # as Python has it where stdout is closed
        raise OutputError(_told("it is closed"))
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_the_rest()
    except OSError as error:
        _drop_the_rest()
        raise OutputError(_told(error.strerror or str(error))) from error


def _told(cause: str) -> str:
    return (
        f"the result cannot be printed on stdout: {cause}; let it lead to a terminal, a pipe or a file "
        "that has room"
    )


def _drop_the_rest() -> None:
    """What is held back, and all that follows, goes nowhere: Python would try again as it ends, and complain
    in words and exit code of its own.
    """
    # an stdout that is no file of the system holds nothing back
    with contextlib.suppress(OSError, ValueError):
        stdout, nowhere = sys.stdout.fileno(), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stdout)
        os.close(nowhere)
