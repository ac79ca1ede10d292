"""Which kinds of picture can be written, told without loading what draws them."""

from __future__ import annotations

from pathlib import Path

from live_dashboards.errors import UsageError

SUFFIXES = (".png", ".pdf", ".svg")


def check_output_path(path: Path) -> None:
    """UsageError where the path's suffix is of no kind of picture that can be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{str(path)!r} does not end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}; "
            "choose one of these suffixes"
        )
