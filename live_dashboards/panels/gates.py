"""What must hold before anyone decides, and what of it does."""

from __future__ import annotations

from live_dashboards.model.business_case import BusinessReport
from live_dashboards.model.chart import Conditions
from live_dashboards.model.measurement import Origin
from live_dashboards.model.report import Head


def head(report: BusinessReport) -> Head:
    """How many have passed."""
    passed = sum(gate.state == "passed" for gate in report.gates)
    title = f"{passed} of {len(report.gates)} gates passed"
    return Head(title, f"recommendation: {report.recommendation.verdict}", Origin.LIVE)


def charts(report: BusinessReport) -> tuple[Conditions, ...]:
    """A line a gate."""
    return (Conditions("Conditions of a decision", report.gates),)
