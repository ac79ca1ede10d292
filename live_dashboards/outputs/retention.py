"""Removes older pictures of one dashboard and experiment: nothing but regular files whose whole name is one
that this tool stamps.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from live_dashboards.model.file_names import SIMULATED, STAMP, STEMS

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many of the newest pictures stay, and how old they may be; what either limit excludes goes."""

    count: int | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class _Stamped:
    """A file of a picture, the moment in its name, and whether that picture is simulated."""

    path: Path
    at: datetime
    is_simulated: bool


def remove_older(
    image: Path, dashboard: str, experiment_part: str, limits: Limits, now: datetime
) -> tuple[Path, ...]:
    """The files that were removed; never those of `image`, which was just written. Simulated pictures are
    counted apart, so that they push out no real one.

    A file that cannot be removed is told, and so is a folder that cannot be read.
    """
    try:
        found = tuple(_stamped(image.parent, dashboard, experiment_part))
    except OSError as error:
        log.warning(
            "nothing older was removed: %s cannot be read: %s; give this user the right to",
            image.parent,
            error.strerror,
        )
        return ()
    return tuple(
        file.path
        for file in _excess(found, limits, now)
        if file.path.stem != image.stem and _is_removed(file.path)
    )


def _stamped(folder: Path, dashboard: str, experiment_part: str) -> Iterator[_Stamped]:
    name = re.compile(
        rf"{STEMS[dashboard]}_(\d{{8}}_\d{{6}}){re.escape(experiment_part)}({SIMULATED})?\.(?:png|json|csv|md)",
        re.ASCII,
    )
    for path in sorted(folder.iterdir()):
        match = name.fullmatch(path.name)
        at = _moment(match[1]) if match else None
        if match and at and path.is_file() and not path.is_symlink():
            yield _Stamped(path, at, match[2] is not None)


def _moment(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _excess(found: Sequence[_Stamped], limits: Limits, now: datetime) -> Iterator[_Stamped]:
    for is_simulated in (False, True):
        files = [file for file in found if file.is_simulated is is_simulated]
        newest = sorted({file.at for file in files}, reverse=True)[: limits.count]
        oldest = now - timedelta(days=limits.days) if limits.days is not None else None
        yield from (
            file for file in files if file.at not in newest or (oldest is not None and file.at < oldest)
        )


def _is_removed(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning(
            "%s is too old but cannot be removed: %s; remove it, or give this user the right to",
            path,
            error.strerror,
        )
        return False
    return True
