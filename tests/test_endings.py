"""A run that ends early unwinds, but never in the middle of what belongs together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from live_dashboards.app import endings
from live_dashboards.app.endings import deadline, ending_cleanly_on, undivided
from live_dashboards.errors import DeadlineError
from tests.support.pace import ends_within

ROOT = Path(__file__).parents[1]
LONG_SECONDS = 600.0


@pytest.fixture(autouse=True)
def own_handlers():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)
    yield
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def spend(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_work_and_waiting_end_at_the_deadline() -> None:
    for block in (lambda: spend(LONG_SECONDS), threading.Event().wait, lambda: time.sleep(LONG_SECONDS)):
        with ends_within(0.1), pytest.raises(DeadlineError, match=r"0\.1 s .* RUN_TIMEOUT_SECONDS"), deadline(0.1):
            block()


def test_a_run_in_time_and_one_without_a_limit_notice_nothing() -> None:
    left = []
    for seconds in (LONG_SECONDS, None):
        with deadline(seconds):
            left.append(signal.getitimer(signal.ITIMER_REAL)[0])
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert LONG_SECONDS / 2 < left[0] <= LONG_SECONDS
    assert left[1] == 0.0


def test_elsewhere_than_in_the_main_thread_there_is_no_deadline() -> None:
    ended = []

    def work() -> None:
        with deadline(0.05):
            time.sleep(0.2)
            ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == [True]


def test_what_is_undivided_is_finished_first() -> None:
    written = []

    def write() -> None:
        with undivided():
            signal.raise_signal(signal.SIGALRM)  # as the deadline does
            written.append("all")

    with pytest.raises(DeadlineError), deadline(LONG_SECONDS):
        write()
    assert written == ["all"]


def test_sigterm_leaves_through_every_finally_when_the_files_are_whole() -> None:
    steps = []

    def write() -> None:
        with ending_cleanly_on(signal.SIGTERM), undivided():
            os.kill(os.getpid(), signal.SIGTERM)
            steps.append("written")

    with pytest.raises(SystemExit, match="143"):
        write()
    assert steps == ["written"]
    with pytest.raises(SystemExit, match="143"), ending_cleanly_on(signal.SIGTERM):
        os.kill(os.getpid(), signal.SIGTERM)


def test_an_error_while_writing_is_told_before_the_signal() -> None:
    def write() -> None:
        with ending_cleanly_on(signal.SIGTERM), undivided():
            os.kill(os.getpid(), signal.SIGTERM)
            raise ValueError("disk")

    with pytest.raises(ValueError, match="disk"):
        write()
    with undivided():
        pass


class Dropping:
    """Python ignores what is raised in here."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)


def test_a_signal_that_python_drops_comes_again_at_once_and_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        with ending_cleanly_on(signal.SIGTERM):
            Dropping()
            spend(LONG_SECONDS)

    monkeypatch.setattr(endings, "_AGAIN_SECONDS", LONG_SECONDS)
    with ends_within(endings._SOON_SECONDS), pytest.raises(SystemExit, match="143"):
        work()


def test_sigterm_within_a_deadline_stays_a_sigterm() -> None:
    with pytest.raises(SystemExit, match="143"), ending_cleanly_on(signal.SIGTERM), deadline(LONG_SECONDS):
        os.kill(os.getpid(), signal.SIGTERM)


def test_compiled_modules_are_imported_whole_before_the_deadline_ends_the_run() -> None:
    code = (
        "import signal, sys\n"
        "from live_dashboards.app.endings import deadline\n"
        "from live_dashboards.errors import DeadlineError\n"
        "from live_dashboards.app.pipeline import load_drawing\n"
        "class AtNumpy:\n"
        "    def find_spec(name, *_):\n"
        "        if name == 'numpy':\n"
        "            signal.raise_signal(signal.SIGALRM)\n"
        "sys.meta_path.insert(0, AtNumpy)\n"
        "try:\n"
        "    with deadline(600):\n"
        "        load_drawing()\n"
        "except DeadlineError:\n"
        "    print('ended', 'live_dashboards.draw.png.dashboard' in sys.modules, 'numpy' in sys.modules)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ended True True\n", "")
