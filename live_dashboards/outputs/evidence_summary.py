"""The summary's `evidence`: how each difference stood over the test, and what changed meanwhile."""

from __future__ import annotations

from typing import Any

from live_dashboards.model.evidence import DatedChange, DifferenceAt, DifferenceLine, Shift
from live_dashboards.model.measurement import Origin
from live_dashboards.model.moment import format_moment
from live_dashboards.model.report import AbReport
from live_dashboards.outputs.summary_parts import finite


def evidence(report: AbReport) -> list[dict[str, Any]]:
    """A line a metric that accumulates and challenger, in points or ms; what stands in for a source is no
    evidence.
    """
    return [
        _line(line, report.evidence.changes)
        for line in report.evidence.lines
        if report.is_simulated or line.origin is not Origin.SIMULATED
    ]


def _line(line: DifferenceLine, changes: tuple[DatedChange, ...]) -> dict[str, Any]:
    own = {None, line.treatment, line.control}
    return {
        "metric": line.metric,
        "treatment": line.treatment,
        "control": line.control,
        "unit": line.unit,
        "origin": line.origin.value,
        "source": line.source or None,
        "query": line.query or None,
        "reason": line.reason or None,
        "points": [_point(point) for point in line.points],
        "shift": None if line.shift is None else _shift(line.shift),
        "changes": [_change(each) for each in changes if each.variant in own],
    }


def _point(point: DifferenceAt) -> dict[str, Any]:
    return {
        "at": format_moment(point.at),
        "estimate": finite(point.estimate),
        "low": finite(point.low),
        "high": finite(point.high),
        "harm_low": finite(point.harm_low),
        "harm_high": finite(point.harm_high),
        "n_treatment": point.n_treatment,
        "n_control": point.n_control,
    }


def _shift(shift: Shift) -> dict[str, Any]:
    """A part that differs from the rest; `ab_start` would leave a beginning out."""
    return {
        "part": "beginning" if shift.is_early else "last third",
        "start": format_moment(shift.begin),
        "end": format_moment(shift.end),
        "within": finite(shift.within),
        "elsewhere": finite(shift.elsewhere),
        "low": finite(shift.low),
        "high": finite(shift.high),
        "ab_start": format_moment(shift.end) if shift.is_early else None,
    }


def _change(change: DatedChange) -> dict[str, Any]:
    return {
        "at": format_moment(change.at),
        "what": change.what,
        "variant": change.variant,
        "label": change.label,
    }
