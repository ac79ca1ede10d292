"""What one run was asked for: the options of the command line, checked and typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Request:
    """What one run was asked for; `at` None is now, `output` None a default name in DASHBOARD_OUTPUT_DIR, a
    `summary` of `-` is stdout.
    """

    at: datetime | None = None
    output: Path | None = None
    summary: str | None = None
    compare: Path | None = None
    sidecars: bool = False
    dpi: int = 300
    size_inches: tuple[float, float] = (16.0, 10.0)
    require: str = "any"
    on_missing: str = "simulate"
    simulate_only: bool = False
    seed: int = 42
    save_snapshot: Path | None = None
    from_snapshot: Path | None = None
    latest: bool = False
    keep: int | None = None
    keep_days: float | None = None
    metrics_file: Path | None = None
