"""Draws a picture in a process of its own, for the web page: drawing takes seconds of a core, and nobody who
looks should wait for it.

`python drawing.py` reads a report that its own parent pickled from stdin and writes the PNG to stdout.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from live_dashboards.errors import OutputError
from live_dashboards.model.dashboards import Report

_DPI = 300
_LONGEST_SECONDS = 60.0
_ROOT = Path(__file__).resolve().parents[1]
_END_OF_PNG = b"IEND\xaeB`\x82"  # a picture without it is not whole
_GIVES_WAY = 10  # as nice(1) counts: on a busy machine those who look at the page come before the picture
_STOPPING = "the server is stopping and draws no more; try again when it is back"
_START = (
    f"import os, sys, tempfile; os.nice({_GIVES_WAY}); tempfile.tempdir = sys.argv[1]; sys.path.insert(0, "
    f"{str(_ROOT)!r}); "
    "from live_dashboards.app.drawing import main; main()"
)

log = logging.getLogger(__name__)


class Drawings:
    """Draws in processes of their own, and knows which of them run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_stopped = False

    def draw(self, report: Report) -> bytes:
        """The report's PNG, as the scripts draw it; OutputError where it could not be drawn."""
        try:
            with (
                tempfile.TemporaryDirectory(prefix="live-dashboards-") as folder,
                self._process(Path(folder)) as process,
            ):
                picture, said = self._wait(process, pickle.dumps(report))
        except OSError as error:
            raise OutputError(
                f"the picture could not be drawn ({error.strerror}); try again when the machine has more room"
            ) from error
        if process.returncode == 0 and picture.endswith(_END_OF_PNG):
            return picture
        if self._is_stopped:
            raise OutputError(_STOPPING)
        log.error(
            "a picture was not drawn (exit code %d): %s",
            process.returncode,
            said.decode(errors="replace").strip().rpartition("\n")[2][:1000],
        )
        raise OutputError("the picture could not be drawn; the server's log says why")

    def stop(self) -> None:
        """Ends the drawings that run, and begins no more."""
        with self._lock:
            self._is_stopped = True
            for process in self._running:
                _kill(process)

    @contextlib.contextmanager
    def _process(self, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
        """A drawing process, in a group of its own, that leaves its files in the folder; it is gone
        afterwards.
        """
        with self._lock:
            if self._is_stopped:
                raise OutputError(_STOPPING)
            process = subprocess.Popen(  # noqa: S603 this Python, our code
                [sys.executable, "-c", _START, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self._running.add(process)
        with process:
            try:
                yield process
            finally:
                with self._lock:
                    self._running.discard(process)
                    _kill(process)

    def _wait(self, process: subprocess.Popen[bytes], pickled: bytes) -> tuple[bytes, bytes]:
        try:
            return process.communicate(pickled, timeout=_LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            raise OutputError(
                f"the picture was not drawn within {_LONGEST_SECONDS:g} s; try again when "
                "the machine is less busy"
            ) from None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and all that it started; a process that was waited for is left alone, since its number
    may be another's by now.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def main() -> None:
    """Draws what stdin holds."""
    from live_dashboards.draw.png.dashboard import _create_dashboard_panels
    from live_dashboards.outputs.image import write_image

    report: Report = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 our own parent wrote it
    with tempfile.TemporaryDirectory(prefix="live-dashboards-") as folder:
        path = Path(folder) / "picture.png"
        write_image(_create_dashboard_panels(report, dpi=_DPI), path, dpi=_DPI, report=report)
        with open(sys.stdout.fileno(), "wb", closefd=False) as stdout:
            stdout.write(path.read_bytes())  # sys.stdout may be unbuffered, and then write only a part
