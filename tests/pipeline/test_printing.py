"""A stdout that is closed, full, or a pipe whose reader has gone costs nothing but what it was to show, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from live_dashboards.app.cli import main
from tests.support.ports import closed_port
from tests.support.receiver import Receiver, wait_for_confirmation

ROOT = Path(__file__).parents[2]
STDOUTS = {"gone": "| true", "full": "> /dev/full", "closed": ">&-"}


def stdout(kind: str) -> TextIO | None:
    if kind == "closed":
        return None
    if kind == "full":
        return Path("/dev/full").open("w")
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "output").mkdir()
    (tmp_path / "output/live_ab_dashboard_20200101_000000-SIMULATED.png").touch()
    return tmp_path


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    wait_for_confirmation(monkeypatch)
    with Receiver() as running:
        yield running


@pytest.mark.parametrize(("kind", "arguments", "code"), [("gone", ("--summary", "-"), 0), ("full", (), 1), ("full", ("--require", "live"), 1), ("closed", (), 1)])
def test_all_else_that_belongs_to_a_run_is_done(
    folder: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, kind: str, arguments: tuple[str, ...], code: int
) -> None:
    options = ("--simulate", "--dpi", "50", "--keep", "1", "--notify-url", receiver.url, "--metrics-file", "run.prom", *arguments)
    is_enough = "--require" not in arguments
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout(kind))
        assert main(["ab", *options]) == code
        if sys.stdout is not None:
            sys.stdout.close()  # which writes what is held back, as Python's end does
    (found,) = [path.name for path in (folder / "output").glob("*.png") if "_2020" not in path.name]
    assert found.endswith("-SIMULATED.png")
    assert (folder / "output/live_ab_dashboard_20200101_000000-SIMULATED.png").exists() is not is_enough
    assert len(receiver.texts) == 1
    assert f'live_dashboards_run_success{{dashboard="ab"}} {int(is_enough)}\n' in (folder / "run.prom").read_text()
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ERROR")]
    cause = {"full": "No space left on device", "closed": "it is closed"}.get(kind)
    assert told == (
        [f"ERROR: all files are written, but the result cannot be printed on stdout: {cause}; let it lead to a terminal, a pipe or a file that has room"] if cause else []
    )


@pytest.mark.parametrize(
    ("command", "kind", "code"), [("ab --help", "gone", 0), ("ab --help", "full", 1), ("check", "gone", 1), ("check --json", "full", 1), ("check", "closed", 1)]
)
def test_a_process_ends_with_its_own_code_and_words(folder: Path, command: str, kind: str, code: int) -> None:
    dead = {"PROMETHEUS_URL": f"http://127.0.0.1:{closed_port()}", "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    line = f"'{sys.executable}' -m live_dashboards {command} {STDOUTS[kind]}"
    ended = subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=folder, env=dead, capture_output=True, text=True, check=False)
    lines = [text for text in ended.stderr.splitlines() if not text.startswith("WARNING: prometheus: ")]
    assert ended.returncode == code
    assert len(lines) == (kind != "gone"), ended.stderr
    assert all("cannot be printed on stdout" in text for text in lines)
