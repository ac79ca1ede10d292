"""What was assumed, whose it is, and where the answer would flip."""

from __future__ import annotations

from live_dashboards.model.business_case import Assumption, BusinessReport
from live_dashboards.model.chart import Cell, Column, Table, TableRow
from live_dashboards.model.measurement import Origin
from live_dashboards.model.number import NOTHING, format_money, format_number
from live_dashboards.model.presentation import CAUTION, FAINT, INK
from live_dashboards.model.report import Head

_SMALLEST_PLAIN = 0.001


def head(report: BusinessReport) -> Head:
    """How many are nobody's."""
    assumptions = report.case.assumptions
    defaults = sum(each.is_default for each in assumptions)
    title = "All assumptions are yours"
    if defaults:
        title = f"{defaults} of {len(assumptions)} assumptions are defaults, not yours"
    subtitle = "business parameters of the settings, with their units"
    return Head(title, subtitle, Origin.LIVE, note="; ".join(report.doubts))


def charts(report: BusinessReport) -> tuple[Table, ...]:
    """A row an assumption; a default says so in words and colour."""
    assumptions = report.case.assumptions
    has_range = any(each.amount.is_range for each in assumptions)
    shares = (0.37, 0.14, 0.0, 0.24, 0.25, 0.0) if has_range else (0.45, 0.2, 0.0, 0.0, 0.35, 0.0)
    headings = ("setting", "value", "unit", "range", "whose", "answer flips")
    flips = {each.parameter: each.words for each in report.case.break_evens if each.amount is not None}
    return (
        Table(
            "Assumptions of the business case",
            tuple(map(Column, headings, shares)),
            tuple(_row(each, flips.get(each.name, ""), report) for each in assumptions),
        ),
    )


def _row(each: Assumption, flip: str, report: BusinessReport) -> TableRow:
    owner = Cell("default, not yours", CAUTION) if each.is_default else Cell("yours")
    cells = (
        Cell(each.name),
        Cell(_amount(each, each.amount.point, report)),
        Cell(each.unit),
        _range(each, report),
        owner,
        Cell(flip or NOTHING),
    )
    return TableRow(cells, f"{each.unit}; flips {flip}" if flip else each.unit)


def _amount(each: Assumption, value: float, report: BusinessReport) -> str:
    if each.name != "ACCURACY_REVENUE_MULTIPLIER":
        return format_money(value)
    if 0 < value < _SMALLEST_PLAIN and not report.case.inputs.quality.is_share:
        return f"{value:.3g}"  # a unit of a value may be as small as it likes
    return format_number(value, "fraction")


def _range(each: Assumption, report: BusinessReport) -> Cell:
    if not each.amount.is_range:
        return Cell(NOTHING, FAINT)
    low, high = (_amount(each, end, report) for end in (each.amount.low, each.amount.high))
    return Cell(f"{low} to {high}", INK)
