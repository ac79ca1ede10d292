"""Runs that nobody watches: they do not collide, end in time, and leave nothing half-written however they end."""

import signal
import time

import pytest

from tests.pipeline.command import at
from tests.support.pace import ends_within
from tests.support.waiting import LONGEST_SECONDS, wait_until

SMALL = ("--dpi", "50")


def visible(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != ".env.live-dashboards")


def hanging(worlds, fault_proxy):
    proxy = fault_proxy(worlds.environment["MLFLOW_DB_HOST"], int(worlds.environment["MLFLOW_DB_PORT"]))
    proxy.hang()
    return {"MLFLOW_DB_HOST": proxy.host, "MLFLOW_DB_PORT": str(proxy.port), "SOURCE_TIMEOUT_SECONDS": "600"}


def wait_for_lock(path, process):
    """Until the process holds it: it signs it then."""
    wait_until(lambda: path.exists() and path.read_text() == f"{process.pid}\n", f"the lock {path}")


@pytest.mark.parametrize(
    ("first", "second", "lock"),
    [
        (("ab",), ("ab",), "output/.live_ab_dashboard.lock"),
        (("all",), ("business",), "output/.business_impact_dashboard.lock"),
        (("business", "--output", "page.png"), ("ab", "--output", "page.png"), ".page.png.lock"),
    ],
)
def test_a_second_run_of_an_output_does_nothing_and_says_so_at_once(run, start, worlds, fault_proxy, tmp_path, *, first, second, lock):
    running = start(*first, *SMALL, **hanging(worlds, fault_proxy))
    wait_for_lock(tmp_path / lock, running)
    if first == ("all",):
        wait_for_lock(tmp_path / "output/.live_ab_dashboard.lock", running)  # it takes one lock after the other
    before = visible(tmp_path)
    with ends_within(0):
        code, out, err = run(*second, *SMALL)
    assert (code, out, err.count("\n"), visible(tmp_path)) == (1, "", 1, before)
    assert f"being written by another run (process {running.pid})" in err
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert run(*second, *SMALL, *at(worlds))[0] == 0
    assert not (tmp_path / lock).exists()


def test_a_run_ends_at_its_deadline_while_a_source_hangs(start, worlds, fault_proxy, tmp_path):
    running = start("ab", *SMALL, RUN_TIMEOUT_SECONDS="1.5", **hanging(worlds, fault_proxy))
    out, err = running.communicate(timeout=LONGEST_SECONDS)
    assert (running.returncode, out, err.count("\n")) == (1, "", 1)
    assert "not over after 1.5 s" in err
    assert visible(tmp_path) == []


OVER_WHILE_IT_DRAWS = """
import signal, sys
from live_dashboards.app.cli import main
from live_dashboards.outputs import image

def drawn(*arguments, draw=image._drawn):
    signal.setitimer(signal.ITIMER_REAL, 0.3, 3)
    return draw(*arguments)

image._drawn = drawn
sys.exit(main(sys.argv[1:]))
"""


def test_a_run_ends_at_its_deadline_while_it_draws(start, tmp_path):
    running = start("ab", "--simulate", "--dpi", "1000", "-v", program=("-c", OVER_WHILE_IT_DRAWS), RUN_TIMEOUT_SECONDS="600")
    out, err = running.communicate(timeout=LONGEST_SECONDS)
    assert (running.returncode, out) == (1, "")
    assert "not over after 600 s" in err
    assert "in draw\n" in err, err  # the traceback of -v shows where it was
    assert visible(tmp_path) == []


@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.8, 1.3, 1.8, 2.4])
def test_sigterm_at_any_moment_leaves_all_of_a_picture_or_nothing_and_no_lock(start, worlds, tmp_path, seconds):
    running = start("ab", "--sidecars", "--dpi", "150", *at(worlds))
    lock = tmp_path / "output/.live_ab_dashboard.lock"
    wait_until(lambda: lock.exists() or running.poll() is not None, "the lock, or the end of all")
    time.sleep(seconds)
    running.terminate()
    _, err = running.communicate(timeout=LONGEST_SECONDS)
    found = {name.rpartition(".")[2] for name in visible(tmp_path)}
    assert "Traceback" not in err
    assert running.returncode == 143 or found, err
    assert found in ({"png", "json", "csv", "md"}, set())


ENDED_AT_ITS_LOCK = """
import os, signal, sys
from live_dashboards.app.cli import main
from live_dashboards.outputs import output_folder

step = sys.argv.pop(1)

def ended(*arguments, take=getattr(output_folder, step)):
    os.kill(os.getpid(), signal.SIGTERM)
    return take(*arguments)

setattr(output_folder, step, ended)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("step", ["_take", "_open", "_flock", "_is_still", "_sign", "_leave"])
def test_sigterm_while_the_lock_is_taken_or_left_leaves_none(start, tmp_path, step):
    running = start("ab", "--simulate", *SMALL, program=("-c", ENDED_AT_ITS_LOCK, step))
    _, err = running.communicate(timeout=LONGEST_SECONDS)
    assert (running.returncode, err) == (143, "")
    assert {name.rpartition(".")[2] for name in visible(tmp_path)} == ({"png", "json"} if step == "_leave" else set())


@pytest.mark.parametrize("value", ["0", "-1", "soon", "inf", "1e12"])
def test_a_deadline_that_is_none_is_a_usage_error(run, value):
    code, out, err = run("ab", *SMALL, RUN_TIMEOUT_SECONDS=value)
    assert (code, out) == (2, "")
    assert "RUN_TIMEOUT_SECONDS" in err
