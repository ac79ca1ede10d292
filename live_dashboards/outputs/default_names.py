"""What a picture is called when nobody says."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from live_dashboards.model.report import AbReport, BadgeKind


def default_image_path(folder: Path, report: AbReport) -> Path:
    """`live_ab_dashboard_20261123_100000.png` in that folder, stamped with the report's moment in UTC; of a simulated picture `…-SIMULATED.png`."""
    ending = "-SIMULATED" if report.is_simulated or report.badge.kind is BadgeKind.SIMULATED else ""
    return folder / f"live_ab_dashboard_{report.at.astimezone(UTC):%Y%m%d_%H%M%S}{ending}.png"
