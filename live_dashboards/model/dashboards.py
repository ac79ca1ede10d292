"""What the pages of both dashboards are together: their type, short names and titles.

The records of the business page are defined elsewhere and only loaded for that page: Python takes a third of
a millisecond for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from live_dashboards.model.report import AbReport

if TYPE_CHECKING:
    from live_dashboards.model.business_report import BusinessReport

Report: TypeAlias = "AbReport | BusinessReport"
"""A page of either dashboard."""

DASHBOARD_TITLES = {"ab": "A/B testing dashboard", "business": "Business impact dashboard"}


def dashboard_name(report: Report) -> str:
    """`ab` or `business`."""
    return "ab" if isinstance(report, AbReport) else "business"
