"""A run of these tests itself: what a failure shows, and what is left of a run that is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.engines import named_engines
from tests.support.leftovers import open_folder, running_below
from tests.support.waiting import LONGEST_SECONDS, wait_until

ROOT = Path(__file__).parents[1]
PROGRAM = """
import os, sys, time

def test_it(standard_prometheus, postgres):
    with __import__("contextlib").closing(postgres.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("do $$ begin raise log 'said by the server'; end $$")
    if {is_failing}:
        raise AssertionError
    if os.geteuid() == 0:  # as some tests do; the kernel then forgets who is to end with whom
        os.seteuid(65534)
        os.seteuid(0)
    open({up!r}, "w").close()
    time.sleep(600)
"""


@pytest.fixture
def folder():
    with open_folder() as place:
        yield place


def start(folder, processes_count, *, is_failing):
    (folder / "test_it.py").write_text(PROGRAM.format(is_failing=is_failing, up=str(folder / "up")))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-n",
        str(processes_count),
        f"--rootdir={folder}",
        "-c",
        ROOT / "pyproject.toml",
        folder / "test_it.py",
    ]
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "PYTHONPATH": str(ROOT), **named_engines()}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)


def left_below(folder):
    return [*running_below(folder).values(), *folder.glob("live-dashboards-*")]


@pytest.mark.parametrize("processes_count", [0, 1])
def test_a_failure_shows_what_the_servers_said(folder, processes_count):
    with start(folder, processes_count, is_failing=True) as run:
        said, _ = run.communicate(timeout=LONGEST_SECONDS)
    assert run.returncode == 1
    assert "slowness: " in said
    assert said.index("log of Prometheus on port") < said.index("log of PostgreSQL on port") < said.index("LOG:  said by the server")
    assert left_below(folder) == []


@pytest.mark.parametrize("processes_count", [0, 1])
def test_a_run_that_is_killed_leaves_no_server_and_no_folder(folder, processes_count):
    with start(folder, processes_count, is_failing=False) as run:
        wait_until((folder / "up").exists, "the test")
        assert len(left_below(folder)) > 3
        os.kill(run.pid, signal.SIGKILL)
        wait_until(lambda: not left_below(folder), "the taking down")
