"""Stores what the sources answered, and reads it again: a picture drawn from it needs no source."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

from live_dashboards.errors import UsageError
from live_dashboards.model.codec import decode, encode
from live_dashboards.model.snapshot import Snapshot
from live_dashboards.outputs.files import write_file

SCHEMA_VERSION = 1


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
