"""Draws a picture in a process of its own, for the web page: drawing takes seconds of a core, and nobody who
looks should wait for it.

`python drawing.py` reads a report that its own parent pickled from stdin and writes the PNG to stdout.

The last step of a run: draws a report and writes its picture, summary and sidecars, all of them or none as
far as `write_files` can.

Where a run writes is checked before: no two of its files are one, and none is another one's folder, or one
would silently destroy the other.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from live_dashboards.app.endings import undivided
from live_dashboards.app.options import Request
from live_dashboards.errors import OutputError, SharedOutputError
from live_dashboards.model.dashboards import (
    SIMULATED,
    STEMS,
    latest_stem,
    simulated_ending,
    stamped_stem,
)
from live_dashboards.model.report import BadgeKind, Report
from live_dashboards.outputs.run_line import Written
from live_dashboards.settings import Settings

if TYPE_CHECKING:
    from live_dashboards.outputs.files import NewFile


_DPI = 300
_LONGEST_SECONDS = 60.0
_ROOT = Path(__file__).resolve().parents[1]
_END_OF_PNG = b"IEND\xaeB`\x82"  # a picture without it is not whole
_GIVES_WAY = 10  # as nice(1) counts: on a busy machine those who look at the page come before the picture
_STOPPING = "the server is stopping and draws no more; try again when it is back"
_START = (
    f"import os, sys, tempfile; os.nice({_GIVES_WAY}); tempfile.tempdir = sys.argv[1]; sys.path.insert(0, "
    f"{str(_ROOT)!r}); "
    "from live_dashboards.app.writing import main; main()"
)

log = logging.getLogger(__name__)

Compare = Callable[[dict[str, Any]], dict[str, Any]]
ENDINGS = {"ab": "", "business": "-business"}  # of one image name for both
METRICS_FILE = "--metrics-file"
_SIDECARS = (".csv", ".md")
_SAVED, _READ = "--save-snapshot", "--from-snapshot"


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


@dataclass(frozen=True, slots=True)
class Outcome(Written):
    """What was written, with the summary where that goes to stdout; `experiment_part` is what its stamped
    name says of the experiment.
    """

    summary_text: str | None
    experiment_part: str = ""


def write(
    page: Report,
    settings: Settings,
    request: Request,
    compare: Compare | None = None,
    *,
    experiment_part: str = "",
) -> Outcome:
    """Draws the report and writes image, summary (with what changed), sidecars and, where asked for, all of
    them under the latest name; the image is the last.
    """
    from live_dashboards.outputs.files import NewFile, latest_files, outdated, write_files

    image = request.output or settings.output_folder / f"{stamped_stem(page)}.png"
    files, enough = contents(page, image, request, compare), is_enough(page, request.require)
    latest = (
        latest_of(page, image, enough=enough, experiment_part=experiment_part) if request.latest else None
    )
    check_apart(request, [image], [latest] if latest is not None else [])
    new, old = files_beside(image, files, request), []
    if latest is not None:
        new, old = [*new, *latest_files(latest, files)], outdated(latest, files)
    with undivided():
        write_files([*new, NewFile(image, files[image.suffix])], old)
    return Outcome(
        image, page, enough, str(files[".json"], "utf-8") if request.summary == "-" else None, experiment_part
    )


def files_beside(image: Path, files: Mapping[str, bytes | memoryview], request: Request) -> list[NewFile]:
    """All but the image; without the summary where that goes to stdout."""
    from live_dashboards.outputs.files import OF_PICTURES, NewFile

    paths = {suffix: path_beside(image, suffix, request) for suffix in files if suffix != image.suffix}
    options = {".json": "--summary"} if request.summary is not None else {}
    return [
        NewFile(path, files[suffix], options.get(suffix, OF_PICTURES))
        for suffix, path in paths.items()
        if path is not None
    ]


def contents(
    page: Report, image: Path, request: Request, compare: Compare | None
) -> dict[str, bytes | memoryview]:
    """The files by suffix, the image first."""
    from live_dashboards.draw.png.dashboard import _create_dashboard_panels
    from live_dashboards.outputs.files import text_bytes
    from live_dashboards.outputs.image import image_content
    from live_dashboards.outputs.summary import summary_text

    figure = _create_dashboard_panels(page, size_inches=request.size_inches, dpi=request.dpi)
    picture = image_content(figure, image, dpi=request.dpi, report=page)
    files: dict[str, bytes | memoryview] = {
        image.suffix: picture,
        ".json": text_bytes(summary_text(page, compare)),
    }
    if request.sidecars:
        from live_dashboards.outputs.sidecars import sidecar_texts

        files |= {suffix: text_bytes(text) for suffix, text in sidecar_texts(page).items()}
    return files


def path_beside(image: Path, suffix: str, request: Request) -> Path | None:
    """Where the file with that suffix goes; None where the summary goes to stdout."""
    if suffix != ".json" or request.summary is None:
        return image.with_suffix(suffix)
    return Path(request.summary) if request.summary != "-" else None


def latest_of(page: Report, image: Path, *, enough: bool, experiment_part: str) -> Path | None:
    """The latest name that the picture may take, said where that is not the plain one; none where it is less
    than required.
    """
    path = image.parent / f"{latest_stem(page, experiment_part)}.png"
    if not enough:
        log.warning("%s stays as it was: the new picture is less than --require asks", path.name)
        return None
    ending = simulated_ending(page)
    if ending:
        log.warning(
            "simulated: the latest picture is written as %s, and %s stays as it was",
            path.name,
            path.name.replace(ending, ""),
        )
    return path


def is_enough(page: Report, require: str) -> bool:
    """Whether the badge is as live as was required: `live` is LIVE DATA, nothing stale, no question failed
    and no answer partial, `partial` anything but simulated.
    """
    if require == "live":
        return (
            page.badge.kind is BadgeKind.LIVE
            and not page.has_stale
            and not any(status.failures or status.is_partial for status in page.sources)
        )
    return require == "any" or page.badge.kind is not BadgeKind.SIMULATED


@dataclass(frozen=True, slots=True)
class Destination:
    """What a file is for, as the reader knows it, and where it goes."""

    use: str
    path: Path
    is_link_replaced: bool = False

    @property
    def place(self) -> str:
        """Where the file really is."""
        try:
            if not self.is_link_replaced:
                return os.path.realpath(self.path)
            return os.path.join(os.path.realpath(self.path.parent), self.path.name)  # noqa: PTH118 of texts
        except ValueError:
            return str(self.path)  # no path at all, as is told where it is written


def check_outputs(dashboards: Sequence[str], settings: Settings, request: Request) -> None:
    """UsageError where the outputs of the run cannot be together, as far as their names are known before
    anything is asked.
    """
    folder = request.output or settings.output_folder
    latest = (
        [
            folder / f"{STEMS[dashboard]}_latest{ending}.png"
            for dashboard in dashboards
            for ending in ("", SIMULATED)
        ]
        if request.latest
        else []
    )
    check_apart(request, named_images(dashboards, request), latest)


def check_output(request: Request) -> None:
    """UsageError where the image's name has a suffix of no kind of picture."""
    from live_dashboards.outputs.files import check_output_path

    if request.output is not None:
        check_output_path(request.output)


def named_images(dashboards: Sequence[str], request: Request) -> tuple[Path, ...]:
    """The pictures where `output` names them; none where they are stamped, in that folder or the usual
    one.
    """
    output = request.output
    if output is None or (len(dashboards) > 1 and not output.suffix):
        return ()
    check_output(request)
    return (
        tuple(output.with_stem(f"{output.stem}{ENDINGS[dashboard]}") for dashboard in dashboards)
        if len(dashboards) > 1
        else (output,)
    )


def check_apart(request: Request, images: Sequence[Path], latest: Sequence[Path] = ()) -> None:
    """SharedOutputError where two files of a run with these pictures, and these latest ones, are one, or one
    is the folder of the other.
    """
    found = [(each, each.place) for each in destinations(request, images, latest)]
    for (one, place), (other, other_place) in combinations(found, 2):
        if {one.use, other.use} == {_SAVED, _READ}:
            continue  # the same answers
        if place == other_place:
            raise SharedOutputError(
                f"{one.use} and {other.use} are both {other.path}; choose another path for one of them",
                (one.use, other.use),
            )
        inner, outer = sorted((place, other_place), key=len, reverse=True)
        if inner.startswith(f"{outer}{os.sep}"):
            raise SharedOutputError(
                f"{one.use} and {other.use} are {one.path} and {other.path}, one below the other; choose "
                "another path for one of them",
                (one.use, other.use),
            )


def destinations(
    request: Request, images: Sequence[Path], latest: Sequence[Path] = ()
) -> Iterator[Destination]:
    """Every file that the run writes, and the stored moment that it reads, which must not be lost."""
    for image in images:
        yield Destination("the picture (--output)", image)
        if request.summary is None:
            yield Destination("the summary beside the picture", image.with_suffix(".json"))
        if request.sidecars:
            yield from (
                Destination(f"the {suffix} of --sidecars", image.with_suffix(suffix)) for suffix in _SIDECARS
            )
    for image in latest:
        yield from (
            Destination("--latest", image.with_suffix(suffix), is_link_replaced=True)
            for suffix in (image.suffix, ".json", *_SIDECARS)
        )
    summary = None if request.summary in {None, "-"} else Path(str(request.summary))
    named = {
        "--summary": summary,
        _SAVED: request.save_snapshot,
        METRICS_FILE: request.metrics_file,
        _READ: request.from_snapshot,
    }
    yield from (Destination(use, path) for use, path in named.items() if path is not None)
