"""The stable names beside a stamped picture: `live_ab_dashboard_latest.png` is the newest one that is not simulated, with its summary and sidecars."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from live_dashboards.outputs.files import explained, replace_file

_BESIDE = (".json", ".csv", ".md")


def write_latest(path: Path, files: Mapping[str, bytes | memoryview]) -> None:
    """Replaces each file by suffix, the picture last; real files, also where a link was. One of an earlier picture that has no successor is removed."""
    for suffix in _BESIDE:
        if suffix in files:
            replace_file(path.with_suffix(suffix), files[suffix])
        else:
            _remove(path.with_suffix(suffix))
    replace_file(path, files[path.suffix])


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        try:
            path.unlink()
        except OSError as error:
            raise explained(path, error) from error
