"""Runs that nobody watches: they do not collide, end in time, and leave nothing half-written however they end."""

import signal
import time

import pytest

from tests.pipeline.command import at

SMALL = ("--dpi", "50")


def visible(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != ".env.live-dashboards")


def hanging(worlds, fault_proxy):
    proxy = fault_proxy(worlds.environment["MLFLOW_DB_HOST"], int(worlds.environment["MLFLOW_DB_PORT"]))
    proxy.hang()
    return {"MLFLOW_DB_HOST": proxy.host, "MLFLOW_DB_PORT": str(proxy.port), "SOURCE_TIMEOUT_SECONDS": "60"}


def wait_for(path):
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.01)


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
    wait_for(tmp_path / lock)
    if first == ("all",):
        wait_for(tmp_path / "output/.live_ab_dashboard.lock")  # it takes one lock after the other
    before, began = visible(tmp_path), time.monotonic()
    code, out, err = run(*second, *SMALL)
    assert time.monotonic() - began < 1
    assert (code, out, err.count("\n"), visible(tmp_path)) == (1, "", 1, before)
    assert f"being written by another run (process {running.pid})" in err
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert run(*second, *SMALL, *at(worlds))[0] == 0
    assert not (tmp_path / lock).exists()


def test_a_run_ends_at_its_deadline_while_a_source_hangs(start, worlds, fault_proxy, tmp_path):
    running = start("ab", *SMALL, RUN_TIMEOUT_SECONDS="1.5", **hanging(worlds, fault_proxy))
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err.count("\n")) == (1, "", 1)
    assert "not over after 1.5 s" in err
    assert visible(tmp_path) == []


def test_a_run_ends_at_its_deadline_while_it_draws(start, tmp_path):
    running = start("ab", "--simulate", "--dpi", "1000", "-v", RUN_TIMEOUT_SECONDS="2")
    began = time.monotonic()
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (1, "")
    assert "not over after 2 s" in err
    assert "figures/" in err or "image.py" in err or "load_drawing" in err, err  # the traceback of -v shows where it was
    assert visible(tmp_path) == []
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.8, 1.3, 1.8, 2.4])
def test_sigterm_at_any_moment_leaves_all_of_a_picture_or_nothing_and_no_lock(start, worlds, tmp_path, seconds):
    running = start("ab", "--sidecars", "--dpi", "150", *at(worlds))
    wait_for(tmp_path / "output/.live_ab_dashboard.lock")
    time.sleep(seconds)
    running.terminate()
    _, err = running.communicate(timeout=20)
    found = {name.rpartition(".")[2] for name in visible(tmp_path)}
    assert "Traceback" not in err
    assert running.returncode == 143 or found, err
    assert found in ({"png", "json", "csv", "md"}, set())


@pytest.mark.parametrize("value", ["0", "-1", "soon", "inf", "1e12"])
def test_a_deadline_that_is_none_is_a_usage_error(run, value):
    code, out, err = run("ab", *SMALL, RUN_TIMEOUT_SECONDS=value)
    assert (code, out) == (2, "")
    assert "RUN_TIMEOUT_SECONDS" in err
