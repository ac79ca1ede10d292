"""The titles of both dashboards, and what their files are called."""

from __future__ import annotations

from datetime import UTC

from live_dashboards.model.report import BadgeKind, Report

DASHBOARD_TITLES = {"ab": "A/B testing dashboard", "business": "Business impact dashboard"}

SIMULATED = "-SIMULATED"
STAMP = "%Y%m%d_%H%M%S"
STEMS = {"ab": "live_ab_dashboard", "business": "business_impact_dashboard"}


def stamped_stem(report: Report, experiment_part: str = "") -> str:
    """`live_ab_dashboard_20261123_100000` or `business_impact_dashboard_…`, stamped with the page's moment in
    UTC; a simulated one ends in `-SIMULATED`.
    """
    stamped = f"{STEMS[report.dashboard]}_{report.at.astimezone(UTC):{STAMP}}"
    return f"{stamped}{experiment_part}{simulated_ending(report)}"


def latest_stem(report: Report, experiment_part: str = "") -> str:
    """The same without the moment: `live_ab_dashboard_latest`."""
    return f"{STEMS[report.dashboard]}_latest{experiment_part}{simulated_ending(report)}"


def simulated_ending(report: Report) -> str:
    """What the name of a simulated page's file ends in; nothing for any other."""
    return SIMULATED if report.is_simulated or report.badge.kind is BadgeKind.SIMULATED else ""
