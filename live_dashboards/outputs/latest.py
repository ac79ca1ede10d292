"""The stable names beside a stamped picture: `live_ab_dashboard_latest.png` is the newest one that is not
simulated, with its summary and sidecars.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from live_dashboards.outputs.files import NewFile

_BESIDE = (".json", ".csv", ".md")


def latest_files(path: Path, files: Mapping[str, bytes | memoryview]) -> list[NewFile]:
    """Each file by suffix under the name of that picture, which is the last; real files, also where a link
    was.
    """
    suffixes = (*(suffix for suffix in _BESIDE if suffix in files), path.suffix)
    return [NewFile(path.with_suffix(suffix), files[suffix], is_link_replaced=True) for suffix in suffixes]


def outdated(path: Path, files: Mapping[str, bytes | memoryview]) -> list[Path]:
    """What an earlier picture may have left beside that name, and the new one does not replace."""
    return [path.with_suffix(suffix) for suffix in _BESIDE if suffix not in files]
