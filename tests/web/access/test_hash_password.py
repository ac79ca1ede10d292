"""`live-dashboards hash-password`, as a program of its own: in a pipe and at a terminal."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from live_dashboards.settings import load_settings
from live_dashboards.web.access.passwords import matches
from tests.support.waiting import LONGEST_SECONDS
from tests.test_imports import ROOT
from tests.web.access.sites import PASSWORD

COMMAND = [sys.executable, "-m", "live_dashboards", "hash-password"]


def piped(line: bytes) -> tuple[int, str, str]:
    ended = subprocess.run(COMMAND, input=line, cwd=ROOT, env={}, capture_output=True, check=False, timeout=LONGEST_SECONDS)
    return ended.returncode, ended.stdout.decode(), ended.stderr.decode()


def typed(first: str, second: str) -> tuple[int, str, str]:
    """Exit code, stdout, and what the terminal showed."""
    keyboard, terminal = os.openpty()
    opened = ["sh", "-c", 'exec "$@" <"$0" 2>"$0"', os.ttyname(terminal), *COMMAND]  # opening it makes it the new session's terminal
    shown = b""
    with subprocess.Popen(opened, cwd=ROOT, env={"PATH": os.environ["PATH"]}, start_new_session=True, stdout=subprocess.PIPE) as process:
        for prompt, password in ((b"Password: ", first), (b"Again: ", second)):
            while not shown.endswith(prompt):
                shown += os.read(keyboard, 1024)
            os.write(keyboard, f"{password}\n".encode())
        out, _ = process.communicate(timeout=LONGEST_SECONDS)
    os.set_blocking(keyboard, False)
    shown += os.read(keyboard, 4096)
    os.close(keyboard)
    os.close(terminal)
    return process.returncode, out.decode(), shown.decode()


def settings_hash(text: str, folder: Path) -> str:
    """The hash as the settings hold it once the line is in their file."""
    (folder / ".env.live-dashboards").write_text(text)
    password_hash = load_settings(environment={}, base_folder=folder)["DASHBOARD_PASSWORD_HASH"]
    assert password_hash is not None
    return str(password_hash.reveal())


def test_the_printed_line_goes_into_the_settings_file_as_it_is(tmp_path: Path) -> None:
    code, line, _ = piped(f"{PASSWORD}\n".encode())
    assert code == 0
    assert matches(settings_hash(line, tmp_path), PASSWORD)


def test_a_shell_reads_the_printed_line_as_the_settings_do(tmp_path: Path) -> None:
    _, line, _ = piped(f"{PASSWORD}\r\n".encode())
    shell = subprocess.run(["sh", "-uc", f'{line}printf %s "$DASHBOARD_PASSWORD_HASH"'], capture_output=True, text=True, check=True)
    assert shell.stdout == settings_hash(line, tmp_path) == shlex.split(line)[0].partition("=")[2]


def test_only_the_first_line_is_the_password(tmp_path: Path) -> None:
    _, line, _ = piped(f"{PASSWORD}\nmore\n".encode())
    assert matches(settings_hash(line, tmp_path), PASSWORD)


@pytest.mark.parametrize("line", [b"", b"\n", b"elevenchars\n", b"\xff\xfe not a text at all\n"])
def test_what_is_too_short_or_no_text_is_refused_in_one_sentence(line: bytes) -> None:
    code, out, said = piped(line)
    assert (code, out, said.count("\n")) == (2, "", 1)
    assert "elevenchars" not in said


def test_the_password_is_no_argument() -> None:
    ended = subprocess.run([*COMMAND, PASSWORD], cwd=ROOT, env={}, capture_output=True, check=False, timeout=LONGEST_SECONDS)
    assert ended.returncode == 2


def test_a_terminal_is_asked_twice_and_shows_nothing(tmp_path: Path) -> None:
    code, line, shown = typed(PASSWORD, PASSWORD)
    assert code == 0
    assert PASSWORD not in shown
    assert matches(settings_hash(line, tmp_path), PASSWORD)


def test_two_different_passwords_are_refused() -> None:
    code, out, shown = typed(PASSWORD, f"{PASSWORD}!")
    assert (code, out) == (2, "")
    assert "differ" in shown
