"""Whatever ends the demo, at whatever moment, as root or not: no process and no file of it stays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
PROGRAM = """
import encodings.idna, numpy.random, os, sys, time
from live_dashboards.demo import demo, exposition, mlflow_rows, world
mlflow_rows.schema_statements()  # reads, as the next line, what a checkout below a folder that only its owner can enter would refuse later
exposition.exposition(world.World(0), world.INSTANCES[0], 60)
if sys.argv[1] == "plain" and os.geteuid() == 0:
    import pwd
    nobody = pwd.getpwnam("nobody")
    os.setgroups([]); os.setgid(nobody.pw_gid); os.setuid(nobody.pw_uid)
try:
    with demo.Demo(history_days=1.2) as running:
        print("up", os.geteuid(), *running.environment, flush=True)
        time.sleep(60 if sys.argv[2] == "wait" else 0)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A TMPDIR that every account can use, so that what stays is seen whoever made it."""
    place = Path(tempfile.mkdtemp(prefix="ld-", dir="/tmp"))
    place.chmod(0o1777)
    yield place
    shutil.rmtree(place)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    bare = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, env=bare, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def commands_below(folder: Path) -> list[str]:
    """The command lines of running programs that name the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended while we looked
        if str(folder) in line:
            found.append(line)
    return found


def wait_for(folder: Path, program: str) -> None:
    wait_until(lambda: any(Path(line.split(maxsplit=1)[0]).name == program for line in commands_below(folder)), f"{program}'s start")


def assert_nothing_stays(folder: Path) -> None:
    assert commands_below(folder) == []
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("account", ["own", "plain"])
def test_an_ordinary_end_leaves_nothing(folder: Path, account: str) -> None:
    with start(folder, account, "end") as program:
        said, complaints = program.communicate(timeout=120)
    assert program.returncode == 0, complaints
    word, user_id, *names = said.split()
    assert word == "up"
    assert {"MLFLOW_DB_HOST", "PROMETHEUS_URL"} <= set(names)
    assert (int(user_id) == 0) == (account == "own" and os.geteuid() == 0)
    assert_nothing_stays(folder)


@pytest.mark.parametrize("moment", ["initdb", "postgres", "promtool", "prometheus"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + 15)], ids=["ctrl-c", "terminated"])
def test_a_signal_at_any_moment_leaves_nothing(folder: Path, moment: str, number: signal.Signals, code: int) -> None:
    with start(folder, "own", "wait") as program:
        wait_for(folder, moment)
        program.send_signal(number)
        _, complaints = program.communicate(timeout=60)
    assert program.returncode == code, complaints
    assert_nothing_stays(folder)


@pytest.mark.parametrize("account", ["own", "plain"])
@pytest.mark.parametrize("moment", ["initdb", "postgres", "promtool", "prometheus"])
def test_a_demo_that_is_killed_leaves_nothing_either(folder: Path, account: str, moment: str) -> None:
    with start(folder, account, "wait") as program:
        wait_for(folder, moment)
        program.kill()
    wait_until(lambda: not commands_below(folder) and not list(folder.iterdir()), "the taking down")


def test_a_second_ctrl_c_does_not_stop_the_taking_down(folder: Path) -> None:
    with start(folder, "own", "wait") as program:
        wait_for(folder, "prometheus")
        for _ in range(3):
            program.send_signal(signal.SIGINT)
            time.sleep(0.05)
        _, complaints = program.communicate(timeout=60)
    assert program.returncode == 130, complaints
    assert_nothing_stays(folder)
