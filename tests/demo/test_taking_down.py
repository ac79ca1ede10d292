"""Whatever ends the demo, at whatever moment, as root or not: no process and no file of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.engines import named_engines
from tests.support.leftovers import is_pending, open_folder, running_below
from tests.support.waiting import LONGEST_SECONDS, wait_until

ROOT = Path(__file__).parents[2]
MOMENTS = ("initdb", "postgres", "promtool", "prometheus")  # the programs in the order in which they start
PROGRAM = """
import encodings.idna, numpy.random, os, sys, time
from live_dashboards.demo import demo, exporter, mlflow_rows, world
mlflow_rows.schema_statements()  # reads, as the next line, what a checkout below a folder that only its owner can enter would refuse later
exporter.exposition(world.World(0), world.INSTANCES[0], 60)
if sys.argv[1] == "plain" and os.geteuid() == 0:
    import pwd
    nobody = pwd.getpwnam("nobody")
    os.setgroups([]); os.setgid(nobody.pw_gid); os.setuid(nobody.pw_uid)
try:
    with demo.Demo(history_days=1.2) as running:
        print("up", os.geteuid(), *running.environment, flush=True)
        time.sleep(600 if sys.argv[2] == "wait" else 0)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as place:
        yield place


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    bare = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **named_engines()}
    goes_with_us = ("setpriv", "--pdeathsig", "KILL")
    heeds_ctrl_c = ("env", "--default-signal=INT")  # a shell's background job, such as these tests may be, ignores it
    program = [*goes_with_us, *heeds_ctrl_c, sys.executable, "-c", PROGRAM]
    return subprocess.Popen([*program, *arguments], cwd=ROOT, env=bare, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(folder: Path, moment: str) -> int:
    """Until that program runs, or one that starts after it, since a busy machine may not let us look in time; its process."""
    programs = MOMENTS[MOMENTS.index(moment) :]

    def started() -> list[int]:
        return [process_id for process_id, line in running_below(folder).items() if Path(line.split(maxsplit=1)[0]).name in programs]

    return wait_until(started, f"{moment}'s start")[0]


def assert_nothing_stays(folder: Path) -> None:
    assert running_below(folder) == {}
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("account", ["own", "plain"])
def test_an_ordinary_end_leaves_nothing(folder: Path, account: str) -> None:
    with start(folder, account, "end") as program:
        said, complaints = program.communicate(timeout=LONGEST_SECONDS)
    assert program.returncode == 0, complaints
    word, user_id, *names = said.split()
    assert word == "up"
    assert {"MLFLOW_DB_HOST", "PROMETHEUS_URL"} <= set(names)
    assert (int(user_id) == 0) == (account == "own" and os.geteuid() == 0)
    assert_nothing_stays(folder)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + 15)], ids=["ctrl-c", "terminated"])
def test_a_signal_at_any_moment_leaves_nothing(folder: Path, moment: str, number: signal.Signals, code: int) -> None:
    with start(folder, "own", "wait") as program:
        wait_for(folder, moment)
        program.send_signal(number)
        _, complaints = program.communicate(timeout=LONGEST_SECONDS)
    assert program.returncode == code, complaints
    assert_nothing_stays(folder)


@pytest.mark.parametrize("account", ["own", "plain"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_demo_that_is_killed_leaves_nothing_either(folder: Path, account: str, moment: str) -> None:
    with start(folder, account, "wait") as program:
        wait_for(folder, moment)
        program.kill()
    wait_until(lambda: not running_below(folder) and not list(folder.iterdir()), "the taking down")


@pytest.mark.parametrize(("moment", "further_count"), [("starting", 1), ("up", 3)])
def test_a_second_ctrl_c_does_not_stop_the_taking_down(folder: Path, moment: str, further_count: int) -> None:
    with start(folder, "own", "wait") as program:
        prometheus = wait_for(folder, "prometheus")
        assert moment == "starting" or (program.stdout is not None and program.stdout.readline().startswith("up "))
        os.kill(prometheus, signal.SIGSTOP)  # holds the taking down where it waits for this program's end
        program.send_signal(signal.SIGINT)
        wait_until(lambda: is_pending(prometheus, signal.SIGTERM) or prometheus not in running_below(folder), "the beginning of the taking down")
        for _ in range(further_count if is_pending(prometheus, signal.SIGTERM) else 0):
            program.send_signal(signal.SIGINT)
            wait_until(lambda: not is_pending(program.pid, signal.SIGINT), "its arrival")
        with suppress(ProcessLookupError):
            os.kill(prometheus, signal.SIGCONT)
        _, complaints = program.communicate(timeout=LONGEST_SECONDS)
    assert program.returncode == 130, complaints
    assert_nothing_stays(folder)
