"""What a picture is called when nobody says."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from live_dashboards.model.dashboards import Report, dashboard_name
from live_dashboards.model.report import BadgeKind

SIMULATED = "-SIMULATED"
STAMP = "%Y%m%d_%H%M%S"
STEMS = {"ab": "live_ab_dashboard", "business": "business_impact_dashboard"}


def default_image_path(folder: Path, report: Report, experiment_part: str = "") -> Path:
    """`live_ab_dashboard_20261123_100000.png` or `business_impact_dashboard_…` there, stamped with its moment in UTC; a simulated one ends in `-SIMULATED`."""
    return folder / f"{STEMS[dashboard_name(report)]}_{report.at.astimezone(UTC):{STAMP}}{experiment_part}{simulated_ending(report)}.png"


def simulated_ending(report: Report) -> str:
    """What a simulated picture's name ends in; nothing for any other."""
    return SIMULATED if report.is_simulated or report.badge.kind is BadgeKind.SIMULATED else ""
