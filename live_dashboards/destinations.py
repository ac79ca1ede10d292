"""Where a run writes: no two of its files are one, and none is another one's folder, or one would silently
destroy the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from live_dashboards.errors import SharedOutputError
from live_dashboards.model.file_names import SIMULATED, STEMS
from live_dashboards.request import Request
from live_dashboards.settings import Settings

ENDINGS = {"ab": "", "business": "-business"}  # of one image name for both
METRICS_FILE = "--metrics-file"
_SIDECARS = (".csv", ".md")
_SAVED, _READ = "--save-snapshot", "--from-snapshot"


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
