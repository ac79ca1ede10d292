"""Two runs of one output never meet; a lock ends with its holder."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from live_dashboards.errors import OutputError, OutputLockedError
from live_dashboards.outputs.output_folder import locked, named_output, stamped_output

HOLD = """
import sys, time
from pathlib import Path
from live_dashboards.outputs.output_folder import locked, named_output
with locked([named_output(Path(sys.argv[1]))]):
    print("held", flush=True)
    time.sleep(600)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_lock_keeps_out_the_second_run_and_names_the_first(tmp_path: Path) -> None:
    output = named_output(tmp_path / "page.png")
    with locked([output]), pytest.raises(OutputLockedError, match=rf"page\.png is being written by another run \(process {os.getpid()}\)"), locked([output]):
        pass


def test_a_released_lock_leaves_nothing_and_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with locked([named_output(tmp_path / "page.png")]):
            assert names(tmp_path) == [".page.png.lock"]
        assert names(tmp_path) == []


def test_different_outputs_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with locked([named_output(tmp_path / "a.png")]), locked([named_output(tmp_path / "b.png"), stamped_output(tmp_path, "ab")]):
        assert len(names(tmp_path)) == 3


def test_one_of_several_that_is_held_frees_the_others(tmp_path: Path) -> None:
    ab, business = (stamped_output(tmp_path, dashboard) for dashboard in ("ab", "business"))
    with locked([ab]):
        with pytest.raises(OutputLockedError), locked([business, ab]):
            pass
        with locked([business]):
            pass


def test_a_link_and_its_file_are_one_output(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to("page.png")
    with locked([named_output(tmp_path / "page.png")]), pytest.raises(OutputLockedError), locked([named_output(tmp_path / "link.png")]):
        pass


def test_the_lock_of_a_killed_holder_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(OutputLockedError, match=f"process {holder.pid}"), locked([named_output(path)]):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert names(tmp_path) == [".page.png.lock"]
    with locked([named_output(path)]):
        pass
    assert names(tmp_path) == []


def test_a_file_that_a_holder_removed_meanwhile_is_not_mistaken_for_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output, flock, calls = named_output(tmp_path / "page.png"), fcntl.flock, []

    def remove_first(descriptor: int, operation: int) -> None:
        if not calls:
            output.lock.unlink()
        calls.append(descriptor)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with locked([output]), pytest.raises(OutputLockedError), locked([output]):
        pass
    assert len(calls) == 3


def test_a_file_system_without_locks_is_told_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with caplog.at_level(logging.WARNING), locked([named_output(tmp_path / "page.png")]):
        pass
    assert "has no locks" in caplog.text
    assert names(tmp_path) == []


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / ".page.png.lock").symlink_to("mine")
    with pytest.raises(OutputError), locked([named_output(tmp_path / "page.png")]):
        pass
    assert (tmp_path / "mine").read_text() == "mine"


def test_where_no_file_can_be_the_sentence_is_that_of_writing() -> None:
    with pytest.raises(OutputError, match="--output"), locked([named_output(Path("/proc/page.png"))]):
        pass


def test_a_long_name_has_a_lock_too(tmp_path: Path) -> None:
    with locked([named_output(tmp_path / ("é" * 120 + ".png"))]):
        assert len(names(tmp_path)) == 1
