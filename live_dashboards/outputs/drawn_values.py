"""What is drawn in each panel, as the rows of one tidy table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from live_dashboards.model.business_report import BusinessReport, PaybackPanel
from live_dashboards.model.chart import DrawnValue, Panel, drawn_value
from live_dashboards.model.dashboards import Report
from live_dashboards.model.moment import format_moment
from live_dashboards.model.report import AbReport, RunsPanel

COLUMNS = DrawnValue._fields


def drawn_values(report: Report) -> list[DrawnValue]:
    """Every value of the panels that are drawn, panel by panel; a panel without data has none."""
    header = [drawn_value("header", name, "", measurement) for name, measurement in report.headline]
    return [*header, *(value for panel in _panels(report) for value in _values(panel, report))]


def _panels(report: Report) -> tuple[Panel[Any], ...]:
    """Those of its page, which are loaded for it alone."""
    if isinstance(report, AbReport):
        from live_dashboards.panels.ab import AB_PANELS

        return AB_PANELS
    from live_dashboards.panels.business import BUSINESS_PANELS

    return BUSINESS_PANELS


def _values(panel: Panel[Any], report: Any) -> Iterator[DrawnValue]:
    if panel.name in _BY_HAND:
        yield from _BY_HAND[panel.name](report)
    elif panel.head(report).is_drawn:
        yield from (value for chart in panel.charts(report) for value in chart.table)


def _runs(panel: RunsPanel) -> Iterator[DrawnValue]:
    """A run's accuracy at its start, and its end where it has one."""
    for bar in panel.bars:
        accuracy = bar.accuracy_percent
        value = accuracy.value if accuracy else None
        start = DrawnValue(
            "runs",
            f"{bar.label} ({bar.state})",
            bar.variant,
            format_moment(bar.started_at),
            value,
            None,
            None,
            "percent",
            panel.head.origin.value,
            None,
        )
        yield start
        if bar.ended_at is not None:
            yield start._replace(x=format_moment(bar.ended_at))


def _break_even(report: BusinessReport) -> Iterator[DrawnValue]:
    if report.break_even.measured is not None:
        yield drawn_value("break_even", "measured improvement", "", report.break_even.measured)


def _inputs(report: BusinessReport) -> Iterator[DrawnValue]:
    yield from (drawn_value("inputs", row.label, "", row.measurement) for row in report.inputs.rows)


def _performance(report: BusinessReport) -> Iterator[DrawnValue]:
    for row in report.performance.rows:
        for side in (row.baseline, row.challenger):
            yield drawn_value("performance", row.label, str(side.variant), side)


def _payback(panel: PaybackPanel) -> Iterator[DrawnValue]:
    for point in panel.points:
        yield DrawnValue(
            "payback",
            "cumulative value",
            None,
            f"month {point.month:g}",
            point.value_usd,
            point.low_usd,
            point.high_usd,
            "usd",
            panel.head.origin.value,
            None,
        )


_BY_HAND: Mapping[str, Callable[[Any], Iterable[DrawnValue]]] = {
    "runs": lambda report: _runs(report.runs),
    "break_even": _break_even,
    "payback": lambda report: _payback(report.payback),
    "inputs": _inputs,
    "performance": _performance,
}
"""Of panels that each renderer draws by hand."""
