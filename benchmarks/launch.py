"""Runs one command and prints what it cost as JSON: CPU seconds (user and system), wall seconds, peak memory.

A program of its own that imports next to nothing: the peak memory that Linux reports of a process is at least that of the process which started it.
"""

import json
import os
import sys
import time


def main(output: str, *command: str) -> None:
    """The command's stdout goes to the file `output`; its stderr is passed on."""
    target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    started = time.monotonic()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, target, 1)])
    _, status, used = os.wait4(process, 0)
    wall_seconds = time.monotonic() - started
    cost = {
        "exit_code": os.waitstatus_to_exitcode(status),
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "wall_seconds": wall_seconds,
        "peak_bytes": used.ru_maxrss * 1024,
    }
    sys.stdout.write(json.dumps(cost))


main(*sys.argv[1:])
