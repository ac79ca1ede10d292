"""Draws a picture in a process of its own, for the web page: drawing takes seconds of a core, and nobody who looks should wait for it.

`python drawing.py` reads a report that its own parent pickled from stdin and writes the PNG to stdout.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

from live_dashboards.errors import OutputError
from live_dashboards.model.dashboards import Report

_DPI = 300
_LONGEST_SECONDS = 60.0
_ROOT = Path(__file__).resolve().parents[1]
_GIVES_WAY = 10  # as nice(1) counts: on a busy machine those who look at the page come before the picture
_START = f"import os, sys; os.nice({_GIVES_WAY}); sys.path.insert(0, {str(_ROOT)!r}); from live_dashboards.drawing import main; main()"


def draw_apart(report: Report) -> bytes:
    """The report's PNG, as the scripts draw it; OutputError where it could not be drawn."""
    try:
        ended = subprocess.run([sys.executable, "-c", _START], input=pickle.dumps(report), capture_output=True, timeout=_LONGEST_SECONDS, check=True)  # noqa: S603 this Python, our code
    except subprocess.TimeoutExpired:
        raise OutputError(f"the picture was not drawn within {_LONGEST_SECONDS:g} s; try again when the machine is less busy") from None
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise OutputError(f"the picture could not be drawn ({last[:200]}); draw it with the script to see more") from error
    except OSError as error:
        raise OutputError(f"the picture could not be drawn ({error.strerror}); try again when the machine has more room") from error
    return ended.stdout


def main() -> None:
    """Draws what stdin holds."""
    from live_dashboards.figures.dashboard import _create_dashboard_panels
    from live_dashboards.outputs.image import write_image

    report: Report = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 our own parent wrote it
    with tempfile.TemporaryDirectory(prefix="live-dashboards-") as folder:
        path = Path(folder) / "picture.png"
        write_image(_create_dashboard_panels(report, dpi=_DPI), path, dpi=_DPI, report=report)
        sys.stdout.buffer.write(path.read_bytes())
