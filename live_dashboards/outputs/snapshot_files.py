"""Stores what the sources answered, and reads it again: as a snapshot from which a picture is drawn without
any source, and as the last good answer of each source in DASHBOARD_CACHE_DIR, from one run of a script, or
start of the web page, to the next.
"""

from __future__ import annotations

import gzip
import json
import logging
import re
import zlib
from functools import cached_property
from pathlib import Path
from typing import Any

from live_dashboards import __version__
from live_dashboards.errors import OutputError, UsageError
from live_dashboards.model.codec import LastGood, decode, encode
from live_dashboards.model.snapshot import Snapshot
from live_dashboards.outputs.files import write_file
from live_dashboards.settings import Settings
from live_dashboards.settings.digest import question_digest, secrets_digest

MOST_FILES = 64
_NAME = re.compile(r"last-good-[0-9a-f]+\.json\.gz")

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1


class LastGoodFile:
    """What was answered in earlier runs to these settings; a file that cannot be read or written is told and
    costs nothing but itself.
    """

    def __init__(self, settings: Settings, secrets_part: str | None = None) -> None:
        folder = settings.base_folder / str(settings["DASHBOARD_CACHE_DIR"])
        secrets = secrets_digest(settings) if secrets_part is None else secrets_part
        self._path = folder / f"last-good-{question_digest(settings, secrets)}.json.gz"
        self._limit_seconds = float(settings["DASHBOARD_CACHE_MAX_AGE"])

    @cached_property
    def kept(self) -> LastGood:
        """What an earlier run was answered."""
        return _read(self._path)

    def fill(self, fetched: Snapshot) -> Snapshot:
        """The snapshot in which a source that failed shows its last good answer, while that is not older than
        DASHBOARD_CACHE_MAX_AGE.

        After that it is simulated or marked like one that never answered: nobody has looked at this page a
        minute ago. What the sources answered now is kept for the next run.
        """
        after = self.kept.after(fetched)
        if after != self.kept:
            self.keep(after)
        return after.within(fetched.at, self._limit_seconds).fill(fetched, self._limit_seconds)

    def keep(self, kept: LastGood) -> None:
        """Writes it for the next run, and removes the files of the questions that were asked least lately,
        where there are very many.
        """
        _write(kept, self._path)
        _forget(self._path)


def _forget(newest: Path) -> None:
    """Each question has a file, and whoever can open the page can ask new ones: of those of this tool the
    newest stay.
    """
    try:
        found = [
            path
            for path in newest.parent.iterdir()
            if _NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink() and path != newest
        ]
        for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[MOST_FILES - 1 :]:
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        # another process has just removed it, or the folder was never made, which is told where it is written
        return
    except OSError as error:
        log.warning(
            "last good answers in %s cannot be removed (%s), and more come with each question; "
            "give this user the right to",
            newest.parent,
            error.strerror,
        )


def _read(path: Path) -> LastGood:
    """What is kept; nothing where there is no file, or one that another version wrote."""
    try:
        document = json.loads(gzip.decompress(path.read_bytes()))
        if not isinstance(document, dict) or document.get("version") != __version__:
            return LastGood()
        return decode(LastGood, document["kept"])
    except FileNotFoundError:
        return LastGood()
    except (OSError, EOFError, zlib.error, ValueError, KeyError, RecursionError, UsageError) as error:
        log.warning(
            "the last good answers in %s cannot be read (%s); they are written anew",
            path,
            type(error).__name__,
        )
        return LastGood()


def _write(kept: LastGood, path: Path) -> None:
    content = json.dumps(
        {"version": __version__, "kept": encode(kept)}, allow_nan=False, separators=(",", ":")
    ).encode("ascii")
    try:
        write_file(
            path,
            lambda stream: stream.write(gzip.compress(content, 4, mtime=0)),
            option="DASHBOARD_CACHE_DIR",
        )
    except OutputError as error:
        log.warning("the last good answers are not kept: %s", error)


def save_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Writes the snapshot as JSON, compressed where the path ends in `.gz`; the same snapshot gives the same
    bytes.
    """
    content = json.dumps(encode(snapshot), allow_nan=False, separators=(",", ":")).encode("ascii")
    write_file(
        path,
        lambda stream: stream.write(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content),
        option="--save-snapshot",
    )


def load_snapshot(path: Path) -> Snapshot:
    """The snapshot in that file; UsageError where it cannot be read or is none."""
    try:
        content = path.read_bytes()
        document = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    except (OSError, EOFError, zlib.error) as error:
        cause = (error.strerror if isinstance(error, OSError) else None) or "it is not a whole gzip file"
        raise UsageError(
            f"the snapshot {path} cannot be read: {cause}; give a file that --save-snapshot wrote"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"the snapshot {path} is not JSON; give a file that --save-snapshot wrote"
        ) from error
    _check_version(document, path)
    try:
        return decode(Snapshot, document)
    except UsageError as error:
        raise UsageError(f"the snapshot {path} cannot be used: {error}") from error


def _check_version(document: Any, path: Path) -> None:
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"the snapshot {path} has schema_version {version!r}, this version reads "
            f"{SCHEMA_VERSION}; take a new one with --save-snapshot"
        )
