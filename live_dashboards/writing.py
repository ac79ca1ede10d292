"""The last step of a run: draws a report and writes its picture, summary and sidecars, all of them or none as
far as `write_files` can.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from live_dashboards.destinations import check_apart
from live_dashboards.endings import undivided
from live_dashboards.model.dashboards import Report
from live_dashboards.model.file_names import latest_stem, simulated_ending, stamped_stem
from live_dashboards.model.report import BadgeKind
from live_dashboards.request import Request
from live_dashboards.settings import Settings

if TYPE_CHECKING:
    from live_dashboards.outputs.files import NewFile

Compare = Callable[[dict[str, Any]], dict[str, Any]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was written, and whether it is as live as was required; `experiment_part` is what its stamped name
    says of the experiment.
    """

    image: Path
    summary_text: str | None
    report: Report
    is_enough: bool
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
        image, str(files[".json"], "utf-8") if request.summary == "-" else None, page, enough, experiment_part
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
    from live_dashboards.figures.dashboard import _create_dashboard_panels
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
